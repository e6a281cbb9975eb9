//! OpenAI chat completions, streamed.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Call, Protocol, Usage, pieces};

pub(super) struct Chat;

pub(super) async fn serve(
    state: axum::extract::State<std::sync::Arc<super::Shared>>,
    headers: axum::http::HeaderMap,
    body: axum::body::Bytes,
) -> axum::response::Response {
    super::serve::<Chat>(state, headers, body).await
}

impl Protocol for Chat {
    const PATH: &'static str = "/v1/chat/completions";

    fn turns(request: &Value) -> usize {
        request["messages"].as_array().map_or(0, |messages| messages.iter().filter(|message| message["role"] == "assistant").count())
    }

    fn stream(text: &str, calls: &[Call], usage: Usage) -> String {
        let mut out = String::new();
        let mut send = |choices: Value, usage: Value| {
            let chunk = json!({ "id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": choices, "usage": usage });
            write!(out, "data: {chunk}\n\n").expect("writing to a string works");
        };
        let delta = |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
        send(delta(json!({ "role": "assistant", "content": "" }), Value::Null), Value::Null);
        for piece in pieces(text) {
            send(delta(json!({ "content": piece }), Value::Null), Value::Null);
        }
        for (index, call) in calls.iter().enumerate() {
            let begin = json!({ "index": index, "id": format!("call_{index}_{}", usage.input), "type": "function", "function": { "name": call.name, "arguments": "" } });
            send(delta(json!({ "tool_calls": [begin] }), Value::Null), Value::Null);
            for piece in pieces(&call.arguments.to_string()) {
                send(delta(json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] }), Value::Null), Value::Null);
            }
        }
        let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
        send(delta(json!({}), json!(finish)), Value::Null);
        let total = json!({ "prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.input + usage.output, "prompt_tokens_details": { "cached_tokens": 0 } });
        send(json!([]), total);
        out.push_str("data: [DONE]\n\n");
        out
    }

    fn error(status: u16) -> Value {
        json!({ "error": { "message": format!("scripted refusal {status}"), "type": "scripted", "code": null } })
    }
}
