//! A run from its acceptance to its end, as it should go.

use domain::RunStatus;
use serde_json::json;
use store::EventData;
use wire::control::{MemoryWrite, Outcome, ToSidecar};
use wire::run_event::RunEvent;

use crate::fake::Step;
use crate::world::{World, names, nano, soon};

#[tokio::test]
async fn a_run_does_its_work_and_leaves_its_record_and_nothing_else() {
    for world in World::each().await {
        let outcome = Outcome { memories: vec![MemoryWrite { key: None, text: "tea".to_owned() }], ..Outcome::default() };
        let worker = world.worker(vec![
            Step::Log("hello"),
            Step::Open(1, 900),
            Step::Delta("thin"),
            Step::Settle(1, 700),
            Step::Sandbox,
            Step::History,
            Step::Event(RunEvent::Output { output: json!({"answer": 42}) }),
            Step::Event(RunEvent::StateSet { state: json!({"cursor": 7}) }),
            Step::End(outcome),
        ]);
        let new = world.new_run();
        let run = world.start_run(&new).await;
        let (ended, records) = world.ended(run).await;
        assert_eq!((ended.status, ended.error.as_deref()), (RunStatus::Success, None));
        assert_eq!((ended.output, ended.state), (Some(json!({"answer": 42})), Some(json!({"cursor": 7}))));
        assert_eq!((ended.cost, ended.usage, ended.rung.as_deref()), (nano(700), crate::fake::USAGE, Some("fake")));
        let expected = ["run.created", "run.started", "log", "sandbox.started", "output", "state.set", "run.ended"];
        assert_eq!(names(&records), expected);
        let start = worker.launch.told.lock().unwrap().first().cloned();
        let Some(ToSidecar::Start(start)) = start else { panic!("the run is handed over first") };
        assert_eq!(start.spec, new.spec);
        assert_eq!(start.model_key.unwrap().expose(), "sk-canary");
        assert_eq!(start.deadline_ms, new.spec.limits.timeout_ms);
        assert_eq!(worker.launch.descriptors.load(std::sync::atomic::Ordering::SeqCst), 3);
        worker.stop().await;

        let read = world.store.read(&world.scope.for_run()).await.unwrap();
        assert_eq!(read.states().previous(&new.spec.agent).await.unwrap(), Some(json!({"cursor": 7})));
        assert_eq!(read.memories().of_run(&new.spec.agent).await.unwrap()[0].0.text, "tea");
    }
}

#[tokio::test]
async fn a_run_may_look_at_the_successful_ones_before_it() {
    for world in World::each().await {
        let output = Step::Event(RunEvent::Output { output: json!({"n": 1}) });
        let worker = world.worker(vec![Step::History, output, Step::End(Outcome::default())]);
        let first = world.start_run(&world.new_run()).await;
        world.ended(first).await;
        let second = world.start_run(&world.new_run()).await;
        world.ended(second).await;
        let histories: Vec<_> = {
            let told = worker.launch.told.lock().unwrap();
            told.iter()
                .filter_map(|message| if let ToSidecar::History { runs, .. } = message { Some(runs.clone()) } else { None })
                .collect()
        };
        assert_eq!(histories[0], Vec::<serde_json::Value>::new());
        assert_eq!(histories[1].len(), 1);
        let entry = &histories[1][0];
        assert_eq!((&entry["id"], &entry["status"]), (&json!(first), &json!("success")));
        assert_eq!((&entry["state"], &entry["result"]), (&json!(null), &json!({"output": {"n": 1}, "report": null})));
        worker.stop().await;
    }
}

#[tokio::test]
async fn many_runs_go_on_side_by_side() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Log("a"), Step::Open(1, 5), Step::Settle(1, 5), Step::End(Outcome::default())]);
        let mut started = Vec::new();
        for _ in 0..20 {
            started.push(world.start_run(&world.new_run()).await);
        }
        for run in started {
            let (ended, records) = world.ended(run).await;
            assert_eq!((ended.status, ended.cost, records.len()), (RunStatus::Success, nano(5), 4));
        }
        worker.stop().await;
    }
}

#[tokio::test]
async fn the_models_text_reaches_followers_and_no_table() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Log("ready"), Step::Obey]);
        let run = world.start_run(&world.new_run()).await;
        world.reached(run, "log").await;
        let mut follow = world.store.follow_run(&world.scope, run, 3).await.unwrap().unwrap().with_deltas();
        let (heard, ()) = tokio::join!(soon(follow.next()), async {
            tokio::task::yield_now().await;
            world.store.pass_delta(run, "secretly thinking");
        });
        assert_eq!(heard.unwrap(), Some(store::Followed::Delta("secretly thinking".into())));
        assert!(worker.handle.cancel(run));
        let (_, records) = world.ended(run).await;
        assert!(records.iter().all(|record| !format!("{:?}", record.data).contains("secretly")));
        assert!(matches!(&records[3].data, EventData::Whole(RunEvent::Ended { status: RunStatus::Cancelled, .. })));
        worker.stop().await;
    }
}
