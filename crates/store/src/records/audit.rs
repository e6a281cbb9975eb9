//! The audit log: who did what. Writes carry their row; reads, refusals and failures queue theirs in the second lane.

use async_trait::async_trait;
use domain::{AppId, AuditId, EndUserId, KeyId, OrgId, RequestId, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait as _, Order};
use serde_json::Value;

use crate::engine::{Queued, QueuedIn};
use crate::entities::{self, At, audit_entry};
use crate::scope::{Bounds, InOrg};
use crate::store::Inner;
use crate::unit::{AuditFacts, Mode, Unit};
use crate::{Page, Paged, StoreError};

/// What a change was about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// The id of what was changed.
    pub subject: Option<String>,
    /// More that the log should keep; never a secret.
    pub detail: Value,
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    pub id: AuditId,
    pub org: Option<OrgId>,
    pub app: Option<AppId>,
    pub end_user: Option<EndUserId>,
    pub request: RequestId,
    pub key: Option<KeyId>,
    pub user: Option<UserId>,
    pub permission: String,
    pub method: String,
    pub route: String,
    pub path: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub subject: Option<String>,
    pub detail: Value,
    /// The HTTP status that was answered; `None` for work without an answer.
    pub status: Option<u16>,
    pub created_at: Timestamp,
}

pub(crate) fn row(
    store: &Inner,
    tenant: Option<Bounds>,
    facts: &AuditFacts,
    audit: Option<&Audit>,
    status: Option<u16>,
) -> audit_entry::ActiveModel {
    let text = |id: Option<String>| Set(id);
    audit_entry::ActiveModel {
        id: Set(AuditId::new(&*store.ids).to_string()),
        org_id: text(tenant.map(|bounds| bounds.org.to_string())),
        app_id: text(tenant.and_then(|bounds| bounds.sight.app()).map(|id| id.to_string())),
        end_user_id: text(facts.end_user.or_else(|| tenant.and_then(|bounds| bounds.sight.end_user())).map(|id| id.to_string())),
        request_id: Set(facts.request.to_string()),
        key_id: text(facts.key.map(|id| id.to_string())),
        user_id: text(facts.user.map(|id| id.to_string())),
        permission: Set(facts.permission.clone()),
        method: Set(facts.method.clone()),
        route: Set(facts.route.clone()),
        path: Set(facts.path.clone()),
        ip: Set(facts.ip.clone()),
        user_agent: Set(facts.user_agent.clone()),
        subject: Set(audit.and_then(|audit| audit.subject.clone())),
        detail: Set(entities::to_json(&audit.map_or(&Value::Null, |audit| &audit.detail))),
        status: Set(status.map(i64::from)),
        created_at: Set(At(store.clock.now())),
    }
}

pub(crate) async fn insert(transaction: &DatabaseTransaction, row: audit_entry::ActiveModel) -> Result<(), StoreError> {
    audit_entry::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// One row of the second lane.
pub(crate) struct QueuedAudit(pub(crate) audit_entry::ActiveModel);

#[async_trait]
impl Queued for QueuedAudit {
    type Output = ();

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<(), StoreError> {
        insert(within.transaction, self.0.clone()).await
    }
}

impl<S: InOrg, M: Mode> Unit<S, M> {
    /// The audit rows that the scope sees, newest first.
    pub async fn audit_log(&self, page: Page) -> Result<Paged<AuditRow>, StoreError> {
        let rows = self.tenant().find::<audit_entry::Entity>();
        let rows =
            rows.order_by(Expr::col(audit_entry::Column::CreatedAt), Order::Desc).order_by(Expr::col(audit_entry::Column::Id), Order::Desc);
        rows.page(page).await?.try_map(AuditRow::try_from)
    }
}

impl TryFrom<audit_entry::Model> for AuditRow {
    type Error = StoreError;

    fn try_from(row: audit_entry::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "an audit row";
        Ok(Self {
            id: entities::parse(&row.id, WHAT)?,
            org: entities::parse_some(row.org_id.as_deref(), WHAT)?,
            app: entities::parse_some(row.app_id.as_deref(), WHAT)?,
            end_user: entities::parse_some(row.end_user_id.as_deref(), WHAT)?,
            request: entities::parse(&row.request_id, WHAT)?,
            key: entities::parse_some(row.key_id.as_deref(), WHAT)?,
            user: entities::parse_some(row.user_id.as_deref(), WHAT)?,
            permission: row.permission,
            method: row.method,
            route: row.route,
            path: row.path,
            ip: row.ip,
            user_agent: row.user_agent,
            subject: row.subject,
            detail: entities::json(&row.detail, WHAT)?,
            status: row.status.map(u16::try_from).transpose().map_err(|_| StoreError::Corrupt { what: WHAT })?,
            created_at: row.created_at.0,
        })
    }
}
