//! Invitations into an organization, and the index by which a deleted end-user's events are found.
//!
//! An invitation that is cancelled or replaced is deleted; one that was accepted stays, so that its link says so.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] = &[Table::tenant("invitations", Tenancy::Organization { org: "org_id" })];

const SQL: &str = "
CREATE TABLE invitations (
    id {id} NOT NULL CONSTRAINT invitations_id PRIMARY KEY,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
    token_hash {bytes} NOT NULL,
    delivery TEXT NOT NULL CHECK (delivery IN ('link', 'sending', 'sent', 'failed')),
    invited_by {id} REFERENCES users (id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    accepted_at {time}
){strict};
CREATE UNIQUE INDEX invitations_token_hash ON invitations (token_hash);
CREATE UNIQUE INDEX invitations_org_id_email ON invitations (org_id, email) WHERE accepted_at IS NULL;
CREATE INDEX invitations_newest ON invitations (org_id, created_at DESC, id DESC) WHERE accepted_at IS NULL;
CREATE INDEX invitations_by_inviter ON invitations (invited_by) WHERE invited_by IS NOT NULL;

-- Events of runs are found by their run; these few are not, and the many must not pay for them.
CREATE INDEX events_by_end_user ON events (app_id, end_user_id) WHERE run_id IS NULL AND end_user_id IS NOT NULL;
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        protect(manager, TABLES).await
    }
}
