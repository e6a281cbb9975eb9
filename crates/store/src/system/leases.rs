//! Work of which one node at a time may do a piece: held by name until a moment, told apart by epoch.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, Statement, UpdateMany};

use super::System;
use crate::StoreError;
use crate::engine::{Lane, Opened};
use crate::entities::{At, lease};

/// A node's hold on one kind of work. Whoever takes it over has a higher epoch, and this hold writes nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: &'static str,
    holder: String,
    epoch: i64,
}

impl Lease {
    fn update(&self) -> UpdateMany<lease::Entity> {
        let update = lease::Entity::update_many().filter(lease::Column::Name.eq(self.name));
        update.filter(lease::Column::Holder.eq(self.holder.as_str())).filter(lease::Column::Epoch.eq(self.epoch))
    }

    /// Whether this is still the current hold. On PostgreSQL nobody can take it over before the transaction ends.
    pub(crate) async fn is_held(&self, transaction: &DatabaseTransaction) -> Result<bool, StoreError> {
        let touched = self.update().col_expr(lease::Column::Epoch, Expr::col(lease::Column::Epoch)).exec(transaction).await?;
        Ok(touched.rows_affected == 1)
    }
}

impl System<'_> {
    /// Takes the lease, or extends it, until `by` from now. `None`: another holder has it.
    pub async fn hold_lease(&self, name: &'static str, holder: &str, by: Duration) -> Result<Option<Lease>, StoreError> {
        const HOLD: &str = "INSERT INTO leases (name, holder, epoch, held_until) VALUES ($1, $2, 1, $3)
            ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until, holder = excluded.holder,
                epoch = leases.epoch + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
            WHERE leases.holder = excluded.holder OR leases.held_until <= $4
            RETURNING epoch";
        let inner = &self.store.inner;
        let now = inner.clock.now();
        let values = [name.into(), holder.into(), (now + by).timestamp_millis().into(), now.timestamp_millis().into()];
        let Opened { transaction, permit } = inner.engine.write(None, Lane::Background).await?;
        let row = transaction.query_one_raw(Statement::from_sql_and_values(inner.engine.backend(), HOLD, values)).await?;
        let epoch = row.map(|row| row.try_get_by_index(0)).transpose()?;
        transaction.commit().await?;
        drop(permit);
        Ok(epoch.map(|epoch| Lease { name, holder: holder.to_owned(), epoch }))
    }

    /// Gives the lease back, so that another node need not wait for its end. One that is lost already stays lost.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let inner = &self.store.inner;
        let Opened { transaction, permit } = inner.engine.write(None, Lane::Background).await?;
        lease.update().col_expr(lease::Column::HeldUntil, Expr::val(At(inner.clock.now()))).exec(&transaction).await?;
        transaction.commit().await?;
        drop(permit);
        Ok(())
    }
}
