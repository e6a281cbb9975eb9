//! Every table's entity, in a form that tests can walk.

use sea_orm::{EntityTrait, IdenStatic as _, Iterable as _};

use super::{
    api_key, application, audit_entry, connection, data_key, end_user, event, idempotency_record, installation, job, key_check,
    ledger_entry, member, memory, model, organization, package, package_version, profile, provider_key, run, run_activity, run_spec,
    run_state, run_total, session, user,
};
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
        tenant::<run::Entity>(),
        tenant::<run_spec::Entity>(),
        tenant::<ledger_entry::Entity>(),
        tenant::<run_state::Entity>(),
        tenant::<memory::Entity>(),
        tenant::<run_total::Entity>(),
        tenant::<run_activity::Entity>(),
        tenant::<provider_key::Entity>(),
        tenant::<model::Entity>(),
        tenant::<package::Entity>(),
        tenant::<package_version::Entity>(),
        tenant::<installation::Entity>(),
        tenant::<profile::Entity>(),
        tenant::<connection::Entity>(),
        platform::<data_key::Entity>(),
        platform::<key_check::Entity>(),
        tenant::<event::Entity>(),
        tenant::<job::Entity>(),
        tenant::<audit_entry::Entity>(),
        tenant::<idempotency_record::Entity>(),
    ]
}
