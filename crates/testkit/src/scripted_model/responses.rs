//! OpenAI responses, streamed.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Call, Protocol, Usage, pieces};

pub(super) struct Responses;

pub(super) async fn serve(
    state: axum::extract::State<std::sync::Arc<super::Shared>>,
    headers: axum::http::HeaderMap,
    body: axum::body::Bytes,
) -> axum::response::Response {
    super::serve::<Responses>(state, headers, body).await
}

impl Protocol for Responses {
    const PATH: &'static str = "/v1/responses";

    /// A turn is a run of assistant messages and function calls, ended by something else.
    fn turns(request: &Value) -> usize {
        let Some(items) = request["input"].as_array() else { return 0 };
        let ours = |item: &Value| item["type"] == "function_call" || item["type"] == "reasoning" || item["role"] == "assistant";
        let mut turns = 0;
        let mut inside = false;
        for item in items {
            if ours(item) && !inside {
                turns += 1;
            }
            inside = ours(item);
        }
        turns
    }

    fn stream(text: &str, calls: &[Call], usage: Usage) -> String {
        let mut out = String::new();
        let mut send = |kind: &str, mut event: Value| {
            event["type"] = json!(kind);
            write!(out, "event: {kind}\ndata: {event}\n\n").expect("writing to a string works");
        };
        let mut items = Vec::new();
        send("response.created", json!({ "response": { "id": "resp_scripted", "status": "in_progress", "output": [] } }));
        if !text.is_empty() {
            let at = items.len();
            send(
                "response.output_item.added",
                json!({ "output_index": at, "item": { "id": "msg_0", "type": "message", "role": "assistant", "content": [] } }),
            );
            for piece in pieces(text) {
                send("response.output_text.delta", json!({ "item_id": "msg_0", "output_index": at, "content_index": 0, "delta": piece }));
            }
            let item = json!({ "id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [{ "type": "output_text", "text": text, "annotations": [] }] });
            send("response.output_item.done", json!({ "output_index": at, "item": item }));
            items.push(item);
        }
        for (index, call) in calls.iter().enumerate() {
            let at = items.len();
            let (id, call_id) = (format!("fc_{index}"), format!("call_{index}_{}", usage.input));
            let arguments = call.arguments.to_string();
            send(
                "response.output_item.added",
                json!({ "output_index": at, "item": { "id": id, "type": "function_call", "call_id": call_id, "name": call.name, "arguments": "" } }),
            );
            for piece in pieces(&arguments) {
                send("response.function_call_arguments.delta", json!({ "item_id": id, "output_index": at, "delta": piece }));
            }
            send("response.function_call_arguments.done", json!({ "item_id": id, "output_index": at, "arguments": arguments }));
            let item = json!({ "id": id, "type": "function_call", "status": "completed", "call_id": call_id, "name": call.name, "arguments": arguments });
            send("response.output_item.done", json!({ "output_index": at, "item": item }));
            items.push(item);
        }
        let total = json!({ "input_tokens": usage.input, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": usage.output, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": usage.input + usage.output });
        send(
            "response.completed",
            json!({ "response": { "id": "resp_scripted", "status": "completed", "output": items, "usage": total } }),
        );
        out
    }

    fn error(status: u16) -> Value {
        json!({ "error": { "message": format!("scripted refusal {status}"), "type": "scripted", "code": null } })
    }
}
