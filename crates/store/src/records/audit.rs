//! The audit log: who did what. Writes carry their row; reads, refusals and failures queue theirs in the second lane.

use async_trait::async_trait;
use domain::{AppId, AuditChain, AuditId, Code, Decision, EndUserId, KeyId, OrgId, RequestId, Timestamp, UserId};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait as _,
};
use serde_json::Value;

use crate::StoreError;
use crate::engine::{Queued, QueuedIn};
use crate::entities::{self, At, audit_entry};
use crate::scope::Bounds;
use crate::store::Inner;
use crate::unit::AuditFacts;

/// What a change was about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// The id of what was changed; `None`: what the path names.
    pub subject: Option<String>,
    /// What changed; never a secret, and of personal data only the names of the members.
    pub detail: Value,
}

impl Audit {
    /// A change of what the path names, or of what the answer's `Location` names.
    pub fn detail(detail: Value) -> Self {
        Self { subject: None, detail }
    }

    /// A change of something that only the handler knows.
    pub fn about(subject: &impl ToString, detail: Value) -> Self {
        Self { subject: Some(subject.to_string()), detail }
    }
}

/// How a request was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// `None`: work without an answer.
    pub status: Option<u16>,
    /// The code of the problem; `None` for success.
    pub code: Option<Code>,
}

impl From<u16> for Outcome {
    fn from(status: u16) -> Self {
        Self { status: Some(status), code: None }
    }
}

impl From<Code> for Outcome {
    fn from(code: Code) -> Self {
        Self { status: Some(code.status()), code: Some(code) }
    }
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
    pub decision: Decision,
    pub method: String,
    pub route: String,
    pub path: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// The id of what was read or changed.
    pub subject: Option<String>,
    pub detail: Value,
    /// The HTTP status that was answered; `None` for work without an answer.
    pub status: Option<u16>,
    /// The code of the problem that was answered.
    pub code: Option<String>,
    pub created_at: Timestamp,
    /// The number of the seal over the row, and the row's place in its chain; `None` until it is sealed.
    pub seal: Option<i64>,
    pub position: Option<i64>,
}

impl AuditRow {
    /// The chain that the row belongs to.
    pub fn chain(&self) -> AuditChain {
        self.app.map(AuditChain::Application).or(self.org.map(AuditChain::Organization)).unwrap_or(AuditChain::Platform)
    }
}

pub(crate) fn row(
    store: &Inner,
    tenant: Option<Bounds>,
    facts: &AuditFacts,
    audit: Option<&Audit>,
    outcome: Outcome,
) -> audit_entry::ActiveModel {
    let text = |id: Option<String>| Set(id);
    let decision = outcome.status.map_or(Decision::Allowed, Decision::of_status);
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
        subject: Set(audit.and_then(|audit| audit.subject.clone()).or_else(|| facts.subject.clone())),
        detail: Set(entities::to_json(&audit.map_or(&Value::Null, |audit| &audit.detail))),
        status: Set(outcome.status.map(i64::from)),
        decision: Set(decision.as_str().to_owned()),
        code: Set(outcome.code.map(|code| code.as_str().to_owned())),
        created_at: Set(At(store.clock.now())),
        // The sealer's.
        chain: NotSet,
        seal: NotSet,
        position: NotSet,
    }
}

pub(crate) async fn insert(transaction: &impl ConnectionTrait, row: audit_entry::ActiveModel) -> Result<(), StoreError> {
    audit_entry::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// Rows that one statement carries at most. What is left over goes in halves of it, down to single rows: few texts, all kept prepared.
const MOST_AT_ONCE: usize = 32;

/// Inserts the rows in their order, many with one statement.
pub(crate) async fn insert_all(transaction: &impl ConnectionTrait, rows: Vec<audit_entry::ActiveModel>) -> Result<(), StoreError> {
    let mut rows = rows.into_iter();
    let mut size = MOST_AT_ONCE;
    while rows.len() > 0 {
        while size > rows.len() {
            size /= 2;
        }
        audit_entry::Entity::insert_many(rows.by_ref().take(size)).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// One row of the second lane.
pub(crate) struct QueuedAudit(pub(crate) audit_entry::ActiveModel);

#[async_trait]
impl Queued for QueuedAudit {
    type Output = ();
    /// A new row that refers to none.
    const WAITS: bool = false;

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<(), StoreError> {
        within.record(self.0.clone());
        Ok(())
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
            decision: Decision::parse(&row.decision).ok_or(StoreError::Corrupt { what: WHAT })?,
            method: row.method,
            route: row.route,
            path: row.path,
            ip: row.ip,
            user_agent: row.user_agent,
            subject: row.subject,
            detail: entities::json(&row.detail, WHAT)?,
            status: row.status.map(u16::try_from).transpose().map_err(|_| StoreError::Corrupt { what: WHAT })?,
            code: row.code,
            created_at: row.created_at.0,
            seal: row.seal,
            position: row.position,
        })
    }
}
