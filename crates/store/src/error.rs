//! What can go wrong in the store, without a word about HTTP.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::postgres::PgDatabaseError;

/// Why the store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique index refuses the row. `constraint` is the index's name, the same on both engines (see [`crate::constraint`]).
    #[error("the row collides with another one ({constraint})")]
    Conflict { constraint: String },
    /// The row refers to one that does not exist (in this tenant), or is still referred to.
    #[error("the row refers to one that does not exist, or is still in use")]
    Reference {
        #[source]
        source: Arc<DbErr>,
    },
    /// Other rows still refer to the row.
    #[error("the row is still in use")]
    InUse,
    /// The row would belong to an owner that the scope does not reach.
    #[error("the row belongs to an owner outside the scope")]
    OutOfReach,
    /// The database does not answer, or asks to try again.
    #[error("the database is not available")]
    Unavailable {
        #[source]
        source: Arc<DbErr>,
    },
    /// Another attempt at the same request has begun or was answered.
    #[error("another attempt at the request was faster")]
    Overtaken,
    /// The store was closed while work waited for it.
    #[error("the store is closed")]
    Closed,
    /// The options make no sense.
    #[error("the database settings are wrong: {0}")]
    Options(String),
    /// The login user may not switch to the tenants' role. `statements` are what a superuser has to run once.
    #[error("the database user may not use the role appstrate_tenant; let a superuser run:\n{statements}")]
    RoleMissing { statements: String },
    /// A stored value does not parse.
    #[error("{what} is stored in a form that cannot be read")]
    Corrupt { what: &'static str },
    /// A body could not be sealed or opened.
    #[error("a stored body could not be sealed or opened")]
    Seal(#[source] crate::SealError),
    /// A blob could not be written or read.
    #[error("a blob could not be written or read")]
    Blob(#[source] Arc<object_store::Error>),
    /// A file or folder could not be made.
    #[error("a file or folder could not be made")]
    File(#[source] Arc<std::io::Error>),
    /// Anything else that the database says; a defect here, not the caller's mistake.
    #[error("the database refused a statement")]
    Database {
        #[source]
        source: Arc<DbErr>,
    },
}

impl StoreError {
    /// Whether this is a collision on the given unique index.
    pub fn is_conflict(&self, on: &str) -> bool {
        matches!(self, Self::Conflict { constraint } if constraint == on)
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let kind = kind(&error);
        let source = Arc::new(error);
        match kind {
            Kind::Conflict(constraint) => Self::Conflict { constraint },
            Kind::Reference => Self::Reference { source },
            Kind::Unavailable => Self::Unavailable { source },
            Kind::Other => Self::Database { source },
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))).into()
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::File(Arc::new(error))
    }
}

enum Kind {
    Conflict(String),
    Reference,
    Unavailable,
    Other,
}

fn kind(error: &DbErr) -> Kind {
    let (DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))
    | DbErr::Conn(RuntimeErr::SqlxError(inner))) = error
    else {
        return if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) { Kind::Unavailable } else { Kind::Other };
    };
    match &**inner {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => postgres_kind(postgres),
            None => sqlite_kind(database.code().as_deref().unwrap_or_default(), database.message()),
        },
        // A connection that was cut in the middle of a message is told as one that does not keep to the protocol.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Kind::Unavailable,
        _ => Kind::Other,
    }
}

fn postgres_kind(error: &PgDatabaseError) -> Kind {
    // https://www.postgresql.org/docs/15/errcodes-appendix.html
    match error.code() {
        "23505" => Kind::Conflict(error.constraint().unwrap_or_default().to_owned()),
        "23503" => Kind::Reference,
        // Serialization failure, deadlock, lock not available; a full disk, no memory, too many connections; a database that lets
        // nobody in, or is read-only (a standby, or one that was told so because its disk is full); a statement that the operator or
        // a time limit ended, shutdown.
        "40001" | "40P01" | "55P03" | "53100" | "53200" | "53300" | "55000" | "25006" | "57014" | "57P01" | "57P02" | "57P03" => {
            Kind::Unavailable
        }
        connection if connection.starts_with("08") => Kind::Unavailable,
        _ => Kind::Other,
    }
}

fn sqlite_kind(code: &str, message: &str) -> Kind {
    // https://sqlite.org/rescode.html, extended codes.
    match code {
        "1555" | "2067" => Kind::Conflict(sqlite_index(message)),
        // SQLITE_CONSTRAINT_FOREIGNKEY, and _TRIGGER for RESTRICT.
        "787" | "1811" => Kind::Reference,
        _ if is_sqlite_unavailable(code) => Kind::Unavailable,
        _ => Kind::Other,
    }
}

/// SQLITE_BUSY, _LOCKED, _READONLY, _IOERR, _FULL, _CANTOPEN, whatever extends them: the low byte is the primary code.
fn is_sqlite_unavailable(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// SQLite names the columns, not the index: `UNIQUE constraint failed: users.realm, users.email` is `users_realm_email` by the
/// naming rule of our migrations. An index over expressions it does name: `index 'memories_…'`.
fn sqlite_index(message: &str) -> String {
    let columns = message.split_once("failed: ").map_or(message, |(_, columns)| columns);
    if let Some(name) = columns.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        return name.to_owned();
    }
    let mut name = String::new();
    for column in columns.split(", ") {
        let (table, column) = column.split_once('.').unwrap_or(("", column));
        if name.is_empty() {
            name.push_str(table);
        }
        name.push('_');
        name.push_str(column);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_file_that_cannot_be_written_or_read_is_unavailable() {
        for code in ["5", "261", "517", "773", "6", "262", "8", "1032", "10", "778", "3338", "13", "14"] {
            assert!(matches!(sqlite_kind(code, ""), Kind::Unavailable), "{code}");
        }
        for code in ["", "1", "11", "19", "1299", "26"] {
            assert!(matches!(sqlite_kind(code, ""), Kind::Other), "{code}");
        }
    }

    #[test]
    fn sqlite_columns_become_the_name_of_the_index() {
        assert_eq!(sqlite_index("UNIQUE constraint failed: users.realm, users.email"), "users_realm_email");
        assert_eq!(sqlite_index("UNIQUE constraint failed: organizations.slug"), "organizations_slug");
        assert_eq!(sqlite_index("UNIQUE constraint failed: index 'memories_by_key'"), "memories_by_key");
    }
}
