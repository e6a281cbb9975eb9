//! Finishing a write: the only ways out are an answer, a commit, or a rollback.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use domain::Code;

use super::{Earlier, Recorded, Unit, Wakes, Write, WriteContext, Writing, idempotency};
use crate::StoreError;
use crate::engine::Session;
use crate::failpoints::Point;
use crate::records::audit::{self, Audit, Outcome};
use crate::scope::{Bounds, Scope};

/// What an open write carries besides its transaction.
#[derive(Debug)]
pub struct WriteState {
    pub(crate) context: WriteContext,
    /// What the change was about, for its audit row.
    pub(crate) audit: Mutex<Option<Audit>>,
    pub(crate) earlier_intent: Option<Vec<u8>>,
    /// The organization that a write of the platform is about; its audit row stands there.
    pub(crate) about: OnceLock<Bounds>,
    /// The change deletes the tenant itself: no record that refers to it can be kept.
    pub(crate) tenant_is_gone: AtomicBool,
}

impl WriteState {
    pub(crate) fn new(context: WriteContext) -> Self {
        Self { context, audit: Mutex::default(), earlier_intent: None, about: OnceLock::new(), tenant_is_gone: AtomicBool::new(false) }
    }
}

/// How a write under an idempotency key begins.
#[derive(Debug)]
pub enum Opened<S: Scope> {
    /// Never answered: do it.
    Fresh(Box<Write<S>>),
    /// Another node was faster.
    Earlier(Earlier),
}

impl<S: Scope> Opened<S> {
    /// The unit, if the key is fresh.
    pub fn fresh(self) -> Option<Write<S>> {
        match self {
            Self::Fresh(write) => Some(*write),
            Self::Earlier(_) => None,
        }
    }
}

/// An answer before it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub status: u16,
    /// Opaque here; what a replay gives back.
    pub body: Option<Vec<u8>>,
    /// Where the created object is.
    pub location: Option<String>,
}

/// Proof that a write was answered. Only [`Write::answer`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    pub status: u16,
    pub body: Option<Vec<u8>>,
    pub location: Option<String>,
}

impl<S: Scope> Unit<S, Writing> {
    /// Says what the change was about, for the audit row that [`Self::answer`] writes. The last call counts.
    pub fn audit(&self, audit: Audit) {
        *self.state.audit.lock().expect("nothing panics while it holds the audit") = Some(audit);
    }

    /// Says what the change was about, unless that is said already.
    pub fn audit_subject(&self, subject: &str) {
        let mut audit = self.state.audit.lock().expect("nothing panics while it holds the audit");
        audit.get_or_insert_default().subject.get_or_insert_with(|| subject.to_owned());
    }

    /// As [`Self::answer`], without a location.
    pub async fn reply(self, status: u16, body: Option<Vec<u8>>) -> Result<Reply, StoreError> {
        self.answer(Draft { status, body, location: None }).await
    }

    /// Answers: commits change, events, jobs, audit row and idempotency record together, and wakes who waits for them. The reply,
    /// as it is kept, is in the form that the context asks for.
    ///
    /// A status of 400 and above rolls the change back first; the audit row is written all the same, and the record if the same
    /// request would be refused again.
    pub async fn answer(self, draft: Draft) -> Result<Reply, StoreError> {
        let draft = match &self.state.context.form {
            Some(form) => form.put(draft),
            None => draft,
        };
        self.store.at(Point::Answering)?;
        let unit = if draft.status >= 400 { self.start_over().await? } else { self };
        let is_kept = idempotency::is_kept(draft.status) && !unit.state.tenant_is_gone.load(Ordering::Relaxed);
        let claim = unit.state.context.claim.clone().filter(|_| is_kept);
        if let Some(claim) = &claim {
            idempotency::keep(&unit, claim, &draft).await?;
        }
        unit.store.at(Point::Kept)?;
        unit.finish(draft.status.into()).await?;
        if let Some(claim) = claim {
            claim.settle();
        }
        let Draft { status, body, location } = draft;
        Ok(Reply { status, body, location })
    }

    /// Commits work that has no HTTP answer (workers). A unit under an idempotency key must be answered instead.
    pub async fn commit(self) -> Result<(), StoreError> {
        debug_assert!(self.state.context.claim.is_none(), "a unit under an idempotency key ends with a reply");
        let status = self.state.context.status;
        self.finish(Outcome { status, code: None }).await
    }

    /// Commits what stands although the request is refused with this code, as its audit row says.
    pub async fn commit_refused(self, code: Code) -> Result<(), StoreError> {
        self.finish(code.into()).await
    }

    pub(super) async fn finish(self, outcome: Outcome) -> Result<(), StoreError> {
        let audit = self.state.audit.lock().expect("nothing panics while it holds the audit").take();
        if let Some(facts) = &self.state.context.audit {
            let tenant = self.scope.tenant().or_else(|| self.state.about.get().copied());
            let row = audit::row(&self.store, tenant, facts, audit.as_ref(), outcome);
            audit::insert(&self.transaction, row).await?;
        }
        self.store.at(Point::Audited)?;
        let recorded = self.state.context.audit.as_ref().map(|facts| facts.recorded.clone());
        self.close(recorded).await
    }

    /// Commits what stands in the middle of a request, whose one audit row comes with its answer.
    pub(super) async fn commit_midway(self) -> Result<(), StoreError> {
        self.close(None).await
    }

    async fn close(self, recorded: Option<Recorded>) -> Result<(), StoreError> {
        let Unit { transaction, permit, store, wakes, state, .. } = self;
        transaction.commit().await?;
        drop(permit);
        if let Some(recorded) = recorded {
            recorded.note();
        }
        drop(state);
        store.at(Point::Committed)?;
        wakes.deliver(&store.live);
        Ok(())
    }

    /// Forgets every change and goes on in a new transaction, on SQLite without giving the turn away.
    async fn start_over(self) -> Result<Self, StoreError> {
        let Unit { transaction, permit, store, scope, mut state, .. } = self;
        transaction.rollback().await?;
        (state.about, state.tenant_is_gone) = (OnceLock::new(), AtomicBool::new(false));
        let opened = store.engine.write_again(scope.tenant(), permit).await?;
        let transaction = Session::Transaction(opened.transaction);
        let unit: Self = Unit { transaction, permit: opened.permit, store, scope, wakes: Wakes::default(), state };
        if let Some(claim) = &unit.state.context.claim {
            // The lock went with the transaction.
            unit.wait_for_key(claim).await?;
        }
        Ok(unit)
    }
}
