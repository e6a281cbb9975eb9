//! The record that answers a repeated request: kept with the effect, in its own transaction (design/api.md).
//!
//! The record's primary key is what makes an effect happen once: a second one cannot commit its record, hence not its change.
//! Everything before that (the set of keys in flight, the advisory lock) only tells a repetition early.

use domain::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbBackend, EntityTrait as _, ExprTrait as _, QueryFilter as _, Statement,
};

use super::claim::{Progress, Record};
use super::{Claim, Draft, Earlier, Opened, Unit, Write, Writing};
use crate::StoreError;
use crate::entities::{At, idempotency_record};
use crate::failpoints::Point;
use crate::scope::Scope;
use crate::store::Inner;

/// How long a record answers.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// The status of a record that has no answer yet.
pub(super) const UNANSWERED: i64 = 0;

/// Outdated records that are deleted in one go; requests get the writer in between.
const PRUNED: u64 = 1_000;

impl Record {
    pub(super) fn id(&self) -> String {
        hex::encode(self.digest)
    }

    fn lock(&self) -> i64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.digest[..8]);
        i64::from_be_bytes(first)
    }

    pub(super) fn associated(&self, column: &str) -> Vec<u8> {
        format!("idempotency_records|{column}|{}", self.id()).into_bytes()
    }
}

/// What the database says about a key.
pub(super) enum Standing {
    Fresh,
    /// Answered so long ago that it counts no more.
    Expired,
    /// The intent that the asking claim has committed itself.
    Ours,
    /// An earlier request was cut off after its intent, and may be continued.
    Interrupted {
        attempt: i64,
        intent: Vec<u8>,
    },
    Earlier(Earlier),
}

/// Whether an answer with this status is kept: success, and refusals that the same query, version and body would meet again. A
/// content type is not among what a key's requests have in common, so 415 is none of those.
pub(super) fn is_kept(status: u16) -> bool {
    match status {
        401 | 403 | 408 | 409 | 413 | 415 | 429 => false,
        200..=299 | 400..=499 => true,
        _ => false,
    }
}

/// Reads what stands under the key.
pub(super) async fn look<C: ConnectionTrait>(
    store: &Inner,
    connection: &C,
    record: &Record,
    progress: Progress,
) -> Result<Standing, StoreError> {
    let Some(row) = idempotency_record::Entity::find_by_id(record.id()).one(connection).await? else {
        return Ok(Standing::Fresh);
    };
    let now = store.clock.now();
    if row.created_at.0 + KEPT <= now {
        return Ok(Standing::Expired);
    }
    if row.fingerprint != record.fingerprint {
        return Ok(Standing::Earlier(Earlier::Mismatch));
    }
    let open = |column: &str, sealed: Option<Vec<u8>>| {
        sealed.map(|sealed| store.sealer.open(&sealed, &record.associated(column)).map_err(StoreError::Seal)).transpose()
    };
    if let Some(until) = row.leased_until {
        return Ok(if progress == Progress::Intended(row.attempt) {
            Standing::Ours
        } else if until.0 > now {
            Standing::Earlier(Earlier::InFlight)
        } else if row.resumes {
            Standing::Interrupted { attempt: row.attempt, intent: open("intent", row.intent)?.unwrap_or_default() }
        } else {
            Standing::Earlier(Earlier::OutcomeUnknown)
        });
    }
    let status = u16::try_from(row.status).map_err(|_| StoreError::Corrupt { what: "the status of an idempotency record" })?;
    let body = open("body", row.body)?;
    Ok(Standing::Earlier(Earlier::Answered(Draft { status, body, location: row.location })))
}

impl<S: Scope> Write<S> {
    /// Decides, now that the transaction is open, whether the key is still free.
    pub(crate) async fn check_claim(mut self) -> Result<Opened<S>, StoreError> {
        let claim = self.state.context.claim.clone().expect("called with a claim");
        self.store.at(Point::Opened)?;
        let is_locked = match claim.progress() {
            // Its call was made: the result is not given up because somebody looks at the key in this moment.
            Progress::Intended(_) => self.wait_for_key(&claim).await.map(|()| true)?,
            Progress::None | Progress::TakenOver(_) => self.try_lock(&claim).await?,
        };
        let standing = if is_locked {
            look(&self.store, &self.transaction, claim.record(), claim.progress()).await?
        } else {
            Standing::Earlier(Earlier::InFlight)
        };
        match standing {
            Standing::Fresh | Standing::Ours => {}
            Standing::Expired => {
                idempotency_record::Entity::delete_by_id(claim.record().id()).exec(&self.transaction).await?;
            }
            Standing::Interrupted { attempt, intent } => {
                claim.advance(Progress::TakenOver(attempt));
                self.state.earlier_intent = Some(intent);
            }
            Standing::Earlier(earlier) => {
                // Not left to the drop, which would hold the key's lock a moment longer and refuse the next repetition.
                self.transaction.rollback().await?;
                return Ok(Opened::Earlier(earlier));
            }
        }
        self.store.at(Point::Checked)?;
        Ok(Opened::Fresh(Box::new(self)))
    }

    /// Takes the key's lock among nodes, until the transaction ends. SQLite has one node, and its keys in flight are known.
    async fn try_lock(&self, claim: &Claim) -> Result<bool, StoreError> {
        if self.store.engine.backend() != DbBackend::Postgres {
            return Ok(true);
        }
        let lock = [claim.record().lock().into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_try_advisory_xact_lock($1)", lock);
        let row = self.transaction.query_one_raw(statement).await?;
        Ok(row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)))
    }

    /// As [`Self::try_lock`], but waits for whoever holds it: at most one short transaction.
    pub(super) async fn wait_for_key(&self, claim: &Claim) -> Result<(), StoreError> {
        if self.store.engine.backend() == DbBackend::Postgres {
            let lock = [claim.record().lock().into()];
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", lock);
            self.transaction.execute_raw(statement).await?;
        }
        Ok(())
    }
}

/// The row of a key, as the unit's scope owns it.
pub(super) fn row<S: Scope>(unit: &Unit<S, Writing>, record: &Record) -> idempotency_record::ActiveModel {
    let tenant = unit.scope.tenant();
    idempotency_record::ActiveModel {
        id: Set(record.id()),
        org_id: Set(tenant.map(|bounds| bounds.org.to_string())),
        app_id: Set(tenant.and_then(|bounds| bounds.sight.app()).map(|app| app.to_string())),
        end_user_id: Set(tenant.and_then(|bounds| bounds.sight.end_user()).map(|id| id.to_string())),
        fingerprint: Set(record.fingerprint.to_vec()),
        status: Set(UNANSWERED),
        body: Set(None),
        location: Set(None),
        attempt: Set(0),
        resumes: Set(false),
        intent: Set(None),
        leased_until: Set(None),
        created_at: Set(At(unit.store.clock.now())),
    }
}

/// Writes the record of an answered key.
///
/// # Errors
/// [`StoreError::Conflict`] for a success whose key was answered meanwhile, [`StoreError::Overtaken`] for a stepped one whose lease
/// ran out; the caller's change must not commit then.
pub(super) async fn keep<S: Scope>(unit: &Unit<S, Writing>, claim: &Claim, answer: &Draft) -> Result<(), StoreError> {
    let record = claim.record();
    let sealed = match &answer.body {
        Some(body) => Some(unit.store.sealer.seal(body, &record.associated("body")).map_err(StoreError::Seal)?),
        None => None,
    };
    let answered = idempotency_record::ActiveModel {
        status: Set(i64::from(answer.status)),
        body: Set(sealed),
        location: Set(answer.location.clone()),
        ..row(unit, record)
    };
    if let Some(attempt) = claim.progress().attempt() {
        return replace(unit, record, attempt, answered).await;
    }
    let insert = idempotency_record::Entity::insert(answered);
    if answer.status >= 400 {
        // A refusal has nothing to lose: another node's answer, given between its rollback and this row, stands.
        let outdated = idempotency_record::Column::CreatedAt.lte(At(unit.store.clock.now() - KEPT));
        idempotency_record::Entity::delete_by_id(record.id()).filter(outdated).exec(&unit.transaction).await?;
        let nothing = OnConflict::column(idempotency_record::Column::Id).do_nothing().to_owned();
        insert.on_conflict(nothing).try_insert().exec_without_returning(&unit.transaction).await?;
    } else {
        insert.exec_without_returning(&unit.transaction).await?;
    }
    Ok(())
}

/// Replaces the unfinished row of this attempt.
pub(super) async fn replace<S: Scope>(
    unit: &Unit<S, Writing>,
    record: &Record,
    attempt: i64,
    row: idempotency_record::ActiveModel,
) -> Result<(), StoreError> {
    use idempotency_record::Column;
    // Whose row it is does not change with its state.
    let row = idempotency_record::ActiveModel {
        org_id: sea_orm::ActiveValue::NotSet,
        app_id: sea_orm::ActiveValue::NotSet,
        end_user_id: sea_orm::ActiveValue::NotSet,
        ..row
    };
    let update = idempotency_record::Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(record.id()))
        .filter(Column::Attempt.eq(attempt))
        .filter(Column::LeasedUntil.is_not_null());
    if update.exec(&unit.transaction).await?.rows_affected == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

/// Gives the attempt up: the next request with the key need not wait for its lease.
pub(super) async fn end_lease<S: Scope>(unit: &Unit<S, Writing>, claim: &Claim) -> Result<(), StoreError> {
    use idempotency_record::Column;
    let Some(attempt) = claim.progress().attempt() else { return Ok(()) };
    idempotency_record::Entity::update_many()
        .col_expr(Column::LeasedUntil, Expr::val(At(unit.store.clock.now())))
        .filter(Column::Id.eq(claim.record().id()))
        .filter(Column::Attempt.eq(attempt))
        .filter(Column::LeasedUntil.is_not_null())
        .exec(&unit.transaction)
        .await?;
    Ok(())
}

/// Forgets the attempt: the key is as if it had never been used.
pub(super) async fn forget<S: Scope>(unit: &Unit<S, Writing>, claim: &Claim) -> Result<(), StoreError> {
    use idempotency_record::Column;
    let Some(attempt) = claim.progress().attempt() else { return Ok(()) };
    idempotency_record::Entity::delete_by_id(claim.record().id()).filter(Column::Attempt.eq(attempt)).exec(&unit.transaction).await?;
    Ok(())
}

/// Deletes the record if it no longer answers, whosever it is: a refusal and a success of the same request may be written in different
/// scopes, and on PostgreSQL the one does not reach the other's.
pub(super) async fn forget_expired(store: &Inner, record: &Record) -> Result<(), StoreError> {
    let crate::engine::Opened { transaction, permit } = store.engine.write(None, crate::engine::Lane::Requests).await?;
    let outdated = idempotency_record::Column::CreatedAt.lte(At(store.clock.now() - KEPT));
    idempotency_record::Entity::delete_by_id(record.id()).filter(outdated).exec(&transaction).await?;
    transaction.commit().await?;
    drop(permit);
    Ok(())
}

/// Deletes the records that no longer answer.
pub(crate) async fn prune(store: &Inner, now: Timestamp) -> Result<u64, StoreError> {
    use idempotency_record::Column;
    let mut deleted = 0;
    loop {
        let oldest = Query::select()
            .column(Column::Id)
            .from(idempotency_record::Entity)
            .and_where(Expr::col(Column::CreatedAt).lte(At(now - KEPT)))
            .limit(PRUNED)
            .to_owned();
        let crate::engine::Opened { transaction, permit } = store.engine.write(None, crate::engine::Lane::Background).await?;
        let delete = idempotency_record::Entity::delete_many().filter(Column::Id.in_subquery(oldest));
        let batch = delete.exec(&transaction).await?.rows_affected;
        transaction.commit().await?;
        drop(permit);
        deleted += batch;
        if batch < PRUNED {
            return Ok(deleted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_same_request_would_meet_again_is_kept() {
        for status in [200, 201, 202, 204, 400, 404, 405, 410, 422] {
            assert!(is_kept(status), "{status}");
        }
        for status in [101, 301, 401, 403, 408, 409, 413, 415, 429, 500, 502, 503] {
            assert!(!is_kept(status), "{status}");
        }
    }
}
