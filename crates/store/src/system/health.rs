//! Whether the database answers.

use sea_orm::{ConnectionTrait as _, Statement};

use super::System;
use crate::StoreError;

/// How many unsealed rows are counted at most.
const MOST_UNSEALED: i64 = 10_000;

/// What is under way, for whoever watches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Runs of all organizations that have not ended.
    pub active_runs: u64,
    /// Rows of the audit log without a seal, counted up to 10,000.
    pub unsealed_rows: u64,
}

impl System<'_> {
    /// What is under way. Cheap; for polling.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        const COUNT: &str = "SELECT CAST((SELECT coalesce(sum(active), 0) FROM run_activity) AS BIGINT),
            (SELECT count(*) FROM (SELECT 1 FROM audit_entries WHERE seal IS NULL LIMIT $1) unsealed)";
        let engine = &self.store.inner.engine;
        let count = Statement::from_sql_and_values(engine.backend(), COUNT, [MOST_UNSEALED.into()]);
        let row = engine.reader().query_one_raw(count).await?.ok_or(StoreError::Corrupt { what: "a count" })?;
        let number = |index| row.try_get_by_index::<i64>(index).map(|number| u64::try_from(number).unwrap_or(0));
        Ok(Backlog { active_runs: number(0)?, unsealed_rows: number(1)? })
    }

    /// One round trip to the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let engine = &self.store.inner.engine;
        engine.reader().query_one_raw(Statement::from_string(engine.backend(), "SELECT 1")).await?;
        Ok(())
    }
}
