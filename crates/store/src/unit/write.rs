//! Finishing a write: the only ways out are an answer, a commit, or a rollback.

use std::sync::Mutex;

use super::{InFlight, Record, Wakes, WriteContext, Writing};
use super::{Unit, Write, idempotency};
use crate::StoreError;
use crate::records::audit::{self, Audit};
use crate::scope::Scope;

/// What an open write carries besides its transaction.
#[derive(Debug)]
pub struct WriteState {
    pub(crate) context: WriteContext,
    pub(crate) idempotency: Option<(Record, InFlight)>,
    /// What the change was about, for its audit row.
    pub(crate) audit: Mutex<Option<Audit>>,
}

impl WriteState {
    pub(crate) fn new(context: WriteContext, idempotency: Option<(Record, InFlight)>) -> Self {
        Self { context, idempotency, audit: Mutex::default() }
    }
}

/// How a write under an idempotency key begins.
#[derive(Debug)]
pub enum Opened<S: Scope> {
    /// Never answered: do it.
    Fresh(Box<Write<S>>),
    /// Answered before: the same status and body.
    Replay { status: u16, body: Option<Vec<u8>> },
    /// Being answered right now.
    InFlight,
    /// The key was used for another request.
    Mismatch,
}

impl<S: Scope> Opened<S> {
    /// The unit, if the key is fresh.
    pub fn fresh(self) -> Option<Write<S>> {
        match self {
            Self::Fresh(write) => Some(*write),
            Self::Replay { .. } | Self::InFlight | Self::Mismatch => None,
        }
    }
}

/// Proof that a write was answered. Only [`Write::reply`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    pub status: u16,
    /// Opaque here; what a replay gives back.
    pub body: Option<Vec<u8>>,
}

impl<S: Scope> Unit<S, Writing> {
    /// Says what the change was about, for the audit row that [`Self::reply`] writes. The last call counts.
    pub fn audit(&self, audit: Audit) {
        *self.state.audit.lock().expect("nothing panics while it holds the audit") = Some(audit);
    }

    /// Answers: commits change, events, jobs, audit row and idempotency record together, and wakes who waits for them.
    ///
    /// A status of 400 and above rolls the change back first; the audit row is written all the same, and the record if the same
    /// request would be refused again.
    pub async fn reply(self, status: u16, body: Option<Vec<u8>>) -> Result<Reply, StoreError> {
        let unit = if status >= 400 { self.start_over().await? } else { self };
        if let Some((record, _)) = &unit.state.idempotency
            && idempotency::is_kept(status)
        {
            idempotency::keep(&unit, record, status, body.as_deref()).await?;
        }
        unit.finish(Some(status)).await?;
        Ok(Reply { status, body })
    }

    /// Commits work that has no HTTP answer (workers). A unit under an idempotency key must be answered instead.
    pub async fn commit(self) -> Result<(), StoreError> {
        debug_assert!(self.state.idempotency.is_none(), "a unit under an idempotency key ends with a reply");
        self.finish(None).await
    }

    async fn finish(self, status: Option<u16>) -> Result<(), StoreError> {
        let audit = self.state.audit.lock().expect("nothing panics while it holds the audit").take();
        if let Some(facts) = &self.state.context.audit {
            let row = audit::row(&self.store, self.scope.tenant(), facts, audit.as_ref(), status);
            audit::insert(&self.transaction, row).await?;
        }
        let Unit { transaction, permit, store, wakes, state, .. } = self;
        transaction.commit().await?;
        drop(permit);
        drop(state);
        wakes.deliver(&store.live);
        Ok(())
    }

    /// Forgets every change and goes on in a new transaction, on SQLite without giving the turn away.
    async fn start_over(self) -> Result<Self, StoreError> {
        let Unit { transaction, permit, store, scope, state, .. } = self;
        transaction.rollback().await?;
        let opened = store.engine.write_again(scope.tenant(), permit).await?;
        Ok(Unit { transaction: opened.transaction, permit: opened.permit, store, scope, wakes: Wakes::default(), state })
    }
}
