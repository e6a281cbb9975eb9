use domain::{NanoUsd, RunStatus};
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use store::{AppScope, Appended, CancelRequest, RunEnding, RunEntry, RunLease, Store, WriteContext};
use wire::control::MemoryWrite;
use wire::run_event::{Failure, FailureCode, RunEvent};

use super::{a_run, a_running_run, append, claim, get, names, open, records, started};
use crate::world::World;

async fn finish(store: &Store, scope: &AppScope, lease: &RunLease, ending: &RunEnding) -> bool {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    let is_finished = write.runs().finish(lease, ending).await.unwrap().is_some();
    write.commit().await.unwrap();
    is_finished
}

async fn cancel(store: &Store, scope: &AppScope, run: domain::RunId) -> CancelRequest {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    let request = write.runs().request_cancel(run).await.unwrap();
    write.commit().await.unwrap();
    request
}

fn ending(status: RunStatus) -> RunEnding {
    let failed = |code| RunEnding::failed(Failure::new(code, "why"));
    match status {
        RunStatus::Timeout => failed(FailureCode::TimedOut),
        RunStatus::Cancelled => failed(FailureCode::Cancelled),
        RunStatus::Failed => failed(FailureCode::OutputMissing),
        RunStatus::Pending | RunStatus::Running | RunStatus::Success => RunEnding::default(),
    }
}

#[tokio::test]
async fn the_statements_allow_the_moves_of_the_table_and_no_other() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let raw = world.raw().await;
        for from in RunStatus::ALL {
            for to in RunStatus::ALL {
                a_run(&world.store, &ada.scope).await;
                let claimed = claim(&world.store).await;
                let run = claimed.spec.run;
                let ended = if from.is_ended() { ", completed_at = 1, lease_worker = NULL, lease_until = NULL" } else { "" };
                raw.execute_unprepared(&format!("UPDATE runs SET status = '{}'{ended} WHERE id = '{run}'", from.as_str())).await.unwrap();
                let has_moved = match to {
                    // No statement leads back to the queue's state.
                    RunStatus::Pending => false,
                    RunStatus::Running => {
                        let appended = world.store.system().append_to_run(&claimed.lease, 2, &[started()]).await.unwrap();
                        matches!(appended, Appended::Committed { .. })
                    }
                    _ => finish(&world.store, &claimed.scope, &claimed.lease, &ending(to)).await,
                };
                assert_eq!(has_moved, from.may_become(to), "{from:?} to {to:?}");
                let now = get(&world.store, &ada.scope, run).await.status;
                assert_eq!(now, if has_moved { to } else { from });
            }
        }
        raw.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_run_ends_once_however_often_it_is_tried() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (claimed, _) = a_running_run(&world.store, &ada.scope).await;
        let other = world.another_node().await;
        let failed = ending(RunStatus::Failed);
        let (cancelled, timeout) = (ending(RunStatus::Cancelled), ending(RunStatus::Timeout));
        let ended = tokio::join!(
            finish(&world.store, &claimed.scope, &claimed.lease, &failed),
            finish(&other, &claimed.scope, &claimed.lease, &cancelled),
            finish(&world.store, &claimed.scope, &claimed.lease, &timeout),
        );
        assert_eq!([ended.0, ended.1, ended.2].into_iter().filter(|is_ended| *is_ended).count(), 1);
        assert!(!finish(&world.store, &claimed.scope, &claimed.lease, &RunEnding::default()).await);
        let records = records(&world.store, &ada.scope, claimed.spec.run).await;
        assert_eq!(names(&records), [(1, "run.created"), (2, "run.started"), (3, "run.ended")]);
    }
}

#[tokio::test]
async fn success_leaves_state_and_memories_to_the_owner_and_failure_leaves_none() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (_, carol) = world.end_user(&ada, "carol").await;
        let (_, dave) = world.end_user(&ada, "dave").await;
        let agent = "@acme/agent".parse().unwrap();
        let live = async |scope: &AppScope, name: &str, status: RunStatus| {
            let (claimed, seq) = a_running_run(&world.store, scope).await;
            let state = RunEntry::Event(RunEvent::StateSet { state: json!({"of": name}) });
            append(&world.store, &claimed.lease, seq, &[state]).await;
            let memories = vec![MemoryWrite { key: None, text: format!("{name} remembers") }];
            assert!(finish(&world.store, &claimed.scope, &claimed.lease, &RunEnding { memories, ..ending(status) }).await);
            let run = get(&world.store, scope, claimed.spec.run).await;
            assert_eq!(run.state, Some(json!({"of": name})), "the run itself shows what it set");
        };
        let left = async |scope: &AppScope| {
            let read = world.store.read(&scope.for_run()).await.unwrap();
            let memories = read.memories().of_run(&agent).await.unwrap();
            let texts: Vec<_> = memories.into_iter().map(|(memory, _)| (memory.own, memory.text)).collect();
            (read.states().previous(&agent).await.unwrap(), texts)
        };
        let of = |name: &str| (true, format!("{name} remembers"));
        for status in [RunStatus::Failed, RunStatus::Timeout, RunStatus::Cancelled] {
            live(&carol, "carol", status).await;
        }
        assert_eq!(left(&carol).await, (None, vec![]));

        live(&carol, "carol", RunStatus::Success).await;
        live(&ada.scope, "the application", RunStatus::Success).await;
        let common = (false, "the application remembers".to_owned());
        assert_eq!(left(&carol).await, (Some(json!({"of": "carol"})), vec![of("carol"), common.clone()]));
        assert_eq!(left(&dave).await, (None, vec![common]), "state is never shared, memories of the application are");
        assert_eq!(left(&ada.scope).await, (Some(json!({"of": "the application"})), vec![of("the application")]));

        live(&ada.scope, "the application again", RunStatus::Success).await;
        assert_eq!(left(&ada.scope).await.0, Some(json!({"of": "the application again"})));
        let read = world.store.read(&carol).await.unwrap();
        let mine = read.runs().history(&agent, domain::RunId::new(&domain::RandomIds), 10).await.unwrap();
        assert_eq!(mine.len(), 1, "the history of an end-user is its own, and successes only");
    }
}

#[tokio::test]
async fn an_inline_run_shares_nothing_with_an_agent_of_the_same_name() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let mut inline = super::new_run(&ada.scope);
        inline.spec.version = None;
        super::create(&world.store, &ada.scope, &inline).await;
        let claimed = claim(&world.store).await;
        let state = RunEntry::Event(RunEvent::StateSet { state: json!(1) });
        append(&world.store, &claimed.lease, 2, &[started(), state]).await;
        let memories = vec![MemoryWrite { key: None, text: "mine".to_owned() }];
        assert!(finish(&world.store, &claimed.scope, &claimed.lease, &RunEnding { failure: None, memories }).await);
        let read = world.store.read(&ada.scope).await.unwrap();
        assert_eq!(read.states().previous(&claimed.spec.agent).await.unwrap(), None);
        assert_eq!(read.memories().of_run(&claimed.spec.agent).await.unwrap(), []);
        assert_eq!(read.runs().history(&claimed.spec.agent, claimed.spec.run, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_waiting_run_is_cancelled_at_once_and_a_running_one_is_marked() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (carol, carols) = world.end_user(&ada, "carol").await;
        let waiting = a_run(&world.store, &carols).await;
        assert_eq!(cancel(&world.store, &bob.scope, waiting.id).await, CancelRequest::Unknown);
        // The application's key may cancel its end-user's run; the event stays the end-user's.
        assert_eq!(cancel(&world.store, &ada.scope, waiting.id).await, CancelRequest::Ended);
        assert_eq!(cancel(&world.store, &ada.scope, waiting.id).await, CancelRequest::AlreadyEnded(RunStatus::Cancelled));
        let run = get(&world.store, &carols, waiting.id).await;
        assert_eq!((run.end_user, run.error_code.as_deref()), (Some(carol), Some("cancelled")));
        assert_eq!(names(&records(&world.store, &carols, waiting.id).await), [(1, "run.created"), (2, "run.ended")]);

        let (claimed, seq) = a_running_run(&world.store, &ada.scope).await;
        let mut told = world.store.live().subscribe(store::Topic::Cancel(claimed.spec.run));
        assert_eq!(cancel(&world.store, &ada.scope, claimed.spec.run).await, CancelRequest::Requested);
        told.changed().await;
        assert_eq!(cancel(&world.store, &ada.scope, claimed.spec.run).await, CancelRequest::Requested);
        let system = world.store.system();
        assert_eq!(system.cancel_requests("worker-1").await.unwrap(), [claimed.spec.run]);
        assert_eq!(system.cancel_requests("worker-2").await.unwrap(), []);
        let appended = world.store.system().append_to_run(&claimed.lease, seq, &[open(1, 7)]).await.unwrap();
        assert_eq!(appended, Appended::Committed { next_seq: seq, is_cancel_requested: true });
        assert!(finish(&world.store, &claimed.scope, &claimed.lease, &ending(RunStatus::Cancelled)).await);
        let run = get(&world.store, &ada.scope, claimed.spec.run).await;
        assert_eq!((run.status, run.cost), (RunStatus::Cancelled, NanoUsd(7)), "what was reserved is kept");
    }
}

#[tokio::test]
async fn a_run_cancelled_while_it_is_prepared_does_not_start() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        a_run(&world.store, &ada.scope).await;
        let claimed = claim(&world.store).await;
        assert_eq!(cancel(&world.store, &ada.scope, claimed.spec.run).await, CancelRequest::Ended);
        let system = world.store.system();
        assert_eq!(system.append_to_run(&claimed.lease, 2, &[started()]).await.unwrap(), Appended::LeaseLost);
        assert!(!finish(&world.store, &claimed.scope, &claimed.lease, &ending(RunStatus::Failed)).await);
        assert_eq!(get(&world.store, &ada.scope, claimed.spec.run).await.status, RunStatus::Cancelled);
    }
}
