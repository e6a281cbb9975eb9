//! Reading rows of one tenant.

use std::fmt::Write as _;

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait as _, Func, IntoCondition, IntoIden as _, LockType, Query, SelectStatement};
use sea_orm::{
    ConnectionTrait as _, EntityTrait, FromQueryResult as _, IntoSimpleExpr, Order, PaginatorTrait as _, PartialModelTrait,
    QueryFilter as _, QueryOrder as _, QueryResult, QuerySelect as _, QueryTrait as _, Select,
};

use super::Scoped;
use crate::engine::Session;
use crate::{Page, Paged, StoreError};

/// A select that is already filtered. It can be narrowed, ordered and run, never unwrapped.
pub(crate) struct ScopedSelect<'u, E: EntityTrait> {
    pub(super) select: Select<E>,
    pub(super) transaction: &'u Session,
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

    /// As [`Self::locked`], but others may go on referring to the rows: for the row that writers of something else agree to wait on.
    pub(crate) fn held(mut self) -> Self {
        self.select = self.select.lock(LockType::NoKeyUpdate);
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
        let rows = rows_on(self.transaction, page, self.select.into_query()).await?;
        models::<E>(&rows)
    }

    /// One page in the order given before, for lists whose total is counted elsewhere: `total` finds it, a query for one number. Both
    /// come in one statement, unless the page is empty and there is no row to carry the number.
    pub(crate) async fn page_counted(self, page: Page, total: SelectStatement) -> Result<Paged<E::Model>, StoreError> {
        const TOTAL: &str = "total_of_all";
        let Self { select, transaction } = self;
        let query = select.expr_as(Expr::SubQuery(None, Box::new(total.clone().into())), TOTAL).into_query();
        let rows = rows_on(transaction, page, query).await?;
        let items = models::<E>(&rows)?;
        let count = match rows.first() {
            Some(row) => row.try_get::<Option<i64>>("", TOTAL)?,
            None => transaction.query_one(&total).await?.map(|row| row.try_get_by_index(0)).transpose()?.flatten(),
        };
        Ok(Paged { items, total: count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0) })
    }

    /// One page in the order given before, and the total.
    pub(crate) async fn page(self, page: Page) -> Result<Paged<E::Model>, StoreError> {
        let total = self.select.clone().count(self.transaction).await?;
        Ok(Paged { items: self.slice(page).await?, total })
    }

    /// As [`Self::all`], with the columns of `P` only.
    pub(crate) async fn all_partial<P: PartialModelTrait>(self) -> Result<Vec<P>, StoreError> {
        Ok(self.select.into_partial_model::<P>().all(self.transaction).await?)
    }

    /// The query for one column, as part of another.
    pub(crate) fn only(self, column: E::Column) -> SelectStatement {
        self.select.select_only().column(column).into_query()
    }

    /// The query for the sum of a column of whole numbers, as part of another. Without rows it is null.
    pub(crate) fn sum(self, column: E::Column) -> SelectStatement {
        // PostgreSQL sums BIGINT to NUMERIC.
        let mut sum = Query::select();
        let value = column.into_iden();
        sum.expr(Expr::col(value).sum().cast_as("BIGINT")).from_subquery(self.only(column), "summed");
        sum
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

/// The rows of one page of the query.
///
/// The first page, which is asked for most, has its size in the text: PostgreSQL knows then that few rows are wanted and keeps the plan,
/// where for a size among the values it would plan anew each time. A hundred sizes are few enough texts to be kept prepared.
async fn rows_on(session: &Session, page: Page, mut query: SelectStatement) -> Result<Vec<QueryResult>, StoreError> {
    let backend = session.get_database_backend();
    let statement = if page.offset() == 0 {
        let mut first = backend.build(&query);
        write!(first.sql, " LIMIT {}", page.limit()).expect("writing to text");
        first
    } else {
        backend.build(query.limit(page.limit()).offset(page.offset()))
    };
    Ok(session.query_all_raw(statement).await?)
}

fn models<E: EntityTrait>(rows: &[QueryResult]) -> Result<Vec<E::Model>, StoreError> {
    Ok(rows.iter().map(|row| E::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}
