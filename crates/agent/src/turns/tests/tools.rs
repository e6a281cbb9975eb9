//! What happens between two turns.

use serde_json::json;

use super::super::*;
use super::world::*;

#[tokio::test(start_paused = true)]
async fn results_come_back_in_the_order_of_the_calls() {
    let mut world = World::new([
        calls(&[
            ("refund", json!({"order": 1})),
            ("log", json!({"level": "info", "message": "x"})),
            ("read", json!({"path": "a"})),
            ("provider_call", json!({"provider": "@a/b", "url": "https://x"})),
        ]),
        says("done"),
    ]);
    world.acts.insert("refund", Act::After(500));
    assert_eq!(world.run().await.failure, None);
    let requests = world.requests.lock().expect("lock");
    let Some(Message::Tool { results }) = requests[1].messages.last() else { panic!("tool results") };
    assert_eq!(results.iter().map(|result| result.name.as_str()).collect::<Vec<_>>(), ["refund", "log", "read", "provider_call"]);
    assert_eq!(results[0].content[0], Block::text("<appstrate-data source=\"refund\">\ndone\n</appstrate-data>"));
    assert_eq!(results[1].content[0], Block::text("Logged."));
}

#[tokio::test(start_paused = true)]
async fn calls_run_side_by_side_but_changes_to_files_keep_their_order() {
    let mut world = World::new([
        calls(&[
            ("read", json!({"path": "a"})),
            ("grep", json!({"pattern": "x"})),
            ("write", json!({"path": "a", "content": "1"})),
            ("edit", json!({"path": "a", "edits": [{"oldText": "1", "newText": "2"}]})),
            ("ls", json!({})),
            ("refund", json!({})),
        ]),
        says("done"),
    ]);
    for tool in ["read", "grep", "write", "edit", "ls", "refund"] {
        world.acts.insert(tool, Act::After(100));
    }
    assert_eq!(world.run().await.failure, None);
    let work = world.work.lock().expect("lock");
    let at = |line: &str| work.iter().position(|done| done == line).unwrap_or_else(|| panic!("{line} is missing in {work:?}"));
    assert!(at("start grep 2") < at("end read 1"), "reading tools overlap");
    assert!(at("start refund 6") < at("end read 1"), "packages overlap with everything");
    assert!(at("end read 1") < at("start write 3") && at("end grep 2") < at("start write 3"));
    assert!(at("end write 3") < at("start edit 4") && at("end edit 4") < at("start ls 5"));
}

#[tokio::test(start_paused = true)]
async fn a_call_starts_only_after_its_event_is_committed() {
    let mut world = World::new([calls(&[("bash", json!({"command": "rm"}))])]);
    world.journal_lives_for = 1;
    assert_eq!(code(&world.run().await), Some(FailureCode::Internal));
    assert!(world.work.lock().expect("lock").is_empty(), "what is not recorded is not done");
}

#[tokio::test(start_paused = true)]
async fn wrong_calls_are_answered_so_that_the_model_can_repair_them() {
    let world = World::new([
        calls(&[
            ("reed", json!({})),
            ("read", json!({"paht": "a"})),
            ("refund", json!("{\"order\": 7")),
            ("refund", json!({"order": "x"})),
        ]),
        says("sorry"),
    ]);
    assert_eq!(world.run().await.failure, None);
    assert!(world.work.lock().expect("lock").is_empty());
    let texts = world.last_texts(1);
    assert!(texts[0].contains("There is no tool \"reed\""));
    assert!(texts[1].contains("path") && texts[2].contains("no complete JSON") && texts[3].contains("/order"), "{texts:?}");
    let requests = world.requests.lock().expect("lock");
    let Some(Message::Tool { results }) = requests[1].messages.last() else { panic!("tool results") };
    assert!(results.iter().all(|result| result.is_error));
}

#[tokio::test(start_paused = true)]
async fn a_bad_output_is_repaired() {
    let schema = json!({"type": "object", "properties": {"verdict": {"enum": ["keep", "refund"]}}, "required": ["verdict"]});
    let world = World::with_schema(
        Some(schema),
        [
            calls(&[("output", json!({"data": {"verdict": "burn"}}))]),
            calls(&[("output", json!({"data": {"verdict": "keep"}}))]),
            says("done"),
        ],
    );
    let outcome = world.run().await;
    assert_eq!((outcome.failure, outcome.output), (None, Some(json!({"verdict": "keep"}))));
    assert!(world.last_texts(1)[0].contains("/verdict"));
    assert_eq!(world.event_names().iter().filter(|name| *name == "output").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_during_a_tool_reaches_it_and_is_recorded() {
    let mut world = World::new([calls(&[("bash", json!({"command": "sleep"})), ("write", json!({"path": "a", "content": "b"}))])]);
    world.acts.insert("bash", Act::UntilCancelled);
    world.cancel_at_start_of = Some("bash");
    let outcome = world.run().await;
    assert_eq!(outcome.failure, Some(Failure::new(FailureCode::Cancelled, "Stopped by a user.")));
    assert_eq!(world.event_names(), ["turn.completed", "tool.started bash", "tool.completed bash"]);
    assert_eq!(*world.work.lock().expect("lock"), ["start bash 1", "end bash 1"], "the next call never starts");
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_does_not_listen_is_left_behind() {
    let mut world = World::new([calls(&[("bash", json!({"command": "sleep"}))])]);
    world.acts.insert("bash", Act::Deaf);
    world.cancel_at_start_of = Some("bash");
    assert_eq!(code(&world.run().await), Some(FailureCode::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_never_ends_is_given_up_and_the_run_goes_on() {
    let mut world = World::new([calls(&[("refund", json!({})), ("bash", json!({"command": "x", "timeout": 2}))]), says("done")]);
    world.acts.extend([("refund", Act::Deaf), ("bash", Act::UntilCancelled)]);
    assert_eq!(world.run().await.failure, None);
    let texts = world.last_texts(1);
    assert!(texts[0].contains("did not end within 120 seconds"), "{texts:?}");
    assert!(texts[1].contains("was cancelled"), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_beside_a_lost_one_end_with_a_record() {
    let mut world = World::new([calls(&[("read", json!({"path": "a"})), ("grep", json!({"pattern": "x"}))])]);
    world.acts.extend([("grep", Act::Lost), ("read", Act::UntilCancelled)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::SandboxFailed));
    assert_eq!(*world.work.lock().expect("lock"), ["start read 1", "start grep 2", "end grep 2", "end read 1"]);
    assert!(world.event_names().contains(&"tool.completed read".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn at_most_eight_calls_run_at_once() {
    let many: Vec<_> = (0..20).map(|order| ("refund", json!({"order": order}))).collect();
    let mut world = World::new([calls(&many), says("done")]);
    world.acts.insert("refund", Act::After(100));
    assert_eq!(world.run().await.failure, None);
    let work = world.work.lock().expect("lock");
    let mut going = 0_i32;
    let most = work
        .iter()
        .map(|line| {
            going += if line.starts_with("start") { 1 } else { -1 };
            going
        })
        .max();
    assert_eq!(most, Some(8));
}

#[tokio::test(start_paused = true)]
async fn a_lost_sandbox_ends_the_run_and_the_calls_beside_it() {
    let mut world =
        World::new([calls(&[("provider_call", json!({"provider": "@a/b", "url": "https://x"})), ("bash", json!({"command": "x"}))])]);
    world.acts.extend([("bash", Act::Lost), ("provider_call", Act::UntilCancelled)]);
    let outcome = world.run().await;
    assert_eq!(outcome.failure, Some(Failure::new(FailureCode::SandboxFailed, "The sandbox died.")));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_repeats_itself_is_told_and_then_stopped() {
    let same = || calls(&[("read", json!({"path": "a"}))]);
    let world = World::new((0..6).map(|_| same()));
    let outcome = world.run().await;
    assert_eq!(code(&outcome), Some(FailureCode::ModelMisbehaved));
    assert!(world.last_texts(3)[0].contains("same arguments and the same result"), "{:?}", world.last_texts(3));

    let mut world = World::new((0..8).map(|_| same()).chain([says("done")]));
    world.acts.insert("read", Act::Count);
    assert_eq!(world.run().await.failure, None, "new results are no repetition");
}

#[tokio::test(start_paused = true)]
async fn doubled_and_missing_call_ids_are_made_unique() {
    let Step::Reply(mut turn) = calls(&[("refund", json!({})), ("refund", json!({"order": 2})), ("refund", json!({"order": 3}))]) else {
        panic!("a reply")
    };
    for (call, id) in turn.message.tool_calls.iter_mut().zip(["same", "same", ""]) {
        id.clone_into(&mut call.id);
    }
    let world = World::new([Step::Reply(turn), says("done")]);
    assert_eq!(world.run().await.failure, None);
    let requests = world.requests.lock().expect("lock");
    let Some(Message::Tool { results }) = requests[1].messages.last() else { panic!("tool results") };
    assert_eq!(results.iter().map(|result| result.tool_call_id.as_str()).collect::<Vec<_>>(), ["same", "call_1_1", "call_1_2"]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_calls_is_misbehavior() {
    let many: Vec<_> = (0..65).map(|order| ("refund", json!({"order": order}))).collect();
    let world = World::new([calls(&many)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelMisbehaved));
    assert!(world.work.lock().expect("lock").is_empty());
}
