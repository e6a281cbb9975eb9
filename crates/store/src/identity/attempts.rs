//! How often something was tried, on all nodes together: guessing gets slower with each miss.

use chrono::TimeDelta;
use domain::Timestamp;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, Statement};
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::entities::{At, attempt};
use crate::scope::SystemScope;
use crate::unit::{Unit, Writing};

/// A bucket without an attempt for so long, after its last delay, begins anew.
const FORGOTTEN: TimeDelta = TimeDelta::hours(24);
/// Forgotten buckets that an attempt clears away: more than it makes, so that the table shrinks to what is alive.
const PRUNED: u64 = 20;

/// How often something may be tried: some times freely, then with delays that double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub free: u32,
    /// The delay after the last free attempt.
    pub first: TimeDelta,
    pub longest: TimeDelta,
}

impl Allowance {
    /// How long the bucket is closed after this many attempts.
    fn delay(self, count: i64) -> TimeDelta {
        let over = count - i64::from(self.free);
        if over < 0 {
            return TimeDelta::zero();
        }
        let doublings = u32::try_from(over).unwrap_or(u32::MAX);
        let factor = 2_i32.checked_pow(doublings).unwrap_or(i32::MAX);
        self.first.checked_mul(factor).map_or(self.longest, |delay| delay.min(self.longest))
    }
}

/// Something that is counted. Its name is kept as a hash only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptBucket {
    name: [u8; 32],
    allowance: Allowance,
}

impl AttemptBucket {
    /// `kind` says what is tried, `subject` by or against whom.
    pub fn new(kind: &str, subject: &str, allowance: Allowance) -> Self {
        let mut hash = Sha256::new();
        hash.update((kind.len() as u64).to_be_bytes());
        hash.update(kind.as_bytes());
        hash.update(subject.as_bytes());
        Self { name: hash.finalize().into(), allowance }
    }
}

/// What an attempt that has worked does to a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Opens it: what was tried has worked.
    Forget,
    /// Takes back this one attempt, and the delay that it brought; those before it still count.
    GiveBack,
}

/// The buckets of the platform, in a write of its own.
#[derive(Debug)]
pub struct Attempts<'u> {
    unit: &'u Unit<SystemScope, Writing>,
}

impl Unit<SystemScope, Writing> {
    pub fn attempts(&self) -> Attempts<'_> {
        Attempts { unit: self }
    }
}

impl Attempts<'_> {
    /// Counts an attempt in every bucket. `Some`: one of them is closed until then; drop the write, nothing counts.
    ///
    /// The attempt is counted before its outcome is known, so that attempts made at once cannot pass together. Buckets are taken in one
    /// order here and in [`Self::settle`], and forgotten ones are cleared away last, so that two writes never wait for each other.
    pub async fn take(&self, buckets: &[AttemptBucket]) -> Result<Option<Timestamp>, StoreError> {
        let now = self.unit.store.clock.now();
        let mut ordered = buckets.to_vec();
        ordered.sort_unstable_by_key(|bucket| bucket.name);
        let mut closed_until = None;
        for bucket in &ordered {
            closed_until = closed_until.max(self.count(bucket, now).await?);
        }
        if closed_until.is_none() {
            self.prune(now).await?;
        }
        Ok(closed_until)
    }

    async fn count(&self, bucket: &AttemptBucket, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        // One statement that makes the bucket or locks it: between two, another write could clear it away.
        const LOCK: &str = "INSERT INTO attempts (bucket, count, blocked_until, expires_at) VALUES ($1, 0, $2, $2)
             ON CONFLICT (bucket) DO UPDATE SET count = attempts.count RETURNING count, blocked_until, expires_at";
        let name = bucket.name.to_vec();
        let values = [name.clone().into(), now.timestamp_millis().into()];
        let lock = Statement::from_sql_and_values(self.unit.store.engine.backend(), LOCK, values);
        let row = self.unit.transaction.query_one_raw(lock).await?.ok_or(StoreError::Corrupt { what: "a count of attempts" })?;
        let (count, blocked_until, expires_at): (i64, At, At) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        if blocked_until.0 > now {
            return Ok(Some(blocked_until.0));
        }
        let count = if expires_at.0 <= now { 1 } else { count + 1 };
        let blocked_until = now + bucket.allowance.delay(count);
        self.set(name, count, blocked_until).await?;
        Ok(None)
    }

    async fn set(&self, bucket: Vec<u8>, count: i64, blocked_until: Timestamp) -> Result<(), StoreError> {
        use sea_orm::sea_query::Expr;
        let update = attempt::Entity::update_many().filter(attempt::Column::Bucket.eq(bucket));
        let update = update
            .col_expr(attempt::Column::Count, Expr::val(count))
            .col_expr(attempt::Column::BlockedUntil, Expr::val(At(blocked_until)))
            .col_expr(attempt::Column::ExpiresAt, Expr::val(At(blocked_until + FORGOTTEN)));
        update.exec(&self.unit.transaction).await?;
        Ok(())
    }

    async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        let backend = self.unit.store.engine.backend();
        let skip = if backend == DbBackend::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let delete = format!(
            "DELETE FROM attempts WHERE bucket IN
                 (SELECT bucket FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT {PRUNED}{skip})"
        );
        let statement = Statement::from_sql_and_values(backend, delete, [now.timestamp_millis().into()]);
        self.unit.transaction.execute_raw(statement).await?;
        Ok(())
    }

    /// Ends attempts that have worked, in every bucket at once and in the order of [`Self::take`].
    pub async fn settle(&self, buckets: &[(AttemptBucket, Settlement)]) -> Result<(), StoreError> {
        let mut ordered = buckets.to_vec();
        ordered.sort_unstable_by_key(|(bucket, _)| bucket.name);
        for (bucket, settlement) in &ordered {
            match settlement {
                Settlement::Forget => self.forget(bucket).await?,
                Settlement::GiveBack => self.give_back(bucket).await?,
            }
        }
        Ok(())
    }

    async fn forget(&self, bucket: &AttemptBucket) -> Result<(), StoreError> {
        attempt::Entity::delete_by_id(bucket.name.to_vec()).exec(&self.unit.transaction).await?;
        Ok(())
    }

    async fn give_back(&self, bucket: &AttemptBucket) -> Result<(), StoreError> {
        const GIVE_BACK: &str = "UPDATE attempts SET count = count - 1, blocked_until = $2 WHERE bucket = $1 AND count > 0";
        let values = [bucket.name.to_vec().into(), self.unit.store.clock.now().timestamp_millis().into()];
        let statement = Statement::from_sql_and_values(self.unit.store.engine.backend(), GIVE_BACK, values);
        self.unit.transaction.execute_raw(statement).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_after_the_free_attempts_up_to_the_longest() {
        let allowance = Allowance { free: 3, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(5) };
        let seconds: Vec<_> = (1..=13).map(|count| allowance.delay(count).num_seconds()).collect();
        assert_eq!(seconds, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(allowance.delay(i64::MAX), allowance.longest);
    }
}
