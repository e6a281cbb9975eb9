//! What an organization builds with: model providers' keys, models, packages with their versions, and what each application has
//! installed.
//!
//! References that do not cascade are deferred: a deleted organization takes both ends along, in whatever order.
//! `owner` is the organization's id or `system`: unlike `org_id` it is never null, so that foreign keys on it hold.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] = &[
    Table::tenant("provider_keys", Tenancy::Organization { org: "org_id" }),
    Table::tenant("models", Tenancy::Organization { org: "org_id" }),
    Table::tenant("packages", Tenancy::Catalog { org: "org_id" }),
    Table::tenant("package_versions", Tenancy::Catalog { org: "org_id" }),
    Table::tenant("installations", Tenancy::Shared { org: "org_id", app: "app_id" }),
];

const SQL: &str = "
CREATE TABLE provider_keys (
    id {id} NOT NULL CONSTRAINT provider_keys_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    protocol TEXT NOT NULL,
    base_url TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX provider_keys_org_id_id ON provider_keys (org_id, id);
CREATE INDEX provider_keys_newest ON provider_keys (org_id, created_at DESC, id DESC);

CREATE TABLE models (
    id {id} NOT NULL CONSTRAINT models_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    protocol TEXT NOT NULL,
    base_url TEXT NOT NULL,
    model TEXT NOT NULL,
    provider_key_id {id},
    context_window {int} NOT NULL,
    max_output_tokens {int} NOT NULL,
    reasoning {bool} NOT NULL,
    accepts_images {bool} NOT NULL,
    price TEXT,
    enabled {bool} NOT NULL,
    is_default {bool} NOT NULL,
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    FOREIGN KEY (org_id, provider_key_id) REFERENCES provider_keys (org_id, id) DEFERRABLE INITIALLY DEFERRED
){strict};
CREATE UNIQUE INDEX models_org_id_id ON models (org_id, id);
CREATE UNIQUE INDEX models_org_id ON models (org_id) WHERE is_default;
CREATE INDEX models_newest ON models (org_id, created_at DESC, id DESC);
CREATE INDEX models_by_key ON models (org_id, provider_key_id);

CREATE TABLE packages (
    name {id} NOT NULL CONSTRAINT packages_name PRIMARY KEY,
    owner {id} NOT NULL,
    org_id {id} REFERENCES organizations (id) ON DELETE CASCADE,
    package_type TEXT NOT NULL CHECK (package_type IN ('agent', 'skill', 'tool', 'provider')),
    latest_version_id {id},
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CHECK (owner = COALESCE(org_id, 'system'))
){strict};
CREATE UNIQUE INDEX packages_owner_name ON packages (owner, name);
CREATE INDEX packages_newest ON packages (org_id, package_type, created_at DESC, name DESC);

CREATE TABLE package_versions (
    id {id} NOT NULL CONSTRAINT package_versions_id PRIMARY KEY,
    owner {id} NOT NULL,
    org_id {id},
    package {id} NOT NULL,
    version {id} NOT NULL,
    integrity {id} NOT NULL,
    size_bytes {int} NOT NULL,
    manifest TEXT NOT NULL,
    content TEXT,
    blob {id} NOT NULL,
    lockfile TEXT NOT NULL,
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    CHECK (owner = COALESCE(org_id, 'system')),
    FOREIGN KEY (owner, package) REFERENCES packages (owner, name) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX package_versions_package_version ON package_versions (package, version);
CREATE UNIQUE INDEX package_versions_package_id ON package_versions (package, id);
CREATE INDEX package_versions_newest ON package_versions (package, created_at DESC, id DESC);
CREATE INDEX package_versions_by_owner ON package_versions (owner, package);

CREATE TABLE installations (
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    package {id} NOT NULL,
    package_owner {id} NOT NULL,
    version_id {id},
    config TEXT NOT NULL,
    -- May name a model of the environment, so it is no foreign key; it is looked up in the scope whenever it is used.
    model_id {id},
    enabled {bool} NOT NULL,
    installed_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CONSTRAINT installations_app_id_package PRIMARY KEY (app_id, package),
    CHECK (package_owner IN ('system', org_id)),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (package_owner, package) REFERENCES packages (owner, name) ON DELETE CASCADE,
    FOREIGN KEY (package, version_id) REFERENCES package_versions (package, id) DEFERRABLE INITIALLY DEFERRED
){strict};
CREATE INDEX installations_newest ON installations (app_id, installed_at DESC, package DESC);
CREATE INDEX installations_by_package ON installations (package_owner, package);
CREATE INDEX installations_by_version ON installations (package, version_id);
CREATE INDEX installations_by_org ON installations (org_id, app_id);
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        protect(manager, TABLES).await
    }
}
