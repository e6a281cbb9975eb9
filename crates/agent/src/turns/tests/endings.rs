//! Every way a run can end.

use domain::NanoUsd;
use serde_json::json;
use wire::control::LedgerState;
use wire::message::Usage;

use super::super::*;
use super::world::*;
use crate::model::{ModelError, ModelErrorKind};

#[tokio::test(start_paused = true)]
async fn a_run_that_just_answers_succeeds_and_is_counted() {
    let world = World::new([says("hello")]);
    let outcome = world.run().await;
    assert_eq!(outcome.failure, None);
    assert_eq!((outcome.usage, outcome.cost), (USAGE, NanoUsd(100 * 1_000 + 20 * 2_000 + 50 * 100)));
    assert_eq!(world.event_names(), ["turn.completed"]);
    assert_eq!(*world.deltas.lock().expect("lock"), "hello");
    let settled = world.settled.lock().expect("lock")[0].1;
    assert_eq!(settled.state, LedgerState::Priced);
    assert!(world.opened.lock().expect("lock")[0].1 >= settled.cost, "the reservation covers the cost");
}

#[tokio::test(start_paused = true)]
async fn everything_kept_is_in_the_outcome_even_of_a_failed_run() {
    let world = World::new([
        calls(&[
            ("output", json!({"data": {"a": 1}})),
            ("report", json!({"content": "# Report"})),
            ("set_state", json!({"state": {"cursor": 9}})),
            ("add_memory", json!({"content": "m", "key": "k"})),
            ("log", json!({"level": "info", "message": "line"})),
        ]),
        Step::Fail(ModelError::new(ModelErrorKind::Authentication, "401 invalid key")),
    ]);
    let outcome = world.run().await;
    assert_eq!(code(&outcome), Some(FailureCode::ModelAuthentication));
    assert_eq!(outcome.output, Some(json!({"a": 1})));
    assert_eq!(outcome.report.as_deref(), Some("# Report"));
    assert_eq!(outcome.state, Some(json!({"cursor": 9})));
    assert_eq!(outcome.memories.len(), 1);
    assert_eq!(outcome.usage, USAGE, "a refused call costs nothing");
    assert_eq!(
        world.event_names(),
        [
            "turn.completed",
            "tool.started output",
            "output",
            "tool.completed output",
            "tool.started report",
            "report",
            "tool.completed report",
            "tool.started set_state",
            "state.set",
            "tool.completed set_state",
            "tool.started add_memory",
            "memory.added",
            "tool.completed add_memory",
            "tool.started log",
            "log",
            "tool.completed log",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_output_is_asked_for_twice_and_then_fails_the_run() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let world = World::with_schema(Some(schema.clone()), [says("done"), says("really"), says("yes")]);
    let outcome = world.run().await;
    assert_eq!(code(&outcome), Some(FailureCode::OutputMissing));
    assert_eq!(world.requests.lock().expect("lock").len(), 3);

    let world = World::with_schema(Some(schema), [says("done"), calls(&[("output", json!({"data": {"n": 1}}))]), says("now")]);
    assert_eq!(world.run().await.failure, None);
    assert!(world.last_texts(1)[0].contains("Call `output` now"));
}

#[tokio::test(start_paused = true)]
async fn a_cut_answer_is_continued_once() {
    let cut = || reply("a long", &[], StopReason::Length);
    let world = World::new([cut(), says("end")]);
    assert_eq!(world.run().await.failure, None);
    assert!(world.last_texts(1)[0].contains("Go on where it ended"));
    let world = World::new([cut(), cut()]);
    assert_eq!(world.run().await.failure, None, "a second cut ends the run with what there is");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_run() {
    let world = World::new([reply("I cannot", &[], StopReason::Refused)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelRejected));
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_model_is_tried_four_times_with_pauses() {
    let world =
        World::new([fails(ModelErrorKind::Overloaded), fails(ModelErrorKind::RateLimited), fails(ModelErrorKind::Server), says("at last")]);
    let outcome = world.run().await;
    assert_eq!((outcome.failure, outcome.usage), (None, USAGE));
    assert_eq!(world.event_names(), ["log", "log", "log", "turn.completed"]);

    let world = World::new((0..4).map(|_| fails(ModelErrorKind::Unreachable)));
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelUnreachable));
}

#[tokio::test(start_paused = true)]
async fn garbage_gets_one_more_try_and_a_rejection_none() {
    let world = World::new([fails(ModelErrorKind::Garbage), fails(ModelErrorKind::Garbage)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelMisbehaved));
    let world = World::new([fails(ModelErrorKind::Rejected)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelRejected));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_runs_time_ends_it_at_once() {
    let error = ModelError { retry_after: Some(Duration::from_hours(1)), ..ModelError::new(ModelErrorKind::RateLimited, "429") };
    let world = World::new([Step::Fail(error)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelOverloaded));
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_counted_with_what_was_reported() {
    let usage = Some(Usage { input: 500, ..Usage::default() });
    let error = ModelError { usage, ..ModelError::new(ModelErrorKind::Unreachable, "the stream was cut") };
    let world = World::new([Step::Fail(error), says("ok")]);
    let outcome = world.run().await;
    assert_eq!(outcome.usage.input, 600);
    assert_eq!(world.settled.lock().expect("lock")[0].1.state, LedgerState::Estimated);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_reports_no_usage_is_estimated() {
    let Step::Reply(mut turn) = says("some words here") else { panic!("a reply") };
    turn.usage = None;
    let world = World::new([Step::Reply(turn)]);
    let outcome = world.run().await;
    assert!(outcome.usage.input > 0 && outcome.usage.output >= 5, "{:?}", outcome.usage);
    assert_eq!(world.settled.lock().expect("lock")[0].1.state, LedgerState::Estimated);
}

#[tokio::test(start_paused = true)]
async fn without_a_price_nothing_costs_and_the_ledger_says_so() {
    let mut world = World::new([says("x")]);
    world.spec.model.price = None;
    world.spec.limits.max_cost = Some(NanoUsd(1));
    assert_eq!(world.run().await.failure, None);
    assert_eq!(world.settled.lock().expect("lock")[0].1.state, LedgerState::Unpriced);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_model_ends_with_the_runs_time() {
    let mut world = World::new([Step::Hang("half a sente")]);
    world.time = Duration::from_secs(30);
    let outcome = world.run().await;
    assert_eq!(code(&outcome), Some(FailureCode::TimedOut));
    assert!(outcome.usage.input > 0 && outcome.usage.output >= 4, "a call that was stopped is estimated");
    assert_eq!(world.settled.lock().expect("lock")[0].1.state, LedgerState::Estimated);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_before_during_and_between_calls_keeps_its_reason() {
    let world = World::new([]);
    world.cancel.request(Failure::new(FailureCode::ServerRestarted, "restart"));
    assert_eq!(code(&world.run().await), Some(FailureCode::ServerRestarted));

    let world = World::new([Step::Hang("")]);
    let (outcome, ()) = tokio::join!(world.run(), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.cancel.request(Failure::new(FailureCode::Cancelled, "stop"));
    });
    assert_eq!(code(&outcome), Some(FailureCode::Cancelled));

    let world = World::new([fails(ModelErrorKind::Overloaded)]);
    let (outcome, ()) = tokio::join!(world.run(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.cancel.request(Failure::new(FailureCode::Cancelled, "stop"));
    });
    assert_eq!(code(&outcome), Some(FailureCode::Cancelled), "also while it waits for the next try");
}

#[tokio::test(start_paused = true)]
async fn turn_token_and_cost_caps_hold_before_the_call() {
    let work = || calls(&[("bash", json!({"command": "x"}))]);
    let mut world = World::new([work(), work()]);
    world.acts.insert("bash", Act::Count);
    world.spec.limits.max_turns = 2;
    assert_eq!(code(&world.run().await), Some(FailureCode::TurnLimit));

    let mut world = World::new([]);
    world.spec.limits.max_tokens = 100;
    assert_eq!(code(&world.run().await), Some(FailureCode::TokenLimit));
    let Step::Reply(mut turn) = work() else { panic!("a reply") };
    turn.usage = Some(Usage { input: 4_900, ..Usage::default() });
    let mut world = World::new([Step::Reply(turn)]);
    world.spec.limits.max_tokens = 5_000;
    assert_eq!(code(&world.run().await), Some(FailureCode::TokenLimit), "what was used counts");

    let mut world = World::new([says("short")]);
    world.spec.limits.max_cost = Some(NanoUsd(5_000_000));
    assert_eq!(world.run().await.failure, None);
    let offered = world.requests.lock().expect("lock")[0].max_output_tokens;
    assert!(offered < 4_000, "the answer was limited to what the run can pay: {offered}");

    let mut world = World::new([]);
    world.spec.limits.max_cost = Some(NanoUsd(100_000));
    assert_eq!(code(&world.run().await), Some(FailureCode::CostLimit));
}

#[tokio::test(start_paused = true)]
async fn a_lost_journal_ends_the_run() {
    let mut world = World::new([calls(&[("log", json!({"level": "info", "message": "x"}))])]);
    world.journal_lives_for = 2;
    assert_eq!(code(&world.run().await), Some(FailureCode::Internal));
}

#[tokio::test(start_paused = true)]
async fn an_output_schema_that_is_none_fails_before_any_call() {
    let mut world = World::new([]);
    world.spec.output_schema = Some(json!({"type": "nonsense"}));
    assert_eq!(code(&world.run().await), Some(FailureCode::PreparationFailed));
}

#[tokio::test(start_paused = true)]
async fn a_long_conversation_is_compacted_with_its_calls_paired() {
    // Without reported usage the size is estimated from the texts: about 8,000 tokens for each result.
    let work = |command: &str| {
        let Step::Reply(mut turn) = calls(&[("bash", json!({"command": command}))]) else { panic!("a reply") };
        turn.usage = None;
        Step::Reply(turn)
    };
    let mut world = World::new([work("one"), work("two"), says("NOTES: the order is 7"), says("done")]);
    world.spec.model.context_window = 20_000;
    world.acts.insert("bash", Act::Long(24_000));
    assert_eq!(world.run().await.failure, None);
    let events = world.events.lock().expect("lock");
    let compacted: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            RunEvent::ContextCompacted { tokens_before, tokens_after } => Some((*tokens_before, *tokens_after)),
            _ => None,
        })
        .collect();
    assert!(matches!(compacted[..], [(before, after)] if before > 16_000 && after < 12_000), "{compacted:?}");
    let requests = world.requests.lock().expect("lock");
    assert_eq!(requests.iter().map(|seen| seen.has_tools).collect::<Vec<_>>(), [true, true, false, true]);
    let after = &requests[3].messages;
    assert_eq!(after[0], Message::User { content: vec![Block::text("begin")] });
    assert!(matches!(&after[1], Message::User { content } if format!("{content:?}").contains("the order is 7")));
    assert!(matches!(&after[2], Message::Assistant(message) if message.tool_calls[0].arguments["command"] == "two"));
    assert!(matches!(&after[3], Message::Tool { results } if results[0].tool_call_id == "1"));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_cannot_become_shorter_costs_no_summary() {
    let mut world = World::new([says("done")]);
    world.spec.model.context_window = 1_000;
    assert_eq!(world.run().await.failure, None);
    assert_eq!(world.event_names(), ["turn.completed"]);
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_too_long_for_the_provider_is_compacted_once() {
    let mut world = World::new([calls(&[("bash", json!({"command": "x"}))]), fails(ModelErrorKind::ContextTooLong), says("done")]);
    world.acts.insert("bash", Act::Long(60_000));
    assert_eq!(world.run().await.failure, None);
    assert!(world.last_texts(2)[0].len() < 6_000, "the result was cut down");
    assert!(world.event_names().contains(&"context.compacted".to_owned()));
    let world = World::new([fails(ModelErrorKind::ContextTooLong), fails(ModelErrorKind::ContextTooLong)]);
    assert_eq!(code(&world.run().await), Some(FailureCode::ModelRejected));
}
