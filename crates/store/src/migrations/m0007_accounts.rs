//! Accounts of platform users: tokens sent by mail, logins with others, and how often something was tried.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] = &[Table::platform("account_tokens"), Table::platform("login_identities"), Table::platform("attempts")];

const SQL: &str = "
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'fr'));

CREATE TABLE account_tokens (
    token_hash {bytes} NOT NULL CONSTRAINT account_tokens_token_hash PRIMARY KEY,
    user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL CHECK (purpose IN ('reset_password', 'verify_email')),
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL
){strict};
CREATE INDEX account_tokens_by_user ON account_tokens (user_id);

CREATE TABLE login_identities (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at {time} NOT NULL,
    CONSTRAINT login_identities_provider_subject PRIMARY KEY (provider, subject)
){strict};
CREATE INDEX login_identities_by_user ON login_identities (user_id);

CREATE TABLE attempts (
    bucket {bytes} NOT NULL CONSTRAINT attempts_bucket PRIMARY KEY,
    count {int} NOT NULL,
    blocked_until {time} NOT NULL,
    expires_at {time} NOT NULL
){strict};
CREATE INDEX attempts_oldest ON attempts (expires_at);
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        protect(manager, TABLES).await
    }
}
