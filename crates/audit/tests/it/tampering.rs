//! Whatever is changed past the server is found.

use audit::{AuditError, Finding, KeyTrust, Options, Pin, Report, Sealer, Selection, SigningKey};
use sea_orm::DbBackend;

use crate::world::{Masters, Tenant, World};

/// Three seals of four rows each, and two rows without a seal; beside them another tenant's log.
struct Log {
    world: World,
    acme: Tenant,
    globex: Tenant,
}

impl Log {
    async fn each() -> Vec<Self> {
        let mut logs = Vec::new();
        for world in World::each().await {
            let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
            world.rows(&globex, 2).await;
            for _ in 0..3 {
                world.rows(&acme, 4).await;
                world.seal().await;
            }
            world.rows(&acme, 2).await;
            for table in ["audit_entries", "audit_seals", "audit_keys"] {
                world.tamper(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
            }
            logs.push(Self { world, acme, globex });
        }
        logs
    }

    async fn restore(&self) {
        for table in ["audit_entries", "audit_seals", "audit_keys"] {
            self.world.tamper(&format!("DELETE FROM {table}")).await;
            self.world.tamper(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
    }

    /// Changes the database with `sql`, in which `{app}` is the application, and gives what is found of its chain.
    async fn after(&self, sql: &str) -> Report {
        for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let changed = self.world.tamper(&statement.replace("{app}", &self.acme.app.to_string())).await;
            assert!(changed > 0 || statement.starts_with("DROP") || statement.starts_with("CREATE"), "{statement} changed nothing");
        }
        self.world.verify(self.acme_alone(Vec::new())).await
    }

    fn acme_alone(&self, pins: Vec<Pin>) -> Selection {
        Selection::One(self.acme.chain(), pins)
    }

    async fn found(&self, sql: &str) -> Vec<Finding> {
        let findings = self.after(sql).await.chains.remove(0).findings;
        let all = self.world.verify(Selection::All).await;
        assert_eq!(all.is_whole, findings.is_empty(), "{sql}: {all:#?}");
        assert!(all.chains.iter().any(|chain| chain.chain == self.globex.app.to_string() && chain.is_whole()), "{sql}: {all:#?}");
        self.restore().await;
        findings
    }

    /// The columns of a table and whether they are numbers.
    async fn columns(&self, table: &str) -> Vec<(String, bool)> {
        let sql = if self.world.raw.get_database_backend() == DbBackend::Postgres {
            format!("SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = '{table}'")
        } else {
            format!("SELECT name || ' ' || lower(type) FROM pragma_table_info('{table}')")
        };
        let columns = self.world.column(&sql).await;
        let is_number = |kind: &str| matches!(kind, "integer" | "bigint");
        columns.iter().map(|column| column.split_once(' ').unwrap()).map(|(name, kind)| (name.to_owned(), is_number(kind))).collect()
    }
}

const AT: &str = "chain = '{app}' AND position";

#[tokio::test]
async fn a_whole_log_has_no_finding_and_tells_of_its_tail() {
    for log in Log::each().await {
        let report = log.world.verify(log.acme_alone(Vec::new())).await;
        assert!(report.is_whole, "{report:#?}");
        assert_eq!(report.keys, KeyTrust::Confirmed);
        let chain = &report.chains[0];
        assert_eq!((chain.seals, chain.rows, chain.unsealed_rows), (3, 12, 2));
        assert!(chain.oldest_unsealed.is_some());
        let pins = vec![chain.head.as_ref().unwrap().parse().unwrap()];
        assert!(log.world.verify(log.acme_alone(pins)).await.is_whole);
    }
}

#[tokio::test]
async fn every_column_of_a_row_is_under_the_seal() {
    for log in Log::each().await {
        let columns = log.columns("audit_entries").await;
        assert_eq!(columns.len(), 22, "{columns:?}");
        for (column, is_number) in columns {
            for position in [1, 6, 12] {
                let changed = if is_number { format!("COALESCE({column}, 0) + 1000") } else { format!("COALESCE({column}, '') || 'x'") };
                let findings = log.found(&format!("UPDATE audit_entries SET {column} = {changed} WHERE {AT} = {position}")).await;
                assert!(!findings.is_empty(), "{column} at {position}");
            }
        }
        let nullable = ["org_id", "app_id", "subject", "ip", "user_agent", "status", "chain", "seal", "position"];
        for column in nullable {
            let findings = log.found(&format!("UPDATE audit_entries SET {column} = NULL WHERE {AT} = 6")).await;
            assert!(!findings.is_empty(), "{column} cleared");
        }
        for column in ["end_user_id", "key_id", "user_id", "code"] {
            let findings = log.found(&format!("UPDATE audit_entries SET {column} = '' WHERE {AT} = 6")).await;
            assert_eq!(findings, [Finding::ChangedRows { seal: 2, first: 5, last: 8 }], "{column} emptied");
        }
        let beyond = log.found(&format!("UPDATE audit_entries SET created_at = 9223372036854775807 WHERE {AT} = 6")).await;
        assert_eq!(beyond, [Finding::ChangedRows { seal: 2, first: 5, last: 8 }]);
    }
}

#[tokio::test]
async fn every_column_of_a_seal_is_checked() {
    for log in Log::each().await {
        let columns = log.columns("audit_seals").await;
        assert_eq!(columns.len(), 13, "{columns:?}");
        for (column, is_number) in columns {
            for number in [1, 2, 3] {
                let changed = if is_number { format!("{column} + 1000") } else { format!("COALESCE({column}, '') || 'x'") };
                let findings =
                    log.found(&format!("UPDATE audit_seals SET {column} = {changed} WHERE chain = '{{app}}' AND number = {number}")).await;
                assert!(!findings.is_empty(), "{column} of {number}");
            }
        }
        let key = log.after("UPDATE audit_keys SET public_key = 'AAAA'").await.chains.remove(0).findings;
        assert!(
            key.contains(&Finding::UnknownKey { seal: 1, key: log.world.column("SELECT id FROM audit_keys").await.remove(0) }),
            "{key:?}"
        );
    }
}

#[tokio::test]
async fn missing_moved_and_inserted_rows_are_told_apart() {
    let swap = |one: i64, other: i64| {
        format!(
            "UPDATE audit_entries SET position = -1 WHERE {AT} = {one}; UPDATE audit_entries SET position = {one} WHERE {AT} = {other};
             UPDATE audit_entries SET position = {other} WHERE {AT} = -1"
        )
    };
    for log in Log::each().await {
        for (position, seal) in [(1, 1), (6, 2), (12, 3)] {
            let findings = log.found(&format!("DELETE FROM audit_entries WHERE {AT} = {position}")).await;
            assert_eq!(findings, [Finding::MissingRows { seal, first: position, last: position }]);
        }
        let all_of_one = log.found(&format!("DELETE FROM audit_entries WHERE {AT} BETWEEN 5 AND 8")).await;
        assert_eq!(all_of_one, [Finding::MissingRows { seal: 2, first: 5, last: 8 }]);
        assert_eq!(log.found(&swap(5, 6)).await, [Finding::ChangedRows { seal: 2, first: 5, last: 8 }]);
        let across = [Finding::ChangedRows { seal: 1, first: 1, last: 4 }, Finding::ChangedRows { seal: 2, first: 5, last: 8 }];
        assert_eq!(log.found(&swap(1, 8)).await, across);

        let rest = "org_id, app_id, request_id, permission, decision, method, route, path, detail, status, created_at, chain, seal";
        let insert = |position: &str| {
            format!(
                "INSERT INTO audit_entries (id, {rest}, position)
                 SELECT 'aud_forged', {rest}, {position} FROM audit_entries WHERE {AT} = 6"
            )
        };
        let before = log.found(&insert("0")).await;
        assert_eq!(before, [Finding::InsertedRow { position: 0, id: "aud_forged".to_owned() }]);
        let behind = log.found(&insert("13")).await;
        assert_eq!(behind, [Finding::UncoveredRow { position: 13, id: "aud_forged".to_owned() }]);
        let unplaced = log.found(&insert("NULL")).await;
        assert_eq!(unplaced, [Finding::StrayRow { id: "aud_forged".to_owned() }]);
        let doubled = log.found(&format!("DROP INDEX audit_entries_chain_position; {}", insert("6"))).await;
        assert!(doubled.contains(&Finding::InsertedRow { position: 6, id: "aud_forged".to_owned() }) || doubled.len() == 2, "{doubled:?}");
        let moved = log.after(&format!("UPDATE audit_entries SET app_id = '{}' WHERE {AT} = 6", log.globex.app)).await;
        assert!(moved.chains[0].findings.contains(&Finding::ChangedRows { seal: 2, first: 5, last: 8 }), "{moved:#?}");
        let there = log.world.verify(Selection::One(log.globex.chain(), Vec::new())).await;
        assert!(matches!(there.chains[0].findings[..], [Finding::StrayRow { .. }]), "{there:#?}");
    }
}

#[tokio::test]
async fn a_missing_seal_is_found_and_a_cut_end_by_its_pin() {
    for log in Log::each().await {
        let head = log.world.verify(log.acme_alone(Vec::new())).await.chains[0].head.clone().unwrap();
        let pin: Pin = head.parse().unwrap();
        let first = log.found("DELETE FROM audit_seals WHERE chain = '{app}' AND number = 1").await;
        assert!(
            first.contains(&Finding::MissingSeals { first: 1, last: 1 }) && first.contains(&Finding::BrokenLink { seal: 2 }),
            "{first:?}"
        );
        let last = log.found("DELETE FROM audit_seals WHERE chain = '{app}' AND number = 3").await;
        assert_eq!(last.len(), 4, "the rows of the seal stay behind: {last:?}");

        let cuts = [
            (
                "with its rows",
                "DELETE FROM audit_seals WHERE chain = '{app}' AND number = 3; DELETE FROM audit_entries WHERE chain = '{app}' AND seal = 3",
            ),
            (
                "with their marks",
                "DELETE FROM audit_seals WHERE chain = '{app}' AND number = 3;
                 UPDATE audit_entries SET chain = NULL, seal = NULL, position = NULL WHERE chain = '{app}' AND seal = 3",
            ),
            (
                "all but the unsealed rows",
                "DELETE FROM audit_seals WHERE chain = '{app}'; DELETE FROM audit_entries WHERE app_id = '{app}' AND seal IS NOT NULL",
            ),
        ];
        for (what, sql) in cuts {
            let report = log.after(sql).await;
            assert!(report.is_whole, "{what}: nothing within the database tells");
            let report = log.world.verify(log.acme_alone(vec![pin.clone()])).await;
            assert_eq!(report.chains[0].findings, [Finding::MissingPin { seal: 3, digest: pin.digest.clone() }], "{what}");
            log.restore().await;
        }
    }
}

#[tokio::test]
async fn a_chain_that_nothing_speaks_of_is_not_whole_but_unknown() {
    for log in Log::each().await {
        let sql = "DELETE FROM audit_seals WHERE chain = '{app}'; DELETE FROM audit_entries WHERE app_id = '{app}'";
        for statement in sql.split(';') {
            log.world.tamper(&statement.replace("{app}", &log.acme.app.to_string())).await;
        }
        let error = log.world.try_verify(log.acme_alone(Vec::new())).await.unwrap_err();
        assert!(matches!(&error, AuditError::NoSuchChain { chain } if *chain == log.acme.app.to_string()), "{error}");
        let pin = Pin { number: 3, digest: "0".repeat(64) };
        let report = log.world.verify(log.acme_alone(vec![pin.clone()])).await;
        assert_eq!(report.chains[0].findings, [Finding::MissingPin { seal: 3, digest: pin.digest }], "who has a pin knows better");
        assert!(log.world.verify(Selection::All).await.is_whole);
    }
}

#[tokio::test]
async fn a_seal_in_front_of_the_first_is_found() {
    for log in Log::each().await {
        let rest = "org_id, app_id, first_position, last_position, row_count, rows_digest, previous, digest, key_id, signature, sealed_at";
        for number in [0, -1, i64::MIN] {
            let sql = format!(
                "INSERT INTO audit_seals (chain, number, {rest}) SELECT chain, {number}, {rest} FROM audit_seals WHERE chain = '{{app}}' AND number = 1"
            );
            assert_eq!(log.found(&sql).await, [Finding::StraySeal { seal: number }]);
        }
    }
}

#[tokio::test]
async fn a_stray_row_is_found_behind_a_thousand_of_another_chain() {
    for log in Log::each().await {
        let rest = "org_id, app_id, request_id, permission, decision, method, route, path, detail, status, created_at";
        let sql = format!(
            "INSERT INTO audit_entries (id, chain, {rest}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
             SELECT 'aud_0' || i, app_id, {rest} FROM n, (SELECT * FROM audit_entries WHERE app_id = '{}' LIMIT 1) AS one",
            log.globex.app
        );
        assert_eq!(log.world.tamper(&sql).await, 1_001);
        let last = "UPDATE audit_entries SET id = 'aud_zzz', chain = '{app}' WHERE id = (SELECT max(id) FROM audit_entries WHERE seal IS NULL AND app_id = '{app}')";
        let report = log.after(last).await;
        assert_eq!(report.chains[0].findings, [Finding::StrayRow { id: "aud_zzz".to_owned() }]);
    }
}

#[tokio::test]
async fn whoever_seals_anew_needs_the_master_key_and_never_meets_the_pin() {
    for log in Log::each().await {
        let pin: Pin = log.world.verify(log.acme_alone(Vec::new())).await.chains[0].head.clone().unwrap().parse().unwrap();
        log.after(
            "DELETE FROM audit_keys; DELETE FROM audit_seals; UPDATE audit_entries SET chain = NULL, seal = NULL, position = NULL;
             UPDATE audit_entries SET end_user_id = 'eu_somebody_else'",
        )
        .await;
        let forged = SigningKey::open_or_create(&log.world.store, &Masters(66)).await.unwrap();
        let id = forged.id().to_owned();
        Sealer::new(log.world.store.clone(), forged, Options::default()).step().await.unwrap();

        let report = log.world.verify(log.acme_alone(Vec::new())).await;
        assert_eq!(report.chains[0].findings, [Finding::UnknownKey { seal: 1, key: id }]);
        let report = log.world.verify_with(log.acme_alone(Vec::new()), None).await;
        assert!(report.is_whole && report.keys == KeyTrust::Unconfirmed, "the database alone cannot tell: {report:#?}");
        let report = log.world.verify_with(log.acme_alone(vec![pin]), None).await;
        assert!(!report.is_whole, "{report:#?}");
    }
}

#[tokio::test]
async fn the_check_itself_changes_nothing() {
    for log in Log::each().await {
        log.world.verify(Selection::All).await;
        let kept = "SELECT id FROM audit_entries EXCEPT SELECT id FROM kept_audit_entries";
        assert_eq!(log.world.column(kept).await, Vec::<String>::new());
        assert_eq!(
            log.world.column("SELECT 'x' FROM audit_seals").await.len(),
            log.world.column("SELECT 'x' FROM kept_audit_seals").await.len()
        );
    }
}
