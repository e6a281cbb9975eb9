//! The order of locks between whoever writes an end-user's run and whoever deletes the end-user.
//!
//! A deletion locks the end-user's row first, then its runs, then the counters. A run that is created or ends holds run and counters
//! when it comes to rows that refer to the end-user (the run itself, state, memories); so it takes the end-user first as well.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::StoreError;
use crate::scoped::Tenant;
use crate::unit::Writing;

/// Keeps the scope's end-user from being deleted until this transaction ends, or waits until it is. Without an end-user, and on SQLite
/// with its one writer, nothing.
pub(super) async fn hold(tenant: &Tenant<'_, Writing>) -> Result<(), StoreError> {
    const HOLD: &str = "SELECT 1 FROM end_users WHERE app_id = $1 AND id = $2 FOR KEY SHARE";
    let sight = tenant.bounds.sight;
    let (Some(app), Some(own)) = (sight.app(), sight.end_user()) else { return Ok(()) };
    if tenant.store.engine.backend() == DbBackend::Postgres {
        let values = [app.to_string().into(), own.to_string().into()];
        tenant.transaction.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, HOLD, values)).await?;
    }
    Ok(())
}
