//! Who makes a change, under which promise not to make it twice, and in which form it is answered.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{EndUserId, KeyId, RequestId, UserId};

use super::{Claim, Draft};

/// What the audit log keeps about a request: who, through what, from where.
#[derive(Clone, Debug)]
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
    /// The id of what the path names, if it names something.
    pub subject: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub recorded: Recorded,
}

/// Whether a request has its row. Copies of the same facts share it, so that whoever answers last knows what others have committed.
#[derive(Clone, Debug, Default)]
pub struct Recorded(Arc<AtomicBool>);

impl Recorded {
    pub fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Release);
    }
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
    /// What the audit row says was answered when the unit is committed instead of answered: a service commits, its route answers.
    pub status: Option<u16>,
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
    pub fn answering(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
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
