//! What a scope sees of its audit rows: a page at a time, or all of them in stretches.

use domain::{AppId, AuditChain, AuditId, Decision, EndUserId, KeyId, RequestId, Timestamp, UserId};
use sea_orm::sea_query::{Expr, ExprTrait as _, IntoCondition as _};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait as _, Order, Statement, Value};

use crate::entities::{At, audit_entry};
use crate::records::AuditRow;
use crate::scope::{Bounds, InOrg};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit};
use crate::{Page, Paged, StoreError};

/// Which rows are wanted; `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only rows of the scope's own chain: under an organization's scope, those that belong to no application.
    pub own_chain: bool,
    /// Only rows of this application, which may be gone. Under an organization's scope it stands for the chain.
    pub app: Option<AppId>,
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
    pub end_user: Option<EndUserId>,
    pub key: Option<KeyId>,
    pub user: Option<UserId>,
    pub permission: Option<String>,
    pub method: Option<String>,
    pub decision: Option<Decision>,
    pub status: Option<u16>,
    pub subject: Option<String>,
    pub request: Option<RequestId>,
}

/// How far an export has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    created_at: Timestamp,
    id: AuditId,
}

impl AuditCursor {
    /// Just behind this row.
    pub fn behind(row: &AuditRow) -> Self {
        Self { created_at: row.created_at, id: row.id }
    }
}

impl<S: InOrg, M: Mode> Unit<S, M> {
    /// The audit rows that the scope sees, newest first.
    pub async fn audit_log(&self, page: Page) -> Result<Paged<AuditRow>, StoreError> {
        self.search_audit(&AuditFilter::default(), page).await
    }

    /// As [`Self::audit_log`], narrowed. The total of a whole chain comes from its newest seal, that of any other filter from counting.
    pub async fn search_audit(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditRow>, StoreError> {
        let tenant = self.tenant();
        let rows = tenant.find::<audit_entry::Entity>().filter(condition(filter, tenant.bounds));
        let rows =
            rows.order_by(Expr::col(audit_entry::Column::CreatedAt), Order::Desc).order_by(Expr::col(audit_entry::Column::Id), Order::Desc);
        let rows = match whole_chain(filter, tenant.bounds) {
            Some(chain) => Paged { total: length(&tenant, chain).await?, items: rows.slice(page).await? },
            None => rows.page(page).await?,
        };
        rows.try_map(AuditRow::try_from)
    }

    /// The next `limit` rows behind the cursor, oldest first.
    pub async fn audit_after(&self, filter: &AuditFilter, after: Option<AuditCursor>, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        use audit_entry::Column;
        let tenant = self.tenant();
        let mut rows = tenant.find::<audit_entry::Entity>().filter(condition(filter, tenant.bounds));
        if let Some(AuditCursor { created_at, id }) = after {
            let place = Expr::tuple([Expr::col(Column::CreatedAt), Expr::col(Column::Id)]);
            rows = rows.filter(place.gt(Expr::tuple([Expr::val(At(created_at)), Expr::val(id.to_string())])).into_condition());
        }
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Asc).order_by(Expr::col(Column::Id), Order::Asc);
        rows.limit(u64::from(limit)).all().await?.into_iter().map(AuditRow::try_from).collect()
    }
}

/// The chain that the filter asks for, if it asks for all of it and the scope sees all of it.
fn whole_chain(filter: &AuditFilter, bounds: Bounds) -> Option<AuditChain> {
    let is_narrow = *filter != AuditFilter { own_chain: true, app: filter.app, ..AuditFilter::default() };
    if is_narrow || bounds.sight.end_user().is_some() {
        return None;
    }
    match (bounds.sight.app(), filter.app) {
        (None, None) => Some(AuditChain::Organization(bounds.org)),
        (None, Some(app)) => Some(AuditChain::Application(app)),
        (Some(own), wanted) => wanted.is_none_or(|wanted| wanted == own).then_some(AuditChain::Application(own)),
    }
}

/// How many rows a chain of the tenant's organization has: those under seals, and those that wait for theirs. One statement, because
/// the sealer may come between two.
async fn length<M>(tenant: &Tenant<'_, M>, chain: AuditChain) -> Result<u64, StoreError> {
    // Of the chain as an expression, so that no index but the one of unsealed rows fits: those by tenant hold the whole log.
    const LENGTH: &str =
        "SELECT COALESCE((SELECT last_position FROM audit_seals WHERE chain = $1 AND org_id = $2 ORDER BY number DESC LIMIT 1), 0)
        + (SELECT count(*) FROM audit_entries
            WHERE seal IS NULL AND COALESCE(app_id, org_id, 'platform') = $1 AND COALESCE(org_id, '') = $2)";
    let values: [Value; 2] = [chain.to_string().into(), tenant.bounds.org.to_string().into()];
    let backend = tenant.store.engine.backend();
    let row = tenant.transaction.query_one_raw(Statement::from_sql_and_values(backend, LENGTH, values)).await?;
    let length: i64 = row.ok_or(StoreError::Corrupt { what: "a count" })?.try_get_by_index(0)?;
    Ok(u64::try_from(length).unwrap_or(0))
}

fn condition(filter: &AuditFilter, bounds: Bounds) -> Condition {
    use audit_entry::Column;
    let is_of_organization = filter.own_chain && bounds.sight.app().is_none() && filter.app.is_none();
    let text = |column: Column, value: Option<String>| value.map(|value| column.eq(value));
    Condition::all()
        .add_option(is_of_organization.then(|| Column::AppId.is_null()))
        .add_option(text(Column::AppId, filter.app.map(|id| id.to_string())))
        .add_option(filter.from.map(|at| Column::CreatedAt.gte(At(at))))
        .add_option(filter.to.map(|at| Column::CreatedAt.lt(At(at))))
        .add_option(text(Column::EndUserId, filter.end_user.map(|id| id.to_string())))
        .add_option(text(Column::KeyId, filter.key.map(|id| id.to_string())))
        .add_option(text(Column::UserId, filter.user.map(|id| id.to_string())))
        .add_option(text(Column::Permission, filter.permission.clone()))
        .add_option(text(Column::Method, filter.method.clone()))
        .add_option(text(Column::Decision, filter.decision.map(|decision| decision.as_str().to_owned())))
        .add_option(filter.status.map(|status| Column::Status.eq(i64::from(status))))
        .add_option(text(Column::Subject, filter.subject.clone()))
        .add_option(text(Column::RequestId, filter.request.map(|id| id.to_string())))
}
