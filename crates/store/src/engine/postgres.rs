//! PostgreSQL: one pool whose login user owns the tables, and the role that tenant work switches to.

use std::pin::Pin;
use std::str::FromStr as _;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqlxPostgresConnector, Statement};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres, SqlSafeStr as _, Transaction};
use tokio::runtime::Handle;

use super::direct;
use crate::StoreError;
use crate::scope::Bounds;

/// The role of all tenant work. It owns nothing, so the policies hold for it. Roles belong to the cluster, not to a database.
pub(crate) const TENANT_ROLE: &str = "appstrate_tenant";

/// How often the role is tried when other processes start on the same cluster at the same moment.
const ROLE_ATTEMPTS: u32 = 5;

pub(super) async fn connect(url: &str, connections: u32) -> Result<DatabaseConnection, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Options(error.to_string()))?
        .statement_cache_capacity(500)
        .application_name("appstrate");
    let pool = PgPoolOptions::new()
        // One holds the migration lock while another looks at the role.
        .max_connections(connections.max(2))
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                // A round trip for each request is too much; a connection that rested may have been cut.
                if meta.idle_for > Duration::from_secs(15) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// Makes sure that the role exists, is harmless, and may be assumed by the login user.
///
/// # Errors
/// [`StoreError::RoleMissing`] with the statements for a superuser.
pub(super) async fn ensure_role(connection: &DatabaseConnection) -> Result<(), StoreError> {
    for _ in 0..ROLE_ATTEMPTS {
        if may_assume_role(connection).await? {
            return Ok(());
        }
        // Each may fail because another process does the same at this moment, or for want of rights; the look above decides.
        for statement in [format!("CREATE ROLE {TENANT_ROLE} NOLOGIN"), format!("GRANT {TENANT_ROLE} TO CURRENT_USER")] {
            if let Err(error) = connection.execute_unprepared(&statement).await {
                tracing::debug!(%error, statement, "the tenant role was not prepared by this statement");
            }
        }
    }
    if may_assume_role(connection).await? {
        return Ok(());
    }
    let user: String = one(connection, "SELECT session_user::text").await?;
    Err(StoreError::RoleMissing {
        statements: format!("CREATE ROLE {TENANT_ROLE} NOLOGIN;\nGRANT {TENANT_ROLE} TO \"{}\";", user.replace('"', "\"\"")),
    })
}

async fn may_assume_role(connection: &DatabaseConnection) -> Result<bool, StoreError> {
    let is_powerful: Option<bool> = {
        let sql = format!("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = '{TENANT_ROLE}'");
        match connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await? {
            Some(row) => Some(row.try_get_by_index(0)?),
            None => None,
        }
    };
    match is_powerful {
        None => return Ok(false),
        Some(true) => {
            return Err(StoreError::Options(format!("the role {TENANT_ROLE} is a superuser or bypasses row-level security; it must not")));
        }
        Some(false) => {}
    }
    one(connection, &format!("SELECT pg_has_role(session_user, '{TENANT_ROLE}', 'MEMBER')")).await
}

async fn one<T: sea_orm::TryGetable>(connection: &DatabaseConnection, sql: &str) -> Result<T, StoreError> {
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get_by_index(0)?)
}

const ENTER: &str = "SELECT set_config('app.org', $1, true), set_config('app.app', $2, true), set_config('app.reach', $3, true), \
                     set_config('app.user', $4, true), set_config('app.end_user', $5, true), \
                     set_config('role', 'appstrate_tenant', true)";

/// Switches the open transaction to the tenants' role and tells the policies who it is for, in one round trip.
pub(super) async fn enter(transaction: &impl ConnectionTrait, bounds: Bounds) -> Result<(), StoreError> {
    let values = settings(bounds).map(Into::into);
    transaction.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, ENTER, values)).await?;
    Ok(())
}

/// Opens a transaction that cannot write. `None`: as the platform.
///
/// To enter the tenant is a statement of its own: together with `BEGIN` it would be parsed and planned anew each time, which costs more
/// than the round trip.
pub(super) async fn read(pool: &PgPool, tenant: Option<Bounds>) -> Result<Transaction<'static, Postgres>, StoreError> {
    // Who gives up while they wait for a connection just leaves the queue.
    let connection = pool.acquire().await?;
    let mut transaction = Begun::new(Transaction::begin(connection, Some("BEGIN READ ONLY".into_sql_str()))).await?;
    if let Some(bounds) = tenant {
        let values = settings(bounds).map(Into::into);
        direct::one(&mut *transaction, Statement::from_sql_and_values(DbBackend::Postgres, ENTER, values)).await?;
    }
    Ok(transaction)
}

/// The begin of a transaction, which goes on to its end when its caller goes away.
///
/// sqlx 0.9 counts a transaction once `BEGIN` is answered: a begin that is dropped before would give the connection back with the
/// transaction open, role and tenant included, for the next one to find.
pub(super) struct Begun<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Begun<T> {
    pub(super) fn new(begin: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(begin.boxed()))
    }
}

impl<T: Send + 'static> Future for Begun<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let begin = self.0.as_mut().expect("a future is not polled after its end");
        let outcome = begin.poll_unpin(context);
        if outcome.is_ready() {
            self.0 = None;
        }
        outcome
    }
}

impl<T: Send + 'static> Drop for Begun<T> {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the connection with it.
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(rest.map(drop));
        }
    }
}

/// What the policies compare with: organization, application, reach, user, end-user.
fn settings(Bounds { org, sight }: Bounds) -> [String; 5] {
    let text = |id: Option<String>| id.unwrap_or_default();
    [
        org.to_string(),
        text(sight.app().map(|id| id.to_string())),
        sight.name().to_owned(),
        text(sight.user().map(|id| id.to_string())),
        text(sight.end_user().map(|id| id.to_string())),
    ]
}
