//! Events, jobs and audit rows: committed with the change, and only then seen.

use domain::{RequestId, RunId};
use futures::FutureExt as _;
use store::{Audit, AuditFacts, EventCursor, NewEvent, NewJob, Page, Topic, WriteContext};

use crate::world::{Tenant, World};

fn event(kind: &str) -> NewEvent {
    NewEvent { kind: kind.to_owned(), subject: "x".to_owned(), end_user: None, run: None, data: serde_json::json!({"n": 1}) }
}

pub(crate) fn facts(world: &World, tenant: &Tenant) -> AuditFacts {
    AuditFacts {
        request: RequestId::new(world.store.ids()),
        key: Some(tenant.key),
        user: Some(tenant.owner),
        end_user: None,
        permission: "end-users:write".to_owned(),
        method: "POST".to_owned(),
        route: "/api/end-users".to_owned(),
        subject: None,
        path: "/api/end-users".to_owned(),
        ip: Some("192.0.2.1".to_owned()),
        user_agent: None,
        recorded: store::Recorded::default(),
    }
}

#[tokio::test]
async fn readers_wake_after_the_commit_and_read_on_from_their_cursor() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let run = RunId::new(world.store.ids());
        let mut of_app = world.store.live().subscribe(Topic::Application(acme.app));
        let mut of_run = world.store.live().subscribe(Topic::Run(run));
        let mut jobs = world.store.live().subscribe(Topic::Jobs);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        write.emit(NewEvent { run: Some((run, 1)), ..event("run.started") }).await.unwrap();
        write
            .enqueue(NewJob { kind: "run".to_owned(), subject: run.to_string(), payload: serde_json::Value::Null, due_at: None })
            .await
            .unwrap();
        assert!(of_app.changed().now_or_never().is_none(), "not committed yet");
        write.commit().await.unwrap();
        for topic in [&mut of_app, &mut of_run, &mut jobs] {
            assert!(topic.changed().now_or_never().is_some());
        }

        world.settle().await;
        let read = world.store.read(&acme.scope).await.unwrap();
        let first = read.events().after(EventCursor::START, 10).await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].1.kind.as_str(), first[0].1.run), ("run.started", Some((run, 1))));
        let cursor: EventCursor = first[0].0.to_string().parse().unwrap();
        assert_eq!(read.events().after(cursor, 10).await.unwrap(), vec![]);
        drop(read);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let error = write.emit(NewEvent { run: Some((run, 1)), ..event("run.started") }).await.unwrap_err();
        assert!(error.is_conflict("events_run_id_seq"), "a number is given once: {error:?}");
    }
}

#[tokio::test]
async fn a_cursor_never_passes_an_event_that_is_still_committing() {
    for world in World::each().await.into_iter().filter(|world| world.engine == crate::world::Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let slow = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        slow.emit(event("slow")).await.unwrap();
        let fast = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        fast.emit(event("fast")).await.unwrap();
        fast.commit().await.unwrap();

        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.events().after(EventCursor::START, 10).await.unwrap(), vec![], "fast waits for slow, which comes before it");
        slow.commit().await.unwrap();
        world.settle().await;
        let kinds: Vec<_> = read.events().after(EventCursor::START, 10).await.unwrap().into_iter().map(|(_, event)| event.kind).collect();
        assert_eq!(kinds, ["slow", "fast"]);
    }
}

#[tokio::test]
async fn a_write_commits_its_audit_row_and_a_read_queues_one() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (ada, as_ada) = world.end_user(&acme, "ada").await;
        let write = world.store.write(&acme.scope, WriteContext::of(facts(&world, &acme))).await.unwrap();
        write.audit(Audit { subject: Some(ada.to_string()), detail: serde_json::json!({"fields": ["name"]}) });
        write.reply(200, None).await.unwrap();
        let facts = facts(&world, &acme);
        world.store.system().append_audit(&as_ada, &facts, None, 404).await.unwrap();
        world.store.system().append_unscoped_audit(&facts, 401).await.unwrap();

        let read = world.store.read(&acme.scope).await.unwrap();
        let rows = read.audit_log(Page::FIRST).await.unwrap().items;
        assert_eq!(rows.iter().map(|row| row.status).collect::<Vec<_>>(), [Some(404), Some(200)]);
        assert_eq!((rows[0].end_user, rows[1].end_user), (Some(ada), None));
        assert_eq!(rows[1].subject, Some(ada.to_string()));
        assert_eq!((rows[1].key, rows[1].ip.as_deref()), (Some(acme.key), Some("192.0.2.1")));
    }
}

#[tokio::test]
async fn an_event_of_the_second_lane_is_committed_when_its_call_returns() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let mut woken = world.store.live().subscribe(Topic::Application(acme.app));
        let system = world.store.system();
        let appended = futures::future::join_all((0..50).map(|_| system.append_event(&acme.scope, event("tick")))).await;
        assert!(appended.iter().all(Result::is_ok));
        woken.changed().await;
        world.settle().await;
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.events().after(EventCursor::START, 100).await.unwrap().len(), 50);
    }
}

#[tokio::test]
async fn one_bad_row_of_a_group_does_not_take_the_others_along() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let run = RunId::new(world.store.ids());
        let numbered = |seq| NewEvent { run: Some((run, seq)), ..event("run.progress") };
        let system = world.store.system();
        let appended = futures::future::join_all([1, 2, 2, 3].map(|seq| system.append_event(&acme.scope, numbered(seq)))).await;
        let refused: Vec<_> = appended.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(refused.len(), 1);
        assert!(refused[0].is_conflict("events_run_id_seq"));
        world.settle().await;
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.events().after(EventCursor::START, 100).await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn the_last_use_of_a_key_is_noted_with_the_next_flush() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.store.system().key_used(acme.key);
        world.store.flush().await.unwrap();
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.api_keys().get(acme.key).await.unwrap().unwrap().last_used_at, Some(world.store.clock().now()));
    }
}
