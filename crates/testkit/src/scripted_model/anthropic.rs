//! Anthropic messages, streamed.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Call, Protocol, Usage, pieces};

pub(super) struct Anthropic;

pub(super) async fn serve(
    state: axum::extract::State<std::sync::Arc<super::Shared>>,
    headers: axum::http::HeaderMap,
    body: axum::body::Bytes,
) -> axum::response::Response {
    super::serve::<Anthropic>(state, headers, body).await
}

impl Protocol for Anthropic {
    const PATH: &'static str = "/v1/messages";

    fn turns(request: &Value) -> usize {
        request["messages"].as_array().map_or(0, |messages| messages.iter().filter(|message| message["role"] == "assistant").count())
    }

    fn stream(text: &str, calls: &[Call], usage: Usage) -> String {
        let mut out = String::new();
        let mut send = |kind: &str, mut event: Value| {
            event["type"] = json!(kind);
            write!(out, "event: {kind}\ndata: {event}\n\n").expect("writing to a string works");
        };
        let start =
            json!({ "input_tokens": usage.input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1 });
        send(
            "message_start",
            json!({ "message": { "id": "msg_scripted", "type": "message", "role": "assistant", "content": [], "model": "scripted", "stop_reason": null, "usage": start } }),
        );
        let mut index = 0;
        if !text.is_empty() {
            send("content_block_start", json!({ "index": index, "content_block": { "type": "text", "text": "" } }));
            for piece in pieces(text) {
                send("content_block_delta", json!({ "index": index, "delta": { "type": "text_delta", "text": piece } }));
            }
            send("content_block_stop", json!({ "index": index }));
            index += 1;
        }
        for call in calls {
            let block = json!({ "type": "tool_use", "id": format!("toolu_{index}_{}", usage.input), "name": call.name, "input": {} });
            send("content_block_start", json!({ "index": index, "content_block": block }));
            for piece in pieces(&call.arguments.to_string()) {
                send("content_block_delta", json!({ "index": index, "delta": { "type": "input_json_delta", "partial_json": piece } }));
            }
            send("content_block_stop", json!({ "index": index }));
            index += 1;
        }
        let stop = if calls.is_empty() { "end_turn" } else { "tool_use" };
        send(
            "message_delta",
            json!({ "delta": { "stop_reason": stop, "stop_sequence": null }, "usage": { "output_tokens": usage.output } }),
        );
        send("message_stop", json!({}));
        out
    }

    fn error(status: u16) -> Value {
        let kind = match status {
            401 => "authentication_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        json!({ "type": "error", "error": { "type": kind, "message": format!("scripted refusal {status}") } })
    }
}
