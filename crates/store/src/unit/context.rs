//! Who makes a change, and under which promise not to make it twice.

use domain::{EndUserId, KeyId, RequestId, UserId};

/// What the audit log keeps about a request: who, through what, from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFacts {
    pub request: RequestId,
    /// The key that authenticated the request.
    pub key: Option<KeyId>,
    /// The signed-in user, or the creator of the key.
    pub user: Option<UserId>,
    /// The end-user on whose behalf it was made.
    pub end_user: Option<EndUserId>,
    /// The permission that the route asked for, or `public`.
    pub permission: String,
    pub method: String,
    /// The route's template.
    pub route: String,
    /// The real path, without query.
    pub path: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// A client's promise that a repeated request is the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub key: String,
    pub method: String,
    pub path: String,
    /// SHA-256 of query, version and body.
    pub fingerprint: [u8; 32],
    /// Who promises: the user, or the key and its end-user. Texts that differ for different principals.
    pub principal: String,
}

/// What surrounds a change.
#[derive(Clone, Debug, Default)]
pub struct WriteContext {
    /// `None`: the platform's own work, which leaves no audit row by itself.
    pub audit: Option<AuditFacts>,
    pub idempotency: Option<IdempotencyKey>,
}

impl WriteContext {
    /// The platform's own work: workers, schedulers, tests.
    pub fn internal() -> Self {
        Self::default()
    }

    pub fn of(audit: AuditFacts) -> Self {
        Self { audit: Some(audit), idempotency: None }
    }

    #[must_use]
    pub fn once(self, key: Option<IdempotencyKey>) -> Self {
        Self { idempotency: key, ..self }
    }
}
