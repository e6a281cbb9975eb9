//! Each committed row gets one seal: whoever seals, whenever it commits, whatever breaks off.

use audit::{Options, Selection, SigningKey, Step};
use sea_orm::DbBackend;
use store::{AuditSeal, NewAuditSeal, Page, WriteContext};
use tokio_util::sync::CancellationToken;

use crate::world::{Masters, OURS, World};

#[tokio::test]
async fn each_application_organization_and_the_platform_have_a_chain_of_their_own() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let system = world.store.system();
        world.rows(&acme, 3).await;
        world.rows(&globex, 2).await;
        system.append_audit(&acme.org_scope, &world.facts(), None, 200).await.unwrap();
        system.append_unscoped_audit(&world.facts(), 401).await.unwrap();
        let sealer = world.sealer(Options::default()).await;
        assert_eq!(sealer.step().await.unwrap(), Step::Sealed { rows: 7, more: false });
        assert_eq!(sealer.step().await.unwrap(), Step::Idle);
        world.rows(&acme, 1).await;
        assert_eq!(sealer.step().await.unwrap(), Step::Sealed { rows: 1, more: false });

        let report = world.verify(Selection::All).await;
        assert!(report.is_whole, "{report:#?}");
        let mut seen: Vec<_> = report.chains.iter().map(|chain| (chain.chain.clone(), chain.seals, chain.rows)).collect();
        seen.sort();
        let mut expected =
            vec![(acme.app.to_string(), 2, 4), (globex.app.to_string(), 1, 2), (acme.org.to_string(), 1, 1), ("platform".to_owned(), 1, 1)];
        expected.sort();
        assert_eq!(seen, expected);

        let read = world.store.read(&acme.scope).await.unwrap();
        let seals = read.audit_seals(Page::FIRST).await.unwrap();
        assert_eq!(
            seals.items.iter().map(|seal| (seal.number, seal.first_position, seal.last_position)).collect::<Vec<_>>(),
            [(2, 4, 4), (1, 1, 3)]
        );
        assert_eq!(seals.items[0].previous, seals.items[1].digest);
        let keys = system.audit_keys().await.unwrap();
        assert!(audit::verifies(&keys[0].public_key, &seals.items[0].computed(), &seals.items[0].signature));
        let read = world.store.read(&acme.org_scope).await.unwrap();
        assert_eq!(read.audit_seals(Page::FIRST).await.unwrap().total, 1, "the organization's own, not its applications'");
    }
}

#[tokio::test]
async fn a_row_that_commits_late_is_sealed_later_and_once() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 2).await;
        if world.raw.get_database_backend() == DbBackend::Postgres {
            let slow = world.store.write(&acme.scope, WriteContext::of(world.facts())).await.unwrap();
            slow.audit_subject("slow");
            // Its row is written only now, but its snapshot and its transaction are older than all that follows.
            world.rows(&acme, 1).await;
            world.seal().await;
            slow.reply(200, None).await.unwrap();
        } else {
            world.seal().await;
            world.rows(&acme, 1).await;
        }
        // An id below all that are sealed.
        let copied = "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE seal IS NULL";
        world.tamper(&copied.replace("SELECT *", &format!("({COLUMNS}) SELECT 'aud_00000000000000000000000000', {REST}"))).await;
        world.seal().await;
        let report = world.verify(Selection::All).await;
        assert!(report.is_whole, "{report:#?}");
        assert_eq!(world.column("SELECT id FROM audit_entries WHERE position IS NULL").await, Vec::<String>::new());
        let positions = world.column("SELECT CAST(position AS TEXT) FROM audit_entries ORDER BY position").await;
        assert_eq!(positions, (1..=positions.len()).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

const REST: &str = "org_id, app_id, request_id, permission, decision, method, route, path, detail, status, created_at";
const COLUMNS: &str = "id, org_id, app_id, request_id, permission, decision, method, route, path, detail, status, created_at";

#[tokio::test]
async fn one_node_seals_and_another_takes_over_when_it_falls_silent() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 1).await;
        let first = world.sealer(Options::default()).await;
        assert!(matches!(first.step().await.unwrap(), Step::Sealed { .. }));
        let node = world.another_node().await;
        let key = SigningKey::open_or_create(&node, &OURS).await.unwrap();
        assert_eq!(node.system().audit_keys().await.unwrap().len(), 1, "both nodes sign with one key");
        let second = audit::Sealer::new(node, key, Options::default());
        world.rows(&acme, 1).await;
        assert_eq!(second.step().await.unwrap(), Step::Elsewhere);
        world.clock.advance(Options::default().lease);
        assert_eq!(second.step().await.unwrap(), Step::Sealed { rows: 1, more: false });
        world.rows(&acme, 1).await;
        assert_eq!(first.step().await.unwrap(), Step::Elsewhere);
        assert!(world.verify(Selection::All).await.is_whole);
    }
}

#[tokio::test]
async fn what_broke_off_before_its_commit_has_changed_nothing_and_can_change_nothing_later() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 3).await;
        // A sealer that has read and signed, and then stands still for longer than its lease.
        let system = world.store.system();
        let lease = system.hold_lease("audit.seal", "sleeper", Options::default().lease).await.unwrap().unwrap();
        let unsealed = system.unsealed_audit(100, &[]).await.unwrap().remove(0);
        world.clock.advance(Options::default().lease);
        world.seal().await;
        let seal = AuditSeal {
            chain: unsealed.chain,
            number: 1,
            org_id: unsealed.org_id,
            app_id: unsealed.app_id,
            first_position: 1,
            last_position: 3,
            row_count: 3,
            rows_digest: String::new(),
            previous: String::new(),
            digest: String::new(),
            key_id: String::new(),
            signature: String::new(),
            sealed_at: 0,
        };
        let late = NewAuditSeal { seal, rows: unsealed.rows };
        assert!(!system.append_audit_seals(&lease, vec![late.clone()]).await.unwrap());
        assert!(world.verify(Selection::All).await.is_whole);

        // Somebody who has the lease and still writes what is sealed already is refused whole.
        let lease = system.hold_lease("audit.seal", "sleeper", Options::default().lease).await.unwrap().unwrap();
        let error = system.append_audit_seals(&lease, vec![late]).await.unwrap_err();
        assert!(matches!(error, store::StoreError::Corrupt { .. }), "{error:?}");
        assert!(world.verify(Selection::All).await.is_whole);
    }
}

#[tokio::test]
async fn a_batch_has_an_end_and_the_next_goes_on_from_it() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 5).await;
        let sealer = world.sealer(Options { batch: 2, ..Options::default() }).await;
        assert_eq!(sealer.step().await.unwrap(), Step::Sealed { rows: 2, more: true });
        assert_eq!(sealer.step().await.unwrap(), Step::Sealed { rows: 2, more: true });
        assert_eq!(sealer.step().await.unwrap(), Step::Sealed { rows: 1, more: false });
        let report = world.verify(Selection::One(acme.chain(), Vec::new())).await;
        assert!(report.is_whole);
        assert_eq!((report.chains[0].seals, report.chains[0].rows), (3, 5));
    }
}

#[tokio::test]
async fn stopping_seals_what_is_there_and_gives_the_lease_back() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 3).await;
        let stop = CancellationToken::new();
        stop.cancel();
        world.sealer(Options { batch: 2, ..Options::default() }).await.run(stop).await;
        assert!(!world.store.system().has_unsealed_audit(&[]).await.unwrap());
        world.rows(&acme, 1).await;
        // At once, without waiting for the lease to run out.
        let next = world.sealer(Options::default()).await;
        assert_eq!(next.step().await.unwrap(), Step::Sealed { rows: 1, more: false });
    }
}

#[tokio::test]
async fn the_signing_key_is_made_once_and_again_under_another_master_key() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.rows(&acme, 1).await;
        world.seal().await;
        let first = SigningKey::open_or_create(&world.store, &OURS).await.unwrap();
        assert_eq!(SigningKey::open_or_create(&world.store, &OURS).await.unwrap().id(), first.id());
        world.clock.advance(std::time::Duration::from_secs(1));
        let second = SigningKey::open_or_create(&world.store, &Masters(8)).await.unwrap();
        assert_ne!(second.id(), first.id());
        world.rows(&acme, 1).await;
        audit::Sealer::new(world.store.clone(), second, Options::default()).step().await.unwrap();
        let report = world.verify_with(Selection::All, None).await;
        assert!(report.is_whole, "both public halves stay: {report:#?}");
        assert_eq!(report.chains[0].seals, 2);
    }
}
