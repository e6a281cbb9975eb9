//! The tables as code declares them, twice: by the migrations and by the entities.

use crate::entities::registry;
use crate::migrations::policy::Rows;
use crate::migrations::tables;
use crate::scope::InOrg;
use crate::{Store, StoreError};

/// A table of the migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub name: &'static str,
    /// Whose the rows are, printed; `None`: of the platform.
    pub tenancy: Option<String>,
}

/// A table of the entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    pub name: String,
    pub columns: Vec<String>,
    /// Whose the rows are, printed; `None`: of the platform.
    pub tenancy: Option<String>,
}

pub fn declared() -> Vec<Declared> {
    let tenancy = |rows| match rows {
        Rows::Platform | Rows::Members(_) => None,
        Rows::Tenant(tenancy) => Some(format!("{tenancy:?}")),
    };
    tables().into_iter().map(|table| Declared { name: table.name, tenancy: tenancy(table.rows) }).collect()
}

pub fn mapped() -> Vec<Mapped> {
    let turn = |entry: registry::Entry| Mapped {
        name: entry.table,
        columns: entry.columns,
        tenancy: entry.tenancy.map(|tenancy| format!("{tenancy:?}")),
    };
    registry::all().into_iter().map(turn).collect()
}

/// Whose a row is, as its columns say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    pub org: Option<String>,
    pub app: Option<String>,
    pub end_user: Option<String>,
    pub user: Option<String>,
}

/// Whose rows a scope sees of a table, through the same statements as its repositories.
///
/// # Panics
/// When the table is not one of tenants.
pub async fn seen<S: InOrg>(store: &Store, scope: &S, table: &str) -> Result<Vec<Owner>, StoreError> {
    let entry = registry::all().into_iter().find(|entry| entry.table == table).expect("a table that is declared is mapped");
    let seen = entry.seen.expect("a table of tenants");
    let unit = store.read(scope).await?;
    seen(unit.tenant()).await
}
