//! What servers do differently within one protocol.

use serde_json::json;
use wire::message::StopReason;

use super::*;

fn events(protocol_events: &[Value]) -> FakeTransport {
    let lines: Vec<_> = protocol_events.iter().map(|event| format!("data: {event}\n\n")).collect();
    FakeTransport::text(&lines.concat())
}

async fn completion(chunks: &[Value]) -> Turn {
    turn(ModelProtocol::OpenAiCompletions, &events(chunks)).await.expect("a message")
}

fn chunk(delta: &Value, finish: Option<&str>) -> Value {
    json!({"choices": [{"delta": delta, "finish_reason": finish}]})
}

#[tokio::test]
async fn calls_with_the_same_or_no_index_are_told_apart_by_their_ids() {
    for index in [json!(0), Value::Null] {
        let call = |id: &str, arguments: &str| json!({"tool_calls": [{"index": index, "id": id, "function": {"name": "x", "arguments": arguments}}]});
        let turn = completion(&[
            chunk(&call("a", "{\"n\":1}"), None),
            chunk(&call("b", "{\"n\":"), None),
            chunk(&json!({"tool_calls": [{"index": index, "function": {"arguments": "2}"}}]}), None),
            chunk(&json!({}), Some("stop")),
        ])
        .await;
        let calls: Vec<_> = turn.message.tool_calls.iter().map(|call| (call.id.as_str(), call.arguments["n"].as_u64())).collect();
        assert_eq!(calls, [("a", Some(1)), ("b", Some(2))]);
        assert_eq!((turn.stop, turn.usage), (StopReason::ToolCalls, None), "calls count although the server says stop");
    }
}

#[tokio::test]
async fn a_stream_may_end_without_done_and_report_usage_in_every_chunk() {
    let mut last = chunk(&json!({"content": "b"}), Some("length"));
    last["usage"] = json!({"prompt_tokens": 5, "completion_tokens": 2});
    let mut first = chunk(&json!({"content": "a"}), None);
    first["usage"] = json!({"prompt_tokens": 5, "completion_tokens": 1});
    let turn = completion(&[first, last]).await;
    assert_eq!((turn.message.text.as_str(), turn.stop, turn.usage.map(|usage| usage.output)), ("ab", StopReason::Length, Some(2)));
}

#[tokio::test]
async fn refusals_are_told() {
    let refused = completion(&[chunk(&json!({"refusal": "I cannot"}), None), chunk(&json!({}), Some("stop"))]).await;
    assert_eq!((refused.stop, refused.message.text.as_str()), (StopReason::Refused, "I cannot"));
    let filtered = completion(&[chunk(&json!({}), Some("content_filter"))]).await;
    assert_eq!(filtered.stop, StopReason::Refused);
    let item = json!({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]});
    let end = json!({"type": "response.completed", "response": {"status": "completed", "output": [item]}});
    let refused = turn(ModelProtocol::OpenAiResponses, &events(&[end])).await.expect("a message");
    assert_eq!((refused.stop, refused.message.text.as_str()), (StopReason::Refused, "no"));
    let refused =
        turn(ModelProtocol::AnthropicMessages, &events(&[json!({"type": "message_delta", "delta": {"stop_reason": "refusal"}})])).await;
    assert_eq!(refused.expect("a message").stop, StopReason::Refused);
}

#[tokio::test]
async fn a_response_whose_items_come_only_at_the_end_is_whole() {
    let item = json!({"type": "function_call", "call_id": "c", "name": "x", "arguments": ""});
    let end = json!({"type": "response.completed", "response": {"status": "completed", "output": [item], "usage": null}});
    let turn = turn(ModelProtocol::OpenAiResponses, &events(&[end])).await.expect("a message");
    assert_eq!((turn.message.tool_calls[0].arguments.clone(), turn.stop, turn.usage), (json!({}), StopReason::ToolCalls, None));
}

#[tokio::test]
async fn an_incomplete_response_is_cut_or_filtered() {
    for (reason, wanted) in [("max_output_tokens", StopReason::Length), ("content_filter", StopReason::Refused)] {
        let end = json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": reason}, "output": []}});
        assert_eq!(turn(ModelProtocol::OpenAiResponses, &events(&[end])).await.expect("ends").stop, wanted);
    }
}

#[tokio::test]
async fn a_call_cut_by_the_output_limit_keeps_its_text_for_the_loop_to_refuse() {
    let turn = turn(
        ModelProtocol::AnthropicMessages,
        &events(&[
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "c", "name": "write", "input": {}}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"path\": \"a"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"input_tokens": 3, "output_tokens": 9}}),
        ]),
    )
    .await
    .expect("a message");
    assert_eq!((&turn.message.tool_calls[0].arguments, turn.stop), (&json!("{\"path\": \"a"), StopReason::Length));
    assert_eq!(turn.usage.map(|usage| (usage.input, usage.output)), Some((3, 9)));
}

#[tokio::test]
async fn anthropic_input_may_come_whole_and_unknown_events_are_ignored() {
    let turn = turn(
        ModelProtocol::AnthropicMessages,
        &events(&[
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "x"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "thinking", "thinking": "unsigned"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "brand_new"}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "c", "name": "x", "input": {"n": 1}}}),
            json!({"type": "content_block_stop", "index": 2}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        ]),
    )
    .await
    .expect("a message");
    assert_eq!((&turn.message.tool_calls[0].arguments, turn.stop), (&json!({"n": 1}), StopReason::ToolCalls));
    assert_eq!(turn.message.opaque, [json!({"raw": {"type": "redacted_thinking", "data": "x"}}), json!({"call": 0})]);
}
