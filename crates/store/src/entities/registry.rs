//! Every table's entity, in a form that tests can walk.

use sea_orm::{EntityTrait, IdenStatic as _, Iterable as _};

use super::{api_key, application, audit_entry, end_user, event, idempotency_record, job, member, organization, session, user};
use crate::scoped::{Scoped, Tenancy};

/// What an entity says about its table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    /// `None`: of the platform.
    pub(crate) tenancy: Option<Tenancy<String>>,
}

fn platform<E: EntityTrait>() -> Entry {
    Entry {
        table: E::default().table_name().to_owned(),
        columns: E::Column::iter().map(|column| column.as_str().to_owned()).collect(),
        tenancy: None,
    }
}

fn tenant<E: Scoped>() -> Entry {
    Entry { tenancy: Some(E::TENANCY.map(|column| column.as_str().to_owned())), ..platform::<E>() }
}

pub(crate) fn all() -> Vec<Entry> {
    vec![
        platform::<user::Entity>(),
        platform::<session::Entity>(),
        tenant::<organization::Entity>(),
        tenant::<member::Entity>(),
        tenant::<application::Entity>(),
        tenant::<api_key::Entity>(),
        tenant::<end_user::Entity>(),
        tenant::<event::Entity>(),
        tenant::<job::Entity>(),
        tenant::<audit_entry::Entity>(),
        tenant::<idempotency_record::Entity>(),
    ]
}
