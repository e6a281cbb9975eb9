//! The events of many runs as one sequence.

use domain::{PackageName, RunId};
use store::{AppScope, EventCursor, NewRun, Rest, RunEntry, Store, WriteContext};
use wire::run_event::{LogLevel, RunEvent};

use super::{a_running_run, append, create, finish, new_run, started};
use crate::world::{Engine, World};

fn named(scope: &AppScope, agent: &str) -> NewRun {
    let mut new = new_run(scope);
    new.spec.agent = agent.parse().unwrap();
    new
}

/// A whole run of this agent: created, started, two log lines, ended.
async fn lived(store: &Store, scope: &AppScope, agent: &str) -> RunId {
    create(store, scope, &named(scope, agent)).await;
    let claimed = super::claim(store).await;
    let log = |text: &str| RunEntry::Event(RunEvent::Log { level: LogLevel::Info, message: text.to_owned(), data: None });
    append(store, &claimed.lease, claimed.next_seq, &[started(), log("one"), log("two")]).await;
    finish(store, &claimed).await;
    claimed.spec.run
}

/// All that passes for a reader, with `most` rows at a look.
async fn all(world: &World, scope: &AppScope, agent: Option<&str>, most: u32) -> Vec<(RunId, i64)> {
    world.settle().await;
    let agent: Option<PackageName> = agent.map(|agent| agent.parse().unwrap());
    let read = world.store.read(scope).await.unwrap();
    let (mut at, mut seen) = (EventCursor::START, Vec::new());
    loop {
        let passed = read.run_events().passing(agent.as_ref(), at, most).await.unwrap();
        seen.extend(passed.events.iter().map(|event| (event.run, event.record.seq)));
        assert!(passed.events.iter().all(|event| event.cursor > at && event.cursor <= passed.end));
        at = passed.end.to_string().parse().unwrap();
        if passed.rest == Rest::Nothing {
            assert_eq!(read.run_events().end().await.unwrap(), at, "whoever begins now begins here");
            return seen;
        }
    }
}

fn whole(runs: &[RunId]) -> Vec<(RunId, i64)> {
    runs.iter().flat_map(|run| (1..=5).map(|seq| (*run, seq))).collect()
}

#[tokio::test]
async fn each_reader_sees_its_own_runs_in_order_and_once() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let ((_, as_eve), (_, as_bob)) = (world.end_user(&acme, "eve").await, world.end_user(&acme, "bob").await);
        let runs = [
            lived(&world.store, &as_eve, "@acme/one").await,
            lived(&world.store, &as_bob, "@acme/two").await,
            lived(&world.store, &acme.scope, "@acme/one").await,
            lived(&world.store, &as_eve, "@acme/two").await,
        ];
        let foreign = lived(&world.store, &globex.scope, "@acme/one").await;
        // An event that belongs to no run.
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let event = store::NewEvent {
            kind: "end_user.created".to_owned(),
            subject: "eu_x".to_owned(),
            end_user: None,
            run: None,
            data: serde_json::Value::Null,
        };
        write.emit(event).await.unwrap();
        write.commit().await.unwrap();
        let [first, second, third, fourth] = runs;
        for most in [1, 3, 100] {
            assert_eq!(all(&world, &acme.scope, None, most).await, whole(&runs));
            assert_eq!(all(&world, &acme.scope, Some("@acme/one"), most).await, whole(&[first, third]));
            assert_eq!(all(&world, &acme.scope, Some("@acme/none"), most).await, []);
            assert_eq!(all(&world, &as_eve, None, most).await, whole(&[first, fourth]));
            assert_eq!(all(&world, &as_eve, Some("@acme/two"), most).await, whole(&[fourth]));
            assert_eq!(all(&world, &as_bob, None, most).await, whole(&[second]));
            assert_eq!(all(&world, &globex.scope, None, most).await, whole(&[foreign]));
        }
    }
}

#[tokio::test]
async fn what_an_end_user_leaves_behind_is_nobodys_to_read() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (eve, as_eve) = world.end_user(&acme, "eve").await;
        lived(&world.store, &as_eve, "@acme/one").await;
        let kept = lived(&world.store, &acme.scope, "@acme/one").await;
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(eve).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(all(&world, &acme.scope, None, 100).await, whole(&[kept]));
    }
}

#[tokio::test]
async fn an_event_that_an_older_transaction_hides_is_known_to_be_there() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let slow = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let new = new_run(&acme.scope);
        slow.runs().create(&new, 1_000).await.unwrap().unwrap();
        // Of another organization, so that the two do not wait for one counter.
        let other = world.tenant("other").await;
        let (claimed, _) = a_running_run(&world.store, &other.scope).await;

        let read = world.store.read(&other.scope).await.unwrap();
        let hidden = read.run_events().passing(None, EventCursor::START, 10).await.unwrap();
        assert_eq!((hidden.events.len(), hidden.end, hidden.rest), (0, EventCursor::START, Rest::Hidden));
        slow.commit().await.unwrap();
        world.settle().await;
        let shown = read.run_events().passing(None, hidden.end, 10).await.unwrap();
        assert_eq!(
            shown.events.iter().map(|event| (event.run, event.record.seq)).collect::<Vec<_>>(),
            [(claimed.spec.run, 1), (claimed.spec.run, 2)]
        );
        assert_eq!(shown.rest, Rest::Nothing);
    }
}

#[tokio::test]
async fn outlines_tell_how_runs_stand_within_reach() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (_, as_eve) = world.end_user(&acme, "eve").await;
        let ended = lived(&world.store, &as_eve, "@acme/one").await;
        let (running, _) = a_running_run(&world.store, &acme.scope).await;
        let read = world.store.read(&acme.scope).await.unwrap();
        let newest = read.runs().newest_outlines(None, 10).await.unwrap();
        assert_eq!(newest.iter().map(|run| run.id).collect::<Vec<_>>(), [running.spec.run, ended]);
        assert_eq!(newest[1].status, domain::RunStatus::Success);
        assert!(newest[1].completed_at.is_some() && newest[0].completed_at.is_none());
        assert_eq!(read.runs().newest_outlines(Some(&"@acme/one".parse().unwrap()), 10).await.unwrap().len(), 1);
        assert_eq!(read.runs().newest_outlines(None, 1).await.unwrap().len(), 1);
        let own = world.store.read(&as_eve).await.unwrap();
        assert_eq!(own.runs().outlines(&[ended, running.spec.run]).await.unwrap(), [newest[1].clone()]);
    }
}
