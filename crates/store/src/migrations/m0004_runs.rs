//! What runs are, cost and leave behind: the run rows and their specs, the ledger, state, memories, and the counters of lists.
//!
//! `runs.key_id` has no foreign key: a run outlives the key that started it. Ledger rows outlive their run.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};
use crate::scoped::Tenancy;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const PRIVATE: Tenancy<&str> = Tenancy::Private { org: "org_id", app: "app_id", end_user: "end_user_id" };

pub(super) const TABLES: &[Table] = &[
    Table::tenant("runs", PRIVATE),
    Table::tenant("run_specs", PRIVATE),
    Table::tenant("ledger_entries", PRIVATE),
    Table::tenant("run_states", PRIVATE),
    Table::tenant("memories", Tenancy::Memory { org: "org_id", app: "app_id", end_user: "end_user_id" }),
    Table::tenant("run_totals", Tenancy::Shared { org: "org_id", app: "app_id" }),
    Table::tenant("run_activity", Tenancy::Organization { org: "org_id" }),
];

const SQL: &str = "
CREATE TABLE runs (
    id {id} NOT NULL CONSTRAINT runs_id PRIMARY KEY,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    end_user_id {id},
    agent TEXT,
    version TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'success', 'failed', 'timeout', 'cancelled')),
    user_id {id} REFERENCES users (id) ON DELETE SET NULL,
    key_id {id},
    input TEXT NOT NULL,
    config TEXT NOT NULL,
    output TEXT,
    report TEXT,
    state TEXT,
    error TEXT,
    error_code TEXT,
    model_id {id},
    model_label TEXT NOT NULL,
    input_tokens {int} NOT NULL,
    output_tokens {int} NOT NULL,
    cache_read_tokens {int} NOT NULL,
    cache_write_tokens {int} NOT NULL,
    cost {int} NOT NULL CHECK (cost >= 0),
    rung TEXT,
    cancel_requested_at {time},
    created_at {time} NOT NULL,
    started_at {time},
    completed_at {time},
    next_seq {int} NOT NULL,
    lease_epoch {int} NOT NULL,
    lease_worker TEXT,
    lease_until {time},
    CHECK ((agent IS NULL) = (version IS NULL)),
    CHECK ((lease_worker IS NULL) = (lease_until IS NULL)),
    CHECK ((completed_at IS NULL) = (status IN ('pending', 'running'))),
    CHECK (completed_at IS NULL OR lease_worker IS NULL),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, end_user_id) REFERENCES end_users (app_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX runs_app_id_id ON runs (app_id, id);
CREATE INDEX runs_newest ON runs (org_id, app_id, created_at DESC, id DESC);
CREATE INDEX runs_newest_of_end_user ON runs (org_id, app_id, end_user_id, created_at DESC, id DESC);
CREATE INDEX runs_newest_of_agent ON runs (org_id, app_id, agent, created_at DESC, id DESC);
CREATE INDEX runs_by_end_user ON runs (app_id, end_user_id);
CREATE INDEX runs_by_user ON runs (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX runs_leased ON runs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX runs_cancelling ON runs (lease_worker) WHERE cancel_requested_at IS NOT NULL;

CREATE TABLE run_specs (
    run_id {id} NOT NULL CONSTRAINT run_specs_run_id PRIMARY KEY,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    end_user_id {id},
    spec TEXT NOT NULL,
    FOREIGN KEY (app_id, run_id) REFERENCES runs (app_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX run_specs_by_run ON run_specs (app_id, run_id);

CREATE TABLE ledger_entries (
    run_id {id} NOT NULL,
    entry {int} NOT NULL,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    end_user_id {id},
    state TEXT NOT NULL CHECK (state IN ('open', 'priced', 'unpriced', 'estimated')),
    reserved {int} NOT NULL CHECK (reserved >= 0),
    cost {int} NOT NULL CHECK (cost >= 0),
    input_tokens {int} NOT NULL,
    output_tokens {int} NOT NULL,
    cache_read_tokens {int} NOT NULL,
    cache_write_tokens {int} NOT NULL,
    opened_at {time} NOT NULL,
    settled_at {time},
    CONSTRAINT ledger_entries_run_id_entry PRIMARY KEY (run_id, entry),
    CHECK ((state = 'open') = (settled_at IS NULL)),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX ledger_entries_by_app ON ledger_entries (org_id, app_id, opened_at);

CREATE TABLE run_states (
    app_id {id} NOT NULL,
    agent TEXT NOT NULL,
    end_user_id {id},
    org_id {id} NOT NULL,
    state TEXT NOT NULL,
    run_id {id} NOT NULL,
    updated_at {time} NOT NULL,
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, end_user_id) REFERENCES end_users (app_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX run_states_app_id_agent_end_user_id ON run_states (app_id, agent, (coalesce(end_user_id, '')));
CREATE INDEX run_states_by_org ON run_states (org_id, app_id);
CREATE INDEX run_states_by_end_user ON run_states (app_id, end_user_id);

CREATE TABLE memories (
    id {id} NOT NULL CONSTRAINT memories_id PRIMARY KEY,
    org_id {id} NOT NULL,
    app_id {id} NOT NULL,
    end_user_id {id},
    agent TEXT NOT NULL,
    key TEXT,
    content TEXT NOT NULL,
    run_id {id} NOT NULL,
    created_at {time} NOT NULL,
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (app_id, end_user_id) REFERENCES end_users (app_id, id) ON DELETE CASCADE
){strict};
CREATE UNIQUE INDEX memories_app_id_id ON memories (app_id, id);
CREATE UNIQUE INDEX memories_app_id_agent_end_user_id_key ON memories (app_id, agent, (coalesce(end_user_id, '')), key) WHERE key IS NOT NULL;
CREATE INDEX memories_newest ON memories (org_id, app_id, agent, end_user_id, created_at DESC, id DESC);
CREATE INDEX memories_by_end_user ON memories (app_id, end_user_id);

CREATE TABLE run_totals (
    app_id {id} NOT NULL,
    owner {id} NOT NULL,
    shard {int} NOT NULL,
    org_id {id} NOT NULL,
    total {int} NOT NULL,
    CONSTRAINT run_totals_app_id_owner_shard PRIMARY KEY (app_id, owner, shard),
    FOREIGN KEY (org_id, app_id) REFERENCES applications (org_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX run_totals_by_org ON run_totals (org_id, app_id);

CREATE TABLE run_activity (
    org_id {id} NOT NULL CONSTRAINT run_activity_org_id PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    active {int} NOT NULL
){strict};
";

// Runs disappear by cascades (an end-user, an application is deleted), where no repository could keep the counters right.
const SQLITE_TRIGGERS: &str = "
CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN
    UPDATE run_totals SET total = total - 1
        WHERE app_id = OLD.app_id AND owner = '' AND shard = (SELECT min(shard) FROM run_totals WHERE app_id = OLD.app_id AND owner = '');
    UPDATE run_totals SET total = total - 1
        WHERE app_id = OLD.app_id AND owner = OLD.end_user_id AND shard = (SELECT min(shard) FROM run_totals WHERE app_id = OLD.app_id AND owner = OLD.end_user_id);
    UPDATE run_activity SET active = active - 1 WHERE org_id = OLD.org_id AND OLD.status IN ('pending', 'running');
END;
";

const POSTGRES_TRIGGERS: &str = "
CREATE FUNCTION count_deleted_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE run_totals SET total = total - 1
        WHERE app_id = OLD.app_id AND owner = '' AND shard = (SELECT min(shard) FROM run_totals WHERE app_id = OLD.app_id AND owner = '');
    UPDATE run_totals SET total = total - 1
        WHERE app_id = OLD.app_id AND owner = OLD.end_user_id AND shard = (SELECT min(shard) FROM run_totals WHERE app_id = OLD.app_id AND owner = OLD.end_user_id);
    UPDATE run_activity SET active = active - 1 WHERE org_id = OLD.org_id AND OLD.status IN ('pending', 'running');
    RETURN NULL;
END $$;
CREATE TRIGGER runs_deleted AFTER DELETE ON runs FOR EACH ROW EXECUTE FUNCTION count_deleted_run();
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await?;
        let triggers = if manager.get_database_backend() == DbBackend::Postgres { POSTGRES_TRIGGERS } else { SQLITE_TRIGGERS };
        manager.get_connection().execute_unprepared(triggers).await?;
        protect(manager, TABLES).await
    }
}
