//! Streams: tickets that open one, the order in which an end-user's events are read, and which ended runs were read.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] =
    &[Table::tenant("stream_tickets", Tenancy::Private { org: "org_id", app: "app_id", end_user: "end_user_id" })];

// Runs that ended before there were notifications are no news.
const SQL: &str = "
CREATE TABLE stream_tickets (
    token_hash {bytes} NOT NULL CONSTRAINT stream_tickets_token_hash PRIMARY KEY,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    end_user_id {id},
    key_id {id},
    session_id {id} REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at {time} NOT NULL,
    CHECK ((key_id IS NULL) <> (session_id IS NULL)),
    CHECK (end_user_id IS NULL OR key_id IS NOT NULL),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, end_user_id) REFERENCES end_users (app_id, id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, key_id) REFERENCES api_keys (app_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX stream_tickets_oldest ON stream_tickets (expires_at);
CREATE INDEX stream_tickets_by_org ON stream_tickets (org_id, app_id);
CREATE INDEX stream_tickets_by_end_user ON stream_tickets (app_id, end_user_id);
CREATE INDEX stream_tickets_by_key ON stream_tickets (app_id, key_id);
CREATE INDEX stream_tickets_by_session ON stream_tickets (session_id);

ALTER TABLE runs ADD COLUMN read_at {time};
UPDATE runs SET read_at = completed_at WHERE completed_at IS NOT NULL;
CREATE INDEX runs_unread ON runs (app_id, end_user_id, agent) WHERE completed_at IS NOT NULL AND read_at IS NULL;

-- The order in which an end-user's events are streamed finds the few without a run as well.
DROP INDEX events_by_end_user;
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        let order = if manager.get_database_backend() == DbBackend::Postgres { "transaction_id, position" } else { "position" };
        let index = format!("CREATE INDEX events_by_end_user ON events (end_user_id, {order}) WHERE end_user_id IS NOT NULL");
        manager.get_connection().execute_unprepared(&index).await?;
        protect(manager, TABLES).await
    }
}
