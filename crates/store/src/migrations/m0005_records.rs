//! What happened (`events`), what must be done (`jobs`), who did it (`audit_entries`), what was answered (`idempotency_records`).
//!
//! None of them refers to its subject by a foreign key: they outlive it.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const TRACE: Tenancy<&str> = Tenancy::Trace { org: "org_id", app: "app_id", end_user: "end_user_id" };

pub(super) const TABLES: &[Table] = &[
    Table::tenant("events", TRACE),
    Table::tenant("jobs", TRACE),
    Table::tenant("audit_entries", TRACE),
    Table::tenant("idempotency_records", TRACE),
];

const SQL: &str = "
CREATE TABLE events (
    position {serial},
    id {id} NOT NULL,
    org_id {id} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    app_id {id},
    end_user_id {id},
    kind TEXT NOT NULL,
    subject {id} NOT NULL,
    run_id {id},
    seq {int},
    data TEXT NOT NULL,
    created_at {time} NOT NULL,
    CHECK ((run_id IS NULL) = (seq IS NULL)),
    CHECK (run_id IS NULL OR app_id IS NOT NULL),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_run_id_seq ON events (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX events_by_app ON events (app_id, position);
CREATE INDEX events_by_org ON events (org_id, position);

CREATE TABLE jobs (
    id {id} NOT NULL CONSTRAINT jobs_id PRIMARY KEY,
    org_id {id} REFERENCES organizations (id) ON DELETE CASCADE,
    app_id {id},
    end_user_id {id},
    kind TEXT NOT NULL,
    subject {id} NOT NULL,
    payload TEXT NOT NULL,
    due_at {time} NOT NULL,
    attempts {int} NOT NULL,
    epoch {int} NOT NULL,
    worker TEXT,
    leased_until {time},
    created_at {time} NOT NULL,
    finished_at {time},
    failure TEXT,
    CHECK ((worker IS NULL) = (leased_until IS NULL)),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX jobs_due ON jobs (kind, due_at, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_by_subject ON jobs (subject);
CREATE INDEX jobs_by_org ON jobs (org_id, app_id);

CREATE TABLE audit_entries (
    id {id} NOT NULL CONSTRAINT audit_entries_id PRIMARY KEY,
    org_id {id},
    app_id {id},
    end_user_id {id},
    request_id {id} NOT NULL,
    key_id {id},
    user_id {id},
    permission TEXT NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    path TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    subject {id},
    detail TEXT NOT NULL,
    status {int},
    created_at {time} NOT NULL
){strict};
CREATE INDEX audit_entries_by_org ON audit_entries (org_id, created_at DESC, id DESC);
CREATE INDEX audit_entries_by_app ON audit_entries (app_id, created_at DESC, id DESC);

CREATE TABLE idempotency_records (
    id {id} NOT NULL CONSTRAINT idempotency_records_id PRIMARY KEY,
    org_id {id} REFERENCES organizations (id) ON DELETE CASCADE,
    app_id {id},
    end_user_id {id},
    fingerprint {bytes} NOT NULL,
    status {int} NOT NULL,
    body {bytes},
    created_at {time} NOT NULL,
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX idempotency_records_oldest ON idempotency_records (created_at);
CREATE INDEX idempotency_records_by_org ON idempotency_records (org_id, app_id);
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        // Readers of many runs go by (transaction_id, position) below the oldest running transaction, so that they never pass a
        // row that is still committing. SQLite commits in the order of position, one at a time.
        ddl::run_on_postgres(
            manager,
            "ALTER TABLE events ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id();
             CREATE INDEX events_by_app_in_order ON events (app_id, transaction_id, position);",
        )
        .await?;
        protect(manager, TABLES).await
    }
}
