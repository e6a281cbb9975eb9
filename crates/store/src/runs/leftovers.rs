//! The blobs of runs that are gone. A trigger lists every deleted run with its deletion, however that came about; the blobs follow
//! after the commit, so that a deletion that is rolled back has deleted nothing.

use domain::RunId;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, Statement};

use crate::StoreError;
use crate::engine::{Lane, Opened};
use crate::entities::{deleted_run, parse};
use crate::store::Inner;
use crate::system::System;

/// Runs that are seen to in one go; requests get the writer in between.
const AT_ONCE: u64 = 500;

impl System<'_> {
    /// Deletes what runs that are gone have left among the blobs; of how many runs. Safe to race.
    pub async fn delete_leftovers(&self) -> Result<u64, StoreError> {
        let inner = &self.store.inner;
        let mut count = 0;
        loop {
            let rows = deleted_run::Entity::find().limit(AT_ONCE).all(inner.engine.reader()).await?;
            for row in &rows {
                inner.blobs.delete_of_run(parse(&row.run_id, "a deleted run")?).await?;
            }
            if !rows.is_empty() {
                let Opened { transaction, permit } = inner.engine.write(None, Lane::Background).await?;
                let done = deleted_run::Column::RunId.is_in(rows.iter().map(|row| row.run_id.as_str()));
                deleted_run::Entity::delete_many().filter(done).exec(&transaction).await?;
                transaction.commit().await?;
                drop(permit);
            }
            count += rows.len() as u64;
            if (rows.len() as u64) < AT_ONCE {
                return Ok(count);
            }
        }
    }
}

/// Lists the run once more if it is gone: its worker has put a blob down that may have come after everything was deleted.
pub(super) async fn note_if_gone(store: &Inner, run: RunId) -> Result<(), StoreError> {
    const NOTE: &str = "INSERT INTO deleted_runs (run_id) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = $1)
        ON CONFLICT (run_id) DO NOTHING";
    let Opened { transaction, permit } = store.engine.write(None, Lane::Background).await?;
    transaction.execute_raw(Statement::from_sql_and_values(store.engine.backend(), NOTE, [run.to_string().into()])).await?;
    transaction.commit().await?;
    drop(permit);
    Ok(())
}
