//! Whether the database answers.

use sea_orm::{ConnectionTrait as _, Statement};

use super::System;
use crate::StoreError;

impl System<'_> {
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
