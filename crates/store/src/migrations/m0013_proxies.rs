//! Outbound proxies of an organization, and who has chosen which.
//!
//! A choice may name a proxy of the environment, or none at all, so it is a text. Where it names a row, a reference with a foreign key
//! stands beside it, so that a proxy in use cannot be deleted: in `proxy_defaults` itself, and for installations (whose rows an
//! organization's scope does not see) in `proxy_uses`.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const ORGANIZATION: Tenancy<&str> = Tenancy::Organization { org: "org_id" };

pub(super) const TABLES: &[Table] =
    &[Table::tenant("proxies", ORGANIZATION), Table::tenant("proxy_defaults", ORGANIZATION), Table::tenant("proxy_uses", ORGANIZATION)];

const SQL: &str = "
CREATE TABLE proxies (
    id {id} NOT NULL CONSTRAINT proxies_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    shown TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    enabled {bool} NOT NULL,
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX proxies_org_id_id ON proxies (org_id, id);
CREATE INDEX proxies_newest ON proxies (org_id, created_at DESC, id DESC);

CREATE TABLE proxy_defaults (
    org_id {id} NOT NULL CONSTRAINT proxy_defaults_org_id PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    choice {id} NOT NULL,
    proxy_id {id},
    CHECK (proxy_id IS NULL OR proxy_id = choice),
    FOREIGN KEY (org_id, proxy_id) REFERENCES proxies (org_id, id) DEFERRABLE INITIALLY DEFERRED
){strict};
CREATE INDEX proxy_defaults_by_proxy ON proxy_defaults (org_id, proxy_id);

CREATE TABLE proxy_uses (
    app_id {id} NOT NULL,
    package {id} NOT NULL,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    proxy_id {id} NOT NULL,
    CONSTRAINT proxy_uses_app_id_package PRIMARY KEY (app_id, package),
    FOREIGN KEY (app_id, package) REFERENCES installations (app_id, package) ON DELETE CASCADE,
    FOREIGN KEY (org_id, proxy_id) REFERENCES proxies (org_id, id) DEFERRABLE INITIALLY DEFERRED
){strict};
CREATE INDEX proxy_uses_by_proxy ON proxy_uses (org_id, proxy_id);

ALTER TABLE installations ADD COLUMN proxy_id {id};
ALTER TABLE runs ADD COLUMN proxy_id {id};
ALTER TABLE runs ADD COLUMN proxy_label TEXT;
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        protect(manager, TABLES).await
    }
}
