//! Who there is: users and their sessions, organizations with members and applications, keys, end-users.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Rows, Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] = &[
    Table { name: "users", rows: Rows::Members("id, email, name") },
    Table::platform("sessions"),
    Table::tenant("organizations", Tenancy::Organization { org: "id" }),
    Table::tenant("members", Tenancy::Organization { org: "org_id" }),
    Table::tenant("applications", Tenancy::Organization { org: "org_id" }),
    Table::tenant("api_keys", Tenancy::Shared { org: "org_id", app: "app_id" }),
    Table::tenant("end_users", Tenancy::Private { org: "org_id", app: "app_id", end_user: "id" }),
];

const SQL: &str = "
CREATE TABLE users (
    id {id} NOT NULL CONSTRAINT users_id PRIMARY KEY,
    realm TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    email_verified {bool} NOT NULL,
    password_hash TEXT,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX users_realm_email ON users (realm, email);

CREATE TABLE sessions (
    id {id} NOT NULL CONSTRAINT sessions_id PRIMARY KEY,
    user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash {bytes} NOT NULL,
    ip TEXT,
    user_agent TEXT,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX sessions_token_hash ON sessions (token_hash);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE organizations (
    id {id} NOT NULL CONSTRAINT organizations_id PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX organizations_slug ON organizations (slug);

CREATE TABLE members (
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    joined_at {time} NOT NULL,
    CONSTRAINT members_org_id_user_id PRIMARY KEY (org_id, user_id)
){strict};
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE applications (
    id {id} NOT NULL CONSTRAINT applications_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    is_default {bool} NOT NULL,
    settings TEXT NOT NULL,
    created_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX applications_org_id_id ON applications (org_id, id);
CREATE UNIQUE INDEX applications_org_id ON applications (org_id) WHERE is_default;
CREATE INDEX applications_newest ON applications (org_id, created_at DESC, id DESC);

CREATE TABLE api_keys (
    id {id} NOT NULL CONSTRAINT api_keys_id PRIMARY KEY,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    name TEXT NOT NULL,
    hash {bytes} NOT NULL,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_by {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at {time} NOT NULL,
    expires_at {time},
    last_used_at {time},
    revoked_at {time},
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_app_id_id ON api_keys (app_id, id);
CREATE INDEX api_keys_newest ON api_keys (app_id, created_at DESC, id DESC);
CREATE INDEX api_keys_by_org ON api_keys (org_id, app_id);
CREATE INDEX api_keys_by_creator ON api_keys (created_by);

CREATE TABLE end_users (
    id {id} NOT NULL CONSTRAINT end_users_id PRIMARY KEY,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    external_id TEXT,
    name TEXT,
    email TEXT,
    metadata TEXT NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX end_users_app_id_id ON end_users (app_id, id);
CREATE UNIQUE INDEX end_users_app_id_external_id ON end_users (app_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX end_users_app_id_email ON end_users (app_id, email) WHERE email IS NOT NULL;
CREATE INDEX end_users_newest ON end_users (app_id, created_at DESC, id DESC);
CREATE INDEX end_users_by_org ON end_users (org_id, app_id);
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        protect(manager, TABLES).await
    }
}
