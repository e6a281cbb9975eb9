//! The record that answers a repeated request: kept with the effect, in its own transaction (design/api.md).

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use domain::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, Statement};
use sha2::{Digest as _, Sha256};

use super::{Opened, Unit, Write};
use crate::entities::{At, idempotency_record};
use crate::scope::{Bounds, Scope};
use crate::unit::IdempotencyKey;
use crate::{StoreError, store::Inner};

/// How long a record answers.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Names the record of a key within organization, application, principal, method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) digest: [u8; 32],
    fingerprint: [u8; 32],
}

impl IdempotencyKey {
    pub(crate) fn record(&self, tenant: Option<Bounds>) -> Record {
        let mut hash = Sha256::new();
        let org = tenant.map(|bounds| bounds.org.to_string()).unwrap_or_default();
        let app = tenant.and_then(|bounds| bounds.sight.app()).map(|app| app.to_string()).unwrap_or_default();
        for part in [org.as_str(), &app, &self.principal, &self.method, &self.path, &self.key] {
            // Lengths in front, so that no two lists of parts make the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Record { digest: hash.finalize().into(), fingerprint: self.fingerprint }
    }
}

impl Record {
    fn id(&self) -> String {
        hex::encode(self.digest)
    }

    fn lock(&self) -> i64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.digest[..8]);
        i64::from_be_bytes(first)
    }

    fn associated(&self) -> Vec<u8> {
        format!("idempotency_records|body|{}", self.id()).into_bytes()
    }
}

/// What the database says about a key.
enum Standing {
    Fresh,
    InFlight,
    Mismatch,
    Answered { status: u16, body: Option<Vec<u8>> },
}

/// Marks a key as in flight in this process, until dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    all: Arc<Mutex<HashSet<[u8; 32]>>>,
    digest: [u8; 32],
}

impl InFlight {
    /// `None`: the key is in flight already.
    pub(crate) fn enter(all: &Arc<Mutex<HashSet<[u8; 32]>>>, digest: [u8; 32]) -> Option<Self> {
        let is_new = all.lock().expect("nothing panics while it holds the set").insert(digest);
        is_new.then(|| Self { all: Arc::clone(all), digest })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.all.lock().expect("nothing panics while it holds the set").remove(&self.digest);
    }
}

/// Whether a reply with this status is kept: success, and refusals that the same request would meet again.
pub(super) fn is_kept(status: u16) -> bool {
    match status {
        401 | 403 | 408 | 409 | 413 | 429 => false,
        200..=299 | 400..=499 => true,
        _ => false,
    }
}

impl<S: Scope> Write<S> {
    /// Looks whether the key has been answered, or is being answered by another node.
    pub(crate) async fn claim_idempotency(self) -> Result<Opened<S>, StoreError> {
        let answer = match self.standing().await? {
            Standing::Fresh => return Ok(Opened::Fresh(Box::new(self))),
            Standing::InFlight => Opened::InFlight,
            Standing::Mismatch => Opened::Mismatch,
            Standing::Answered { status, body } => Opened::Replay { status, body },
        };
        // Not left to the drop, which would hold the key's lock a moment longer and refuse the next repetition.
        self.transaction.rollback().await?;
        Ok(answer)
    }

    async fn standing(&self) -> Result<Standing, StoreError> {
        let (record, _) = self.state.idempotency.as_ref().expect("called with a key");
        if self.store.engine.backend() == DbBackend::Postgres && !self.try_lock(record.lock()).await? {
            return Ok(Standing::InFlight);
        }
        let Some(row) = idempotency_record::Entity::find_by_id(record.id()).one(&self.transaction).await? else {
            return Ok(Standing::Fresh);
        };
        if row.created_at.0 + KEPT <= self.store.clock.now() {
            idempotency_record::Entity::delete_by_id(record.id()).exec(&self.transaction).await?;
            return Ok(Standing::Fresh);
        }
        if row.fingerprint != record.fingerprint {
            return Ok(Standing::Mismatch);
        }
        let status = u16::try_from(row.status).map_err(|_| StoreError::Corrupt { what: "the status of an idempotency record" })?;
        let body = match row.body {
            Some(sealed) => Some(self.store.sealer.open(&sealed, &record.associated()).map_err(StoreError::Seal)?),
            None => None,
        };
        Ok(Standing::Answered { status, body })
    }

    async fn try_lock(&self, lock: i64) -> Result<bool, StoreError> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_try_advisory_xact_lock($1)", [lock.into()]);
        let row = self.transaction.query_one_raw(statement).await?;
        Ok(row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)))
    }
}

/// Writes the record of an answered key.
pub(super) async fn keep<S: Scope>(
    unit: &Unit<S, super::Writing>,
    record: &Record,
    status: u16,
    body: Option<&[u8]>,
) -> Result<(), StoreError> {
    let tenant = unit.scope.tenant();
    let sealed = match body {
        Some(body) => Some(unit.store.sealer.seal(body, &record.associated()).map_err(StoreError::Seal)?),
        None => None,
    };
    let row = idempotency_record::ActiveModel {
        id: Set(record.id()),
        org_id: Set(tenant.map(|bounds| bounds.org.to_string())),
        app_id: Set(tenant.and_then(|bounds| bounds.sight.app()).map(|app| app.to_string())),
        end_user_id: Set(tenant.and_then(|bounds| bounds.sight.end_user()).map(|id| id.to_string())),
        fingerprint: Set(record.fingerprint.to_vec()),
        status: Set(i64::from(status)),
        body: Set(sealed),
        created_at: Set(At(unit.store.clock.now())),
    };
    // Between a refusal's rollback and this row another node may have answered; its answer stands.
    let nothing = OnConflict::column(idempotency_record::Column::Id).do_nothing().to_owned();
    idempotency_record::Entity::insert(row).on_conflict(nothing).try_insert().exec_without_returning(&unit.transaction).await?;
    Ok(())
}

/// Deletes the records that no longer answer.
pub(crate) async fn prune(store: &Inner, now: Timestamp) -> Result<u64, StoreError> {
    let crate::engine::Opened { transaction, permit } = store.engine.write(None, crate::engine::Lane::Background).await?;
    let deleted = idempotency_record::Entity::delete_many()
        .filter(idempotency_record::Column::CreatedAt.lte(At(now - KEPT)))
        .exec(&transaction)
        .await?
        .rows_affected;
    transaction.commit().await?;
    drop(permit);
    Ok(deleted)
}
