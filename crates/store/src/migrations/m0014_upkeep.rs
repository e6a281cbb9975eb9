//! What goes with deleted runs: the counters of lists, told once for each statement, and the list of runs whose blobs have to follow.
//! And an index for the audit log of an organization, which holds what belongs to no application.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;
use super::policy::{Table, protect};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

pub(super) const TABLES: &[Table] = &[Table::platform("deleted_runs")];

const SQL: &str = "
CREATE TABLE deleted_runs (
    run_id {id} NOT NULL CONSTRAINT deleted_runs_run_id PRIMARY KEY
){strict};
CREATE INDEX audit_entries_by_org_alone ON audit_entries (org_id, created_at DESC, id DESC) WHERE app_id IS NULL;
";

// SQLite knows no triggers of statements, and one row that is updated often costs it nothing more.
const SQLITE_TRIGGERS: &str = "
DROP TRIGGER runs_deleted;
CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN
    UPDATE run_activity SET active = active - 1 WHERE org_id = OLD.org_id AND OLD.status IN ('pending', 'running');
    UPDATE run_totals SET total = total - 1
        WHERE app_id = OLD.app_id AND owner = '' AND shard = (SELECT min(shard) FROM run_totals WHERE app_id = OLD.app_id AND owner = '');
    UPDATE run_totals SET total = total - 1
        WHERE app_id = OLD.app_id AND owner = OLD.end_user_id AND shard = (SELECT min(shard) FROM run_totals WHERE app_id = OLD.app_id AND owner = OLD.end_user_id);
    INSERT INTO deleted_runs (run_id) VALUES (OLD.id);
END;
";

// A row that one transaction updates once for each run leaves as many versions behind, and each update walks over all of them. The
// counter of the organization comes first, as it does where a run is created: the same order of locks. The function runs as the owner
// of the tables: no tenant may write the list.
const POSTGRES_TRIGGERS: &str = "
DROP TRIGGER runs_deleted ON runs;
DROP FUNCTION count_deleted_run();
CREATE FUNCTION count_deleted_runs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE run_activity SET active = run_activity.active - gone.runs
        FROM (SELECT org_id, count(*) AS runs FROM deleted WHERE status IN ('pending', 'running') GROUP BY org_id) AS gone
        WHERE run_activity.org_id = gone.org_id;
    UPDATE run_totals SET total = run_totals.total - gone.runs
        FROM (SELECT app_id, '' AS owner, count(*) AS runs FROM deleted GROUP BY app_id
              UNION ALL SELECT app_id, end_user_id, count(*) FROM deleted WHERE end_user_id IS NOT NULL GROUP BY app_id, end_user_id) AS gone
        WHERE run_totals.app_id = gone.app_id AND run_totals.owner = gone.owner
          AND run_totals.shard = (SELECT min(least.shard) FROM run_totals AS least WHERE least.app_id = gone.app_id AND least.owner = gone.owner);
    INSERT INTO deleted_runs (run_id) SELECT id FROM deleted;
    RETURN NULL;
END $$;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION count_deleted_runs() SET search_path = %I, pg_temp', current_schema());
END $$;
CREATE TRIGGER runs_deleted AFTER DELETE ON runs REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_runs();
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
