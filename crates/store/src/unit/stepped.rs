//! Work that must call out between two transactions.
//!
//! A transaction that waits for another service would hold its locks, and on SQLite the only writer, for as long as that service
//! likes. So a request that calls out is *stepped*:
//!
//! 1. [`Unit::intend`] commits in the key's record what is to be done, and that it has begun;
//! 2. the call is made, outside every transaction, bounded by [`Intent::within`];
//! 3. [`Step::conclude`] opens the write of the result, which is answered like every other.
//!
//! A request that is cut off between 1 and 3 (a crash, a client that hung up, a 5xx) leaves its record unanswered. Once the lease of
//! the attempt is over, the next request with the key goes on from the intent if the call may be repeated
//! ([`Repeat::Continue`], see [`Unit::earlier_intent`]); otherwise it is told [`super::Earlier::OutcomeUnknown`]. Without a key the
//! steps are the same and nothing is remembered.
//!
//! A request has one audit row, and it comes with the answer: in the transaction of the result, or from the edge when the call came to
//! nothing. What the log must tell even of a request that is cut off is therefore written with the result and not with the intent.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ActiveValue::Set, EntityTrait as _};

use super::claim::Progress;
use super::{Opened, Unit, Write, WriteContext, Writing, idempotency};
use crate::entities::{At, idempotency_record};
use crate::failpoints::Point;
use crate::records::audit::Audit;
use crate::scope::Scope;
use crate::store::Inner;
use crate::{Store, StoreError};

/// Whether a call that may or may not have been made can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It can: a look-up, or a call that the other side knows by its own key.
    Continue,
    /// It cannot: two would be two.
    Never,
}

/// What a request is about to do outside.
#[derive(Clone, Debug)]
pub struct Intent {
    pub repeat: Repeat,
    /// What a later attempt has to know to go on: ids that were given, never a secret that is not needed for it. Sealed.
    pub note: Vec<u8>,
    /// How long the call may take at most; another attempt is refused until then.
    pub within: Duration,
}

/// Proof that an intent is committed.
#[derive(Debug)]
pub struct Step<S: Scope> {
    store: Arc<Inner>,
    scope: S,
    context: WriteContext,
    /// What the handler has said about the change so far.
    audit: Option<Audit>,
}

impl<S: Scope> Unit<S, Writing> {
    /// The note of an earlier attempt that was cut off after its intent. `None`: this is the first.
    pub fn earlier_intent(&self) -> Option<&[u8]> {
        self.state.earlier_intent.as_deref()
    }

    /// Commits what was written so far, and that the call is about to be made. What was said for the audit row goes along.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] or [`StoreError::Overtaken`] when another attempt was faster; nothing is committed then.
    pub async fn intend(self, intent: Intent) -> Result<Step<S>, StoreError> {
        let (store, scope, context) = (Arc::clone(&self.store), self.scope.clone(), self.state.context.clone());
        let audit = self.state.audit.lock().expect("nothing panics while it holds the audit").take();
        let Some(claim) = context.claim.clone() else {
            self.commit_midway().await?;
            return Ok(Step { store, scope, context, audit });
        };
        let record = claim.record();
        let earlier = claim.progress().attempt();
        let attempt = earlier.unwrap_or_default() + 1;
        let note = store.sealer.seal(&intent.note, &record.associated("intent")).map_err(StoreError::Seal)?;
        let until = store.clock.now() + chrono::TimeDelta::from_std(intent.within).unwrap_or(chrono::TimeDelta::MAX / 2);
        let row = idempotency_record::ActiveModel {
            attempt: Set(attempt),
            resumes: Set(intent.repeat == Repeat::Continue),
            intent: Set(Some(note)),
            leased_until: Set(Some(At(until))),
            ..idempotency::row(&self, record)
        };
        match earlier {
            None => {
                idempotency_record::Entity::insert(row).exec_without_returning(&self.transaction).await?;
            }
            Some(earlier) => idempotency::replace(&self, record, earlier, row).await?,
        }
        self.store.at(Point::Intended)?;
        self.commit_midway().await?;
        claim.advance(Progress::Intended(attempt));
        Ok(Step { store, scope, context, audit })
    }
}

impl<S: Scope> Step<S> {
    /// Opens the write of the result.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when the call took longer than it was given and another attempt has begun.
    pub async fn conclude(self) -> Result<Write<S>, StoreError> {
        let store = Store { inner: self.store };
        match store.begin_write(&self.scope, self.context).await? {
            Opened::Fresh(write) => {
                if let Some(audit) = self.audit {
                    write.audit(audit);
                }
                Ok(*write)
            }
            Opened::Earlier(_) => Err(StoreError::Overtaken),
        }
    }

    /// Forgets the intent, because the call is known not to have been made: the key is as fresh as before.
    pub async fn abandon(self) -> Result<(), StoreError> {
        let Some(claim) = self.context.claim else { return Ok(()) };
        let store = Store { inner: self.store };
        let write = store.write(&self.scope, WriteContext::internal()).await?;
        idempotency::forget(&write, &claim).await?;
        write.commit().await?;
        claim.advance(Progress::None);
        Ok(())
    }
}
