//! Changing and deleting rows of one tenant.

use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{DeleteMany, EntityTrait, QueryFilter as _, UpdateMany, Value};

use super::Scoped;
use crate::StoreError;
use crate::engine::Session;

/// An update that is already filtered.
pub(crate) struct ScopedUpdate<'u, E: EntityTrait> {
    pub(super) update: UpdateMany<E>,
    pub(super) transaction: &'u Session,
}

impl<E: Scoped> ScopedUpdate<'_, E> {
    pub(crate) fn set(self, column: E::Column, value: impl Into<Value>) -> Self {
        self.set_expression(column, Expr::val(value))
    }

    pub(crate) fn set_expression(mut self, column: E::Column, expression: Expr) -> Self {
        self.update = self.update.col_expr(column, expression);
        self
    }

    /// Sets the column if there is a value for it, as a partial update does.
    pub(crate) fn set_some(self, column: E::Column, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(column, value),
            None => self,
        }
    }

    pub(crate) fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.update = self.update.filter(condition);
        self
    }

    /// How many rows were changed.
    pub(crate) async fn run(self) -> Result<u64, StoreError> {
        Ok(self.update.exec(self.transaction).await?.rows_affected)
    }

    /// The rows as they are after the change.
    pub(crate) async fn returning(self) -> Result<Vec<E::Model>, StoreError> {
        Ok(self.update.exec_with_returning(self.transaction).await?)
    }

    /// The row after the change. `None`: no such row.
    pub(crate) async fn returning_one(self) -> Result<Option<E::Model>, StoreError> {
        Ok(self.returning().await?.pop())
    }
}

/// A delete that is already filtered.
pub(crate) struct ScopedDelete<'u, E: EntityTrait> {
    pub(super) delete: DeleteMany<E>,
    pub(super) transaction: &'u Session,
}

impl<E: Scoped> ScopedDelete<'_, E> {
    pub(crate) fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.delete = self.delete.filter(condition);
        self
    }

    /// How many rows were deleted, not counting those that a foreign key took along.
    pub(crate) async fn run(self) -> Result<u64, StoreError> {
        Ok(self.delete.exec(self.transaction).await?.rows_affected)
    }
}
