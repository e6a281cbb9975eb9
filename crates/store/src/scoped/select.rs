//! Reading rows of one tenant.

use sea_orm::sea_query::{Asterisk, Expr, Func, IntoCondition, IntoIden as _, Query, SelectStatement};
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, EntityTrait, IntoSimpleExpr, Order, PaginatorTrait as _, PartialModelTrait,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};

use super::Scoped;
use crate::{Page, Paged, StoreError};

/// A select that is already filtered. It can be narrowed, ordered and run, never unwrapped.
pub(crate) struct ScopedSelect<'u, E: EntityTrait> {
    pub(super) select: Select<E>,
    pub(super) transaction: &'u DatabaseTransaction,
}

impl<E: Scoped> ScopedSelect<'_, E> {
    pub(crate) fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.select = self.select.filter(condition);
        self
    }

    pub(crate) fn order_by(mut self, column: impl IntoSimpleExpr, order: Order) -> Self {
        self.select = self.select.order_by(column, order);
        self
    }

    /// Keeps the rows for this transaction: whoever would change or lock them too, or refer to them anew, waits until it ends. What
    /// is read after that wait is current. SQLite has one writer at a time and needs no lock.
    pub(crate) fn locked(mut self) -> Self {
        self.select = self.select.lock_exclusive();
        self
    }

    pub(crate) fn limit(mut self, count: u64) -> Self {
        self.select = self.select.limit(count);
        self
    }

    pub(crate) async fn one(self) -> Result<Option<E::Model>, StoreError> {
        Ok(self.select.one(self.transaction).await?)
    }

    /// Every row; for lists that are bounded by their nature or by [`Self::limit`].
    pub(crate) async fn all(self) -> Result<Vec<E::Model>, StoreError> {
        Ok(self.select.all(self.transaction).await?)
    }

    /// One page in the order given before, for lists whose total is known from elsewhere.
    pub(crate) async fn slice(self, page: Page) -> Result<Vec<E::Model>, StoreError> {
        Ok(self.select.limit(page.limit()).offset(page.offset()).all(self.transaction).await?)
    }

    /// One page in the order given before, and the total.
    pub(crate) async fn page(self, page: Page) -> Result<Paged<E::Model>, StoreError> {
        let total = self.select.clone().count(self.transaction).await?;
        let items = self.select.limit(page.limit()).offset(page.offset()).all(self.transaction).await?;
        Ok(Paged { items, total })
    }

    /// As [`Self::all`], with the columns of `P` only.
    pub(crate) async fn all_partial<P: PartialModelTrait>(self) -> Result<Vec<P>, StoreError> {
        Ok(self.select.into_partial_model::<P>().all(self.transaction).await?)
    }

    /// The query for one column, as part of another.
    pub(crate) fn only(self, column: E::Column) -> SelectStatement {
        self.select.select_only().column(column).into_query()
    }

    /// How many rows there are for each value of the column. A limit given before bounds what is counted.
    pub(crate) async fn count_by(self, column: E::Column) -> Result<Vec<(Option<String>, i64)>, StoreError> {
        let transaction = self.transaction;
        let value = column.into_iden();
        let mut count = Query::select();
        count.column(value.clone()).expr(Func::count(Expr::col(Asterisk))).from_subquery(self.only(column), "counted").group_by_col(value);
        let rows = transaction.query_all(&count).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }
}
