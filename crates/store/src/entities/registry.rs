//! Every table's entity, in a form that tests can walk.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sea_orm::{ActiveModelTrait as _, ActiveValue, EntityTrait, IdenStatic as _, IntoActiveModel as _, Iterable as _, Value};

use super::{account_token, attempt, login_identity};
use super::{
    api_key, application, audit_entry, audit_key, audit_seal, connection, data_key, deleted_run, end_user, event, idempotency_record,
    installation, invitation, job, key_check, lease, ledger_entry, member, memory, model, organization, package, package_version, profile,
    provider_key, proxy, proxy_default, proxy_use, run, run_activity, run_spec, run_state, run_total, session, stream_ticket, user,
};
use crate::StoreError;
use crate::inspect::Owner;
use crate::scoped::{Scoped, Tenancy, Tenant};
use crate::unit::Reading;

/// What an entity says about its table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    /// `None`: of the platform.
    pub(crate) tenancy: Option<Tenancy<String>>,
    /// Reads the rows that a tenant sees. `None`: of the platform.
    pub(crate) seen: Option<Seen>,
}

pub(crate) type Seen = for<'u> fn(Tenant<'u, Reading>) -> BoxFuture<'u, Result<Vec<Owner>, StoreError>>;

fn platform<E: EntityTrait>() -> Entry {
    Entry {
        table: E::default().table_name().to_owned(),
        columns: E::Column::iter().map(|column| column.as_str().to_owned()).collect(),
        tenancy: None,
        seen: None,
    }
}

fn tenant<E: Scoped>() -> Entry {
    let tenancy = E::TENANCY.map(|column| column.as_str().to_owned());
    Entry { tenancy: Some(tenancy), seen: Some(|tenant| seen::<E>(tenant).boxed()), ..platform::<E>() }
}

async fn seen<E: Scoped>(tenant: Tenant<'_, Reading>) -> Result<Vec<Owner>, StoreError> {
    let (org, app, end_user, user) = match E::TENANCY {
        Tenancy::Organization { org } | Tenancy::Catalog { org } => (org, None, None, None),
        Tenancy::Shared { org, app } | Tenancy::Seal { org, app } => (org, Some(app), None, None),
        Tenancy::Private { org, app, end_user }
        | Tenancy::Memory { org, app, end_user }
        | Tenancy::Trace { org, app, end_user }
        | Tenancy::Log { org, app, end_user } => (org, Some(app), Some(end_user), None),
        Tenancy::Held { org, app, user, end_user, .. } => (org, Some(app), Some(end_user), Some(user)),
    };
    let owner = |row: E::Model| {
        let row = row.into_active_model();
        let text = |column| match row.get(column) {
            ActiveValue::Set(Value::String(text)) | ActiveValue::Unchanged(Value::String(text)) => text,
            _ => None,
        };
        Owner { org: text(org), app: app.and_then(text), end_user: end_user.and_then(text), user: user.and_then(text) }
    };
    Ok(tenant.find::<E>().all().await?.into_iter().map(owner).collect())
}

pub(crate) fn all() -> Vec<Entry> {
    vec![
        platform::<user::Entity>(),
        platform::<session::Entity>(),
        platform::<account_token::Entity>(),
        platform::<login_identity::Entity>(),
        platform::<attempt::Entity>(),
        tenant::<organization::Entity>(),
        tenant::<member::Entity>(),
        tenant::<application::Entity>(),
        tenant::<api_key::Entity>(),
        tenant::<end_user::Entity>(),
        tenant::<invitation::Entity>(),
        tenant::<run::Entity>(),
        tenant::<run_spec::Entity>(),
        tenant::<ledger_entry::Entity>(),
        tenant::<run_state::Entity>(),
        tenant::<memory::Entity>(),
        tenant::<run_total::Entity>(),
        tenant::<run_activity::Entity>(),
        platform::<deleted_run::Entity>(),
        tenant::<provider_key::Entity>(),
        tenant::<model::Entity>(),
        tenant::<package::Entity>(),
        tenant::<package_version::Entity>(),
        tenant::<installation::Entity>(),
        tenant::<proxy::Entity>(),
        tenant::<proxy_default::Entity>(),
        tenant::<proxy_use::Entity>(),
        tenant::<profile::Entity>(),
        tenant::<connection::Entity>(),
        platform::<data_key::Entity>(),
        platform::<key_check::Entity>(),
        tenant::<event::Entity>(),
        tenant::<job::Entity>(),
        tenant::<audit_entry::Entity>(),
        tenant::<idempotency_record::Entity>(),
        tenant::<stream_ticket::Entity>(),
        tenant::<audit_seal::Entity>(),
        platform::<audit_key::Entity>(),
        platform::<lease::Entity>(),
    ]
}
