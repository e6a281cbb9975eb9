use serde_json::json;
use wire::run_spec::MemoryEntry;

use super::*;

fn text(effect: &Effect) -> &str {
    match &effect.outcome.content[0] {
        wire::message::Block::Text { text } => text,
        wire::message::Block::Image { .. } => panic!("own tools answer in text"),
    }
}

fn output_of(schema: &Value) -> Output {
    Output::new(Some(schema)).expect("the schema compiles")
}

fn order_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "order": {"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}},
            "verdict": {"enum": ["refund", "keep"]},
            "tags": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["order", "verdict"]
    })
}

#[test]
fn parts_merge_deeply_and_only_the_whole_completes() {
    let mut output = output_of(&order_schema());
    assert!(output.missing().is_some());
    let first = output.merge(&json!({"data": {"order": {"id": 7}, "tags": ["a", "b"]}}));
    assert!(!first.outcome.is_error);
    assert!(text(&first).contains("verdict"), "{}", text(&first));
    let second = output.merge(&json!({"data": {"order": {"note": "n"}, "verdict": "refund", "tags": ["c"]}}));
    assert!(text(&second).contains("complete"));
    let whole = json!({"order": {"id": 7, "note": "n"}, "verdict": "refund", "tags": ["c"]});
    assert_eq!(second.event, Some(RunEvent::Output { output: whole.clone() }));
    assert_eq!(output.missing(), None);
    assert_eq!(output.into_value(), Some(whole));
}

#[test]
fn a_part_that_does_not_fit_is_answered_and_not_kept() {
    let mut output = output_of(&order_schema());
    assert!(!output.merge(&json!({"data": {"order": {"id": 7}}})).outcome.is_error);
    let bad = output.merge(&json!({"data": {"order": {"id": "seven"}, "verdict": "burn"}}));
    assert!(bad.outcome.is_error && bad.event.is_none());
    assert!(text(&bad).contains("/order/id") && text(&bad).contains("/verdict"), "{}", text(&bad));
    for wrong in [json!({}), json!({"data": "x"}), json!([])] {
        assert!(output.merge(&wrong).outcome.is_error);
    }
    assert_eq!(output.into_value(), Some(json!({"order": {"id": 7}})));
}

#[test]
fn without_a_schema_any_object_is_an_output_and_none_is_needed() {
    let mut output = Output::new(None).expect("no schema");
    assert_eq!(output.missing(), None);
    assert!(!output.merge(&json!({"data": {"a": {"b": 1}}})).outcome.is_error);
    assert!(!output.merge(&json!({"data": {"a": {"c": null}}})).outcome.is_error);
    assert_eq!(output.into_value(), Some(json!({"a": {"b": 1, "c": null}})));
}

#[test]
fn a_broken_output_schema_is_a_preparation_failure() {
    assert!(Output::new(Some(&json!({"type": "no such type"}))).is_err());
}

#[test]
fn reports_are_joined_with_a_blank_line_and_bounded() {
    let mut report = Report::default();
    report.append(&json!({"content": "# One"}));
    report.append(&json!({"content": "Two"}));
    assert!(report.append(&json!({"content": "x".repeat(1024 * 1024)})).outcome.is_error);
    assert_eq!(report.into_text().as_deref(), Some("# One\n\nTwo"));
}

#[test]
fn the_last_state_that_fits_holds() {
    let mut state = State::default();
    state.set(&json!({"state": {"cursor": 1}}));
    state.set(&json!({"state": {"cursor": 2}}));
    assert!(state.set(&json!({"state": {"blob": "x".repeat(64 * 1024)}})).outcome.is_error);
    assert_eq!(state.into_value(), Some(json!({"cursor": 2})));
}

#[test]
fn a_hundred_memories_stay_and_the_oldest_own_one_is_named_when_it_goes() {
    let seen: Vec<_> = (0..101)
        .map(|number| MemoryEntry { key: (number == 50).then(|| "fifty".to_owned()), text: format!("text {number}"), own: number > 0 })
        .collect();
    let mut memories = Memories::new(&seen);
    let keyed = memories.add(&json!({"content": "new fifty", "key": "fifty"}));
    assert!(text(&keyed).contains("in place of") && !text(&keyed).contains("dropped"));
    let plain = memories.add(&json!({"content": "one more"}));
    assert!(text(&plain).contains("dropped: \"text 1\""), "{}", text(&plain));
    let next = memories.add(&json!({"content": "and one more"}));
    assert!(text(&next).contains("dropped: \"text 2\""), "{}", text(&next));
    assert_eq!(memories.into_writes().len(), 3);
}

#[test]
fn entries_without_a_key_never_replace_one_another() {
    let mut memories = Memories::new(&[]);
    memories.add(&json!({"content": "a"}));
    assert_eq!(text(&memories.add(&json!({"content": "b"}))), "Remembered.");
}

#[test]
fn log_lines_carry_level_and_data() {
    let effect = log::line(&json!({"level": "warn", "message": "m", "data": {"a": 1}}));
    let wanted = RunEvent::Log { level: wire::run_event::LogLevel::Warn, message: "m".to_owned(), data: Some(json!({"a": 1})) };
    assert_eq!(effect.event, Some(wanted));
}
