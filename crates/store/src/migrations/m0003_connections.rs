//! Credentials of outside services: profiles, which own connections, and the keys that seal them.
//!
//! `place` (application or organization) and `holder` (the owner itself) repeat what the nullable columns say, and are never
//! null: over them a foreign key ties a connection to a profile of the very same owner.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const HELD: Tenancy<&str> = Tenancy::Held { org: "org_id", app: "app_id", owner: "owner", user: "user_id", end_user: "end_user_id" };

pub(super) const TABLES: &[Table] =
    &[Table::tenant("profiles", HELD), Table::tenant("connections", HELD), Table::platform("data_keys"), Table::platform("key_checks")];

const SQL: &str = "
CREATE TABLE profiles (
    id {id} NOT NULL CONSTRAINT profiles_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    app_id {id},
    owner TEXT NOT NULL CHECK (owner IN ('user', 'end_user', 'application', 'organization')),
    user_id {id},
    end_user_id {id},
    place {id} NOT NULL,
    holder {id} NOT NULL,
    name TEXT NOT NULL,
    is_default {bool} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CHECK ((owner = 'organization') = (app_id IS NULL)),
    CHECK ((owner = 'user') = (user_id IS NOT NULL)),
    CHECK ((owner = 'end_user') = (end_user_id IS NOT NULL)),
    CHECK (place = COALESCE(app_id, org_id)),
    CHECK (holder = COALESCE(user_id, end_user_id, app_id, org_id)),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, user_id) REFERENCES members (org_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, end_user_id) REFERENCES end_users (app_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX profiles_place_holder_id ON profiles (place, holder, id);
CREATE UNIQUE INDEX profiles_place_holder ON profiles (place, holder) WHERE is_default;
CREATE INDEX profiles_newest ON profiles (place, created_at DESC, id DESC);
CREATE INDEX profiles_by_app ON profiles (org_id, app_id);
CREATE INDEX profiles_by_user ON profiles (org_id, user_id);
CREATE INDEX profiles_by_end_user ON profiles (app_id, end_user_id);

CREATE TABLE connections (
    id {id} NOT NULL CONSTRAINT connections_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    app_id {id},
    owner TEXT NOT NULL CHECK (owner IN ('user', 'end_user', 'application', 'organization')),
    user_id {id},
    end_user_id {id},
    place {id} NOT NULL,
    holder {id} NOT NULL,
    profile_id {id} NOT NULL,
    provider {id} NOT NULL,
    provider_owner {id} NOT NULL,
    auth_mode TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    scopes TEXT NOT NULL,
    needs_reconnection {bool} NOT NULL,
    expires_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CHECK ((owner = 'organization') = (app_id IS NULL)),
    CHECK ((owner = 'user') = (user_id IS NOT NULL)),
    CHECK ((owner = 'end_user') = (end_user_id IS NOT NULL)),
    CHECK (place = COALESCE(app_id, org_id)),
    CHECK (holder = COALESCE(user_id, end_user_id, app_id, org_id)),
    CHECK (provider_owner IN ('system', org_id)),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (place, holder, profile_id) REFERENCES profiles (place, holder, id) ON DELETE CASCADE,
    FOREIGN KEY (provider_owner, provider) REFERENCES packages (owner, name) DEFERRABLE INITIALLY DEFERRED
){strict};
CREATE UNIQUE INDEX connections_profile_id_provider ON connections (profile_id, provider);
CREATE UNIQUE INDEX connections_place_id ON connections (place, id);
CREATE INDEX connections_newest ON connections (place, created_at DESC, id DESC);
CREATE INDEX connections_by_profile ON connections (place, holder, profile_id);
CREATE INDEX connections_by_app ON connections (org_id, app_id);
CREATE INDEX connections_by_provider ON connections (provider_owner, provider);

CREATE TABLE data_keys (
    id {id} NOT NULL CONSTRAINT data_keys_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    app_id {id},
    end_user_id {id},
    holder {id} NOT NULL,
    master_key TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    created_at {time} NOT NULL,
    CHECK (end_user_id IS NULL OR app_id IS NOT NULL),
    CHECK (holder = COALESCE(end_user_id, app_id, org_id)),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, end_user_id) REFERENCES end_users (app_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX data_keys_holder ON data_keys (holder);
CREATE INDEX data_keys_by_org ON data_keys (org_id, app_id);
CREATE INDEX data_keys_by_end_user ON data_keys (app_id, end_user_id);

CREATE TABLE key_checks (
    master_key TEXT NOT NULL CONSTRAINT key_checks_master_key PRIMARY KEY,
    sealed {bytes} NOT NULL,
    created_at {time} NOT NULL
){strict};
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        protect(manager, TABLES).await
    }
}
