//! Seals over the audit log: what a row says besides (`decision`, `code`), where it stands in its chain, and who signs.
//!
//! A row comes in without `chain`, `seal` and `position`; the sealer fills them once, of rows that are committed. So a row that commits
//! late is never passed over, and none is sealed twice. Seals outlive what they speak of: no foreign keys.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] = &[
    Table::tenant("audit_entries", Tenancy::Log { org: "org_id", app: "app_id", end_user: "end_user_id" }),
    Table::tenant("audit_seals", Tenancy::Seal { org: "org_id", app: "app_id" }),
    Table::platform("audit_keys"),
    Table::platform("leases"),
];

const SQL: &str = "
ALTER TABLE audit_entries ADD COLUMN decision TEXT NOT NULL DEFAULT 'allowed';
ALTER TABLE audit_entries ADD COLUMN code TEXT;
ALTER TABLE audit_entries ADD COLUMN chain {id};
ALTER TABLE audit_entries ADD COLUMN seal {int};
ALTER TABLE audit_entries ADD COLUMN position {int};
UPDATE audit_entries SET decision = 'denied' WHERE status IN (401, 403, 429);
CREATE INDEX audit_entries_unsealed ON audit_entries (id) WHERE seal IS NULL;
CREATE UNIQUE INDEX audit_entries_chain_position ON audit_entries (chain, position) WHERE position IS NOT NULL;

CREATE TABLE audit_seals (
    chain {id} NOT NULL,
    number {int} NOT NULL,
    org_id {id},
    app_id {id},
    first_position {int} NOT NULL,
    last_position {int} NOT NULL,
    row_count {int} NOT NULL,
    rows_digest TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL,
    key_id {id} NOT NULL,
    signature TEXT NOT NULL,
    sealed_at {time} NOT NULL,
    CONSTRAINT audit_seals_chain_number PRIMARY KEY (chain, number)
){strict};

CREATE TABLE audit_keys (
    id {id} NOT NULL CONSTRAINT audit_keys_id PRIMARY KEY,
    public_key TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    created_at {time} NOT NULL
){strict};

CREATE TABLE leases (
    name {id} NOT NULL CONSTRAINT leases_name PRIMARY KEY,
    holder {id} NOT NULL,
    epoch {int} NOT NULL,
    held_until {time} NOT NULL
){strict};
";

/// What the tenants' role may write of a row: never its place in the chain.
const INSERTABLE: &str = "id, org_id, app_id, end_user_id, request_id, key_id, user_id, permission, decision, method, route, path, ip, \
                          user_agent, subject, detail, status, code, created_at";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        ddl::run_on_postgres(
            manager,
            "REVOKE ALL ON audit_entries FROM appstrate_tenant;
             DROP POLICY tenant_read ON audit_entries;
             DROP POLICY tenant_insert ON audit_entries;
             DROP POLICY tenant_update ON audit_entries;
             DROP POLICY tenant_delete ON audit_entries;",
        )
        .await?;
        protect(manager, TABLES).await?;
        let narrow = format!(
            "REVOKE INSERT ON audit_entries FROM appstrate_tenant; GRANT INSERT ({INSERTABLE}) ON audit_entries TO appstrate_tenant;"
        );
        ddl::run_on_postgres(manager, &narrow).await
    }
}
