//! Whoever can write the database cannot make the server itself sign another history, or not unnoticed.

use std::time::Duration;

use audit::{Finding, Options, Pin, Sealer, Selection, SigningKey, Step, Warning};

use crate::world::{OURS, Tenant, World};

/// Forgets every seal and every mark, and changes what the rows say.
const REWRITE: &str = "DELETE FROM audit_seals WHERE app_id = '{app}';
                       UPDATE audit_entries SET chain = NULL, seal = NULL, position = NULL, end_user_id = 'eu_somebody_else' WHERE app_id = '{app}'";

async fn tamper(world: &World, tenant: &Tenant, sql: &str) {
    for statement in sql.split(';') {
        assert!(world.tamper(&statement.replace("{app}", &tenant.app.to_string())).await > 0, "{statement} changed nothing");
    }
}

async fn alone(world: &World, tenant: &Tenant, pins: Vec<Pin>) -> audit::ChainReport {
    world.verify(Selection::One(tenant.chain(), pins)).await.chains.remove(0)
}

async fn head(world: &World, tenant: &Tenant) -> Pin {
    alone(world, tenant, Vec::new()).await.head.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_running_server_does_not_seal_a_rewritten_log_and_the_check_says_that_rows_wait() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        world.rows(&acme, 3).await;
        world.rows(&globex, 1).await;
        let sealer = world.sealer(Options { batch: 2, ..Options::default() }).await;
        while !matches!(sealer.step().await.unwrap(), Step::Idle) {}
        tamper(&world, &acme, REWRITE).await;
        while !matches!(sealer.step().await.unwrap(), Step::Idle) {}
        assert_eq!(alone(&world, &acme, Vec::new()).await.seals, 0);

        // More rows than a batch holds are refused, and keep no other chain from its seals.
        world.clock.advance(Duration::from_mins(61));
        world.rows(&globex, 1).await;
        while !matches!(sealer.step().await.unwrap(), Step::Idle) {}
        world.rows(&acme, 1).await;
        assert_eq!(sealer.step().await.unwrap(), Step::Idle);
        assert!(alone(&world, &globex, Vec::new()).await.warnings.is_empty());
        assert_eq!(alone(&world, &globex, Vec::new()).await.unsealed_rows, 0);
        let report = alone(&world, &acme, Vec::new()).await;
        assert_eq!((report.seals, report.unsealed_rows), (0, 4));
        assert!(matches!(report.warnings[..], [Warning::WaitingRows { rows: 4, .. }]), "{report:#?}");
        assert!(world.verify(Selection::All).await.has_warnings);
    }
}

#[tokio::test]
async fn what_the_genuine_key_signs_after_a_restart_is_told_by_its_time_and_by_a_pin() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 2).await;
        world.seal().await;
        let pin = head(&world, &acme).await;
        tamper(&world, &acme, REWRITE).await;
        world.clock.advance(Duration::from_mins(61));
        world.seal().await;
        world.rows(&acme, 1).await;
        world.seal().await;

        let report = alone(&world, &acme, Vec::new()).await;
        assert!(report.is_whole(), "nothing within the database contradicts: {report:#?}");
        assert!(matches!(report.warnings[..], [Warning::LateSeals { first: 1, last: 1, seals: 1, oldest_row: Some(_) }]), "{report:#?}");
        assert!(report.to_string().contains("seal 1 was made more than an hour after a row under it"), "{report}");
        let report = alone(&world, &acme, vec![pin.clone()]).await;
        assert_eq!(report.findings, [Finding::MissingPin { seal: 1, digest: pin.digest }]);
    }
}

#[tokio::test]
async fn late_seals_are_no_longer_asked_about_once_they_are_pinned() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for _ in 0..3 {
            world.rows(&acme, 1).await;
            world.clock.advance(Duration::from_mins(61));
            world.seal().await;
        }
        let report = alone(&world, &acme, Vec::new()).await;
        assert!(matches!(report.warnings[..], [Warning::LateSeals { first: 1, last: 3, seals: 3, .. }]), "{report:#?}");
        let pin = report.head.unwrap().parse().unwrap();
        assert_eq!(alone(&world, &acme, vec![pin]).await.warnings, []);
        // An hour is not late yet.
        world.rows(&acme, 1).await;
        world.clock.advance(Duration::from_hours(1));
        world.seal().await;
        let report = alone(&world, &acme, Vec::new()).await;
        assert!(matches!(report.warnings[..], [Warning::LateSeals { last: 3, .. }]), "{report:#?}");
    }
}

#[tokio::test]
async fn a_node_that_takes_over_remembers_too() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (first, node) = (world.sealer(Options::default()).await, world.another_node().await);
        let key = SigningKey::open_or_create(&node, &OURS).await.unwrap();
        let second = Sealer::new(node, key, Options::default());
        world.rows(&acme, 1).await;
        assert!(matches!(first.step().await.unwrap(), Step::Sealed { .. }));
        assert_eq!(second.step().await.unwrap(), Step::Idle, "it has looked at the chains");
        for _ in 0..2 {
            world.clock.advance(Duration::from_mins(1));
            world.rows(&acme, 1).await;
            assert!(matches!(first.step().await.unwrap(), Step::Sealed { .. }));
            assert_eq!(second.step().await.unwrap(), Step::Idle);
        }
        // The newest seal is cut off, and the lease is given to the other node.
        tamper(
            &world,
            &acme,
            "DELETE FROM audit_seals WHERE app_id = '{app}' AND number = 3;
             UPDATE audit_entries SET chain = NULL, seal = NULL, position = NULL WHERE app_id = '{app}' AND seal = 3;
             DELETE FROM leases",
        )
        .await;
        assert_eq!(second.step().await.unwrap(), Step::Idle);
        assert_eq!((alone(&world, &acme, Vec::new()).await.seals, alone(&world, &acme, Vec::new()).await.unsealed_rows), (2, 1));
    }
}

#[tokio::test]
async fn a_node_goes_on_from_what_another_has_sealed_and_from_nothing_else() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (first, node) = (world.sealer(Options::default()).await, world.another_node().await);
        let key = SigningKey::open_or_create(&node, &OURS).await.unwrap();
        let second = Sealer::new(node, key, Options::default());
        world.rows(&acme, 1).await;
        assert!(matches!(first.step().await.unwrap(), Step::Sealed { .. }));
        world.clock.advance(Options::default().lease);
        world.rows(&acme, 1).await;
        assert!(matches!(second.step().await.unwrap(), Step::Sealed { .. }));
        world.clock.advance(Options::default().lease);
        world.rows(&acme, 1).await;
        assert!(matches!(first.step().await.unwrap(), Step::Sealed { .. }), "two seals on, and its own is where it was");
        assert!(world.verify(Selection::All).await.is_whole);

        // Seal 2, the last that the second has seen, is exchanged below the third.
        tamper(&world, &acme, "UPDATE audit_seals SET digest = previous WHERE app_id = '{app}' AND number = 2; DELETE FROM leases").await;
        world.rows(&acme, 1).await;
        assert_eq!(second.step().await.unwrap(), Step::Idle);
    }
}
