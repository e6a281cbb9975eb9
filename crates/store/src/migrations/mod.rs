//! The tables, one list for both engines, one file per area. A released migration never changes.
//!
//! SQL is written once with the few words that differ in braces ([`ddl`]); row-level security is generated from each file's list
//! of tables ([`policy`]). Naming rule: a unique index is called `<table>_<column>_<column>…`, so that both engines name the same
//! collision the same way (see [`crate::constraint`]).

mod ddl;
mod m0001_identity;
mod m0002_packages;
mod m0003_connections;
mod m0004_runs;
mod m0005_records;
mod m0006_organizations;
mod m0007_accounts;
mod m0009_conventions;
mod m0011_streams;
mod m0012_audit_seals;
mod m0013_proxies;
mod m0014_upkeep;
pub(crate) mod policy;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_identity::Migration),
            Box::new(m0002_packages::Migration),
            Box::new(m0003_connections::Migration),
            Box::new(m0004_runs::Migration),
            Box::new(m0005_records::Migration),
            Box::new(m0006_organizations::Migration),
            Box::new(m0007_accounts::Migration),
            Box::new(m0009_conventions::Migration),
            Box::new(m0011_streams::Migration),
            Box::new(m0012_audit_seals::Migration),
            Box::new(m0013_proxies::Migration),
            Box::new(m0014_upkeep::Migration),
        ]
    }
}

/// Every table and whose its rows are, as the last migration that speaks of it has declared it.
#[cfg(feature = "unlock")]
pub(crate) fn tables() -> Vec<&'static policy::Table> {
    let mut latest = std::collections::BTreeMap::new();
    let released = [
        m0001_identity::TABLES,
        m0002_packages::TABLES,
        m0003_connections::TABLES,
        m0004_runs::TABLES,
        m0005_records::TABLES,
        m0006_organizations::TABLES,
        m0007_accounts::TABLES,
        m0011_streams::TABLES,
        m0012_audit_seals::TABLES,
        m0013_proxies::TABLES,
        m0014_upkeep::TABLES,
    ];
    for table in released.into_iter().flatten() {
        latest.insert(table.name, table);
    }
    latest.into_values().collect()
}
