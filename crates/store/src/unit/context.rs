//! Who makes a change, under which promise not to make it twice, and in which form it is answered.

use std::fmt;
use std::sync::Arc;

use domain::{EndUserId, KeyId, RequestId, UserId};

use super::{Claim, Draft};

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

/// Puts an answer into the form in which it leaves and is kept. The edge makes one: it knows which version its client speaks.
pub trait ReplyForm: fmt::Debug + Send + Sync {
    fn put(&self, draft: Draft) -> Draft;
}

/// What surrounds a change.
#[derive(Clone, Debug, Default)]
pub struct WriteContext {
    /// `None`: the platform's own work, which leaves no audit row by itself.
    pub audit: Option<AuditFacts>,
    /// The idempotency key that the request holds.
    pub claim: Option<Claim>,
    /// `None`: answers leave as they are written.
    pub form: Option<Arc<dyn ReplyForm>>,
}

impl WriteContext {
    /// The platform's own work: workers, schedulers, tests.
    pub fn internal() -> Self {
        Self::default()
    }

    pub fn of(audit: AuditFacts) -> Self {
        Self { audit: Some(audit), ..Self::default() }
    }

    #[must_use]
    pub fn under(self, claim: Option<Claim>) -> Self {
        Self { claim, ..self }
    }

    #[must_use]
    pub fn answered_in(self, form: Option<Arc<dyn ReplyForm>>) -> Self {
        Self { form, ..self }
    }
}
