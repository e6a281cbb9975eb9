//! A request's claim on its idempotency key: from the check of its permission to its answer.
//!
//! While a claim lives, no other request of this process gets the key. Other nodes are kept away by the advisory lock of the write
//! ([`super::idempotency`]) and, while a stepped request calls out, by the lease in its record ([`super::stepped`]).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::{AppId, OrgId};
use sha2::{Digest as _, Sha256};

use super::Draft;
use super::idempotency::{self, Standing};
use crate::scope::Scope;
use crate::unit::WriteContext;
use crate::{Store, StoreError};

/// A client's promise that a repeated request is the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub key: String,
    /// The organization and the application of the caller, where it is in one.
    pub org: Option<OrgId>,
    pub app: Option<AppId>,
    /// Who promises: the user, or the key and its end-user. Texts that differ for different principals.
    pub principal: String,
    pub method: String,
    /// The real path.
    pub path: String,
    /// SHA-256 of query, version and body.
    pub fingerprint: [u8; 32],
}

/// Names the record of a key within organization, application, principal, method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(super) digest: [u8; 32],
    pub(super) fingerprint: [u8; 32],
}

impl IdempotencyKey {
    fn record(&self) -> Record {
        let mut hash = Sha256::new();
        let org = self.org.map(|org| org.to_string()).unwrap_or_default();
        let app = self.app.map(|app| app.to_string()).unwrap_or_default();
        for part in [org.as_str(), &app, &self.principal, &self.method, &self.path, &self.key] {
            // Lengths in front, so that no two lists of parts make the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Record { digest: hash.finalize().into(), fingerprint: self.fingerprint }
    }
}

/// What became of an earlier request with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It was answered: the same answer again.
    Answered(Draft),
    /// It is being answered right now.
    InFlight,
    /// It was another request.
    Mismatch,
    /// It was cut off while another service was being called, and cannot be repeated.
    OutcomeUnknown,
}

/// What a claim meets.
#[derive(Debug)]
pub enum Claimed {
    /// Never answered: do it.
    Fresh(Claim),
    Earlier(Earlier),
}

/// The keys in flight in this process, with the fingerprints of their requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlightKeys(Arc<Mutex<HashMap<[u8; 32], [u8; 32]>>>);

impl InFlightKeys {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], [u8; 32]>> {
        self.0.lock().expect("nothing panics while it holds the keys")
    }

    fn enter(&self, record: &Record) -> Result<InFlight, Earlier> {
        let mut keys = self.lock();
        match keys.get(&record.digest) {
            Some(fingerprint) if *fingerprint == record.fingerprint => Err(Earlier::InFlight),
            Some(_) => Err(Earlier::Mismatch),
            None => {
                keys.insert(record.digest, record.fingerprint);
                Ok(InFlight { keys: self.clone(), digest: record.digest })
            }
        }
    }
}

/// Marks a key as in flight in this process, until dropped.
#[derive(Debug)]
struct InFlight {
    keys: InFlightKeys,
    digest: [u8; 32],
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.digest);
    }
}

/// A key that this request holds until its last clone is dropped.
#[derive(Clone, Debug)]
pub struct Claim(Arc<Held>);

#[derive(Debug)]
struct Held {
    record: Record,
    _guard: InFlight,
    is_settled: AtomicBool,
    progress: Mutex<Progress>,
}

/// The unfinished row that the claim stands on, by the number of its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is none.
    None,
    /// An earlier request was cut off after its intent; this one goes on from there.
    TakenOver(i64),
    /// This request has committed an intent.
    Intended(i64),
}

impl Progress {
    pub(super) fn attempt(self) -> Option<i64> {
        match self {
            Self::None => None,
            Self::TakenOver(attempt) | Self::Intended(attempt) => Some(attempt),
        }
    }
}

impl Claim {
    /// Whether the answer was kept.
    pub fn is_settled(&self) -> bool {
        self.0.is_settled.load(Ordering::Acquire)
    }

    pub(super) fn settle(&self) {
        self.0.is_settled.store(true, Ordering::Release);
    }

    pub(super) fn record(&self) -> &Record {
        &self.0.record
    }

    pub(super) fn progress(&self) -> Progress {
        *self.0.progress.lock().expect("nothing panics while it holds the progress")
    }

    pub(super) fn advance(&self, progress: Progress) {
        *self.0.progress.lock().expect("nothing panics while it holds the progress") = progress;
    }
}

impl Store {
    /// Claims the key for a request, before anything is done for it.
    ///
    /// Read as the platform, outside every tenant: the record's name is a digest of organization, application and principal, so
    /// the caller can name no record but its own.
    pub async fn claim(&self, key: &IdempotencyKey) -> Result<Claimed, StoreError> {
        let record = key.record();
        // Taken before the database is asked, so that a repetition is told at once.
        let guard = match self.inner.in_flight.enter(&record) {
            Ok(guard) => guard,
            Err(earlier) => return Ok(Claimed::Earlier(earlier)),
        };
        let standing = idempotency::look(&self.inner, self.inner.engine.reader(), &record, Progress::None).await?;
        if matches!(standing, Standing::Expired) {
            // As the platform: it may be of the organization, and the next one of an application, or the other way round.
            idempotency::forget_expired(&self.inner, &record).await?;
        }
        Ok(match standing {
            Standing::Earlier(earlier) => Claimed::Earlier(earlier),
            // Decided again under the lock of the write.
            Standing::Fresh | Standing::Expired | Standing::Ours | Standing::Interrupted { .. } => {
                let (is_settled, progress) = (AtomicBool::new(false), Mutex::new(Progress::None));
                Claimed::Fresh(Claim(Arc::new(Held { record, _guard: guard, is_settled, progress })))
            }
        })
    }

    /// Ends the claim of a request that no write has answered: a refusal that the same request would meet again is kept. Any other
    /// leaves the key as it was, and what a stepped request had begun to the next attempt.
    pub async fn settle<S: Scope>(&self, scope: &S, claim: &Claim, answer: &Draft) -> Result<(), StoreError> {
        let is_kept = idempotency::is_kept(answer.status) && answer.status >= 400;
        if claim.is_settled() || !(is_kept || matches!(claim.progress(), Progress::Intended(_))) {
            return Ok(());
        }
        let write = self.write(scope, WriteContext::internal()).await?;
        // A write of this request may have ended a moment ago, on its own connection, with the lock still in its hand.
        write.wait_for_key(claim).await?;
        if is_kept {
            idempotency::keep(&write, claim, answer).await?;
        } else {
            idempotency::end_lease(&write, claim).await?;
        }
        write.commit().await?;
        claim.settle();
        Ok(())
    }
}
