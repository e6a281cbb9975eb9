//! What is sent: the conversation with everything in it, in each protocol's shape.

use serde_json::json;

use super::*;

async fn sent(spec: &ModelSpec, opaque: Vec<Value>) -> (Url, HeaderMap, Value) {
    let transport = FakeTransport::refusal(400, &[], "{}");
    call(spec, &transport, &conversation(opaque)).await.0.expect_err("refused");
    transport.seen()
}

/// The order that `draft` records for: reasoning, text, first call, second call.
fn order(raw: &Value) -> Vec<Value> {
    vec![json!({"raw": raw}), json!({"text": 7}), json!({"call": 0}), json!({"call": 1})]
}

#[tokio::test]
async fn chat_completions() {
    let (url, headers, body) = sent(&spec(ModelProtocol::OpenAiCompletions), vec![]).await;
    assert_eq!(url.as_str(), "https://model.example/v1/chat/completions");
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert!(headers["authorization"].is_sensitive());
    assert_eq!(headers["accept-encoding"], "identity");
    assert_eq!(
        body,
        json!({
            "model": "test-model",
            "messages": [
                {"role": "system", "content": "be good"},
                {"role": "user", "content": "begin"},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    {"id": "call_a", "type": "function", "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}},
                    {"id": "call_b", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
                ]},
                {"role": "tool", "tool_call_id": "call_a", "content": "see\n[The image follows after the results.]"},
                {"role": "tool", "tool_call_id": "call_b", "content": "Error:\nno JSON"},
                {"role": "user", "content": [
                    {"type": "text", "text": "Image from the result of read (call_a):"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
                ]},
                {"role": "user", "content": "go on"}
            ],
            "stream": true,
            "stream_options": {"include_usage": true},
            "max_tokens": 4096,
            "tools": [{"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": {"properties": {"path": {"type": "string"}}}}}]
        })
    );
}

#[tokio::test]
async fn openai_itself_gets_the_newer_limit_and_an_effort() {
    let mut spec = spec(ModelProtocol::OpenAiCompletions);
    spec.base_url = "https://api.openai.com/v1/".parse().expect("url");
    spec.reasoning = true;
    let (url, _, body) = sent(&spec, vec![]).await;
    assert_eq!(url.as_str(), "https://api.openai.com/v1/chat/completions");
    assert_eq!(
        (&body["max_completion_tokens"], &body["max_tokens"], &body["reasoning_effort"]),
        (&json!(4096), &Value::Null, &json!("medium"))
    );
}

#[tokio::test]
async fn a_base_urls_query_stays() {
    let mut spec = spec(ModelProtocol::OpenAiCompletions);
    spec.base_url = "https://x.openai.azure.com/openai/v1?api-version=2026-01-01".parse().expect("url");
    let (url, ..) = sent(&spec, vec![]).await;
    assert_eq!(url.as_str(), "https://x.openai.azure.com/openai/v1/chat/completions?api-version=2026-01-01");
}

#[tokio::test]
async fn responses() {
    let mut spec = spec(ModelProtocol::OpenAiResponses);
    spec.reasoning = true;
    let item = json!({"id": "rs_1", "type": "reasoning", "encrypted_content": "e", "summary": []});
    let (url, headers, body) = sent(&spec, order(&item)).await;
    assert_eq!(url.as_str(), "https://model.example/v1/responses");
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(
        body,
        json!({
            "model": "test-model",
            "instructions": "be good",
            "input": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "begin"}]},
                item,
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
                {"type": "function_call", "call_id": "call_a", "name": "read", "arguments": "{\"path\":\"a\"}"},
                {"type": "function_call", "call_id": "call_b", "name": "bash", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_a", "output": [
                    {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,aGk="}
                ]},
                {"type": "function_call_output", "call_id": "call_b", "output": "Error:\nno JSON"},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go on"}]}
            ],
            "stream": true,
            "store": false,
            "max_output_tokens": 4096,
            "tools": [{"type": "function", "name": "read", "description": "Reads.", "parameters": {"properties": {"path": {"type": "string"}}}, "strict": false}],
            "reasoning": {"effort": "medium"},
            "include": ["reasoning.encrypted_content"]
        })
    );
}

#[tokio::test]
async fn anthropic_with_cache_markers_and_thinking_returned() {
    let mut spec = spec(ModelProtocol::AnthropicMessages);
    spec.reasoning = true;
    let thinking = json!({"type": "thinking", "thinking": "t", "signature": "s"});
    let (url, headers, body) = sent(&spec, order(&thinking)).await;
    assert_eq!(url.as_str(), "https://model.example/v1/messages");
    assert_eq!(
        (&headers["x-api-key"], &headers["anthropic-version"]),
        (&KEY.parse().expect("value"), &"2023-06-01".parse().expect("value"))
    );
    assert!(!headers.contains_key("authorization"));
    assert_eq!(
        body,
        json!({
            "model": "test-model",
            "max_tokens": 4096,
            "system": [{"type": "text", "text": "be good", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "begin"}]},
                {"role": "assistant", "content": [
                    thinking,
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "call_a", "name": "read", "input": {"path": "a"}},
                    {"type": "tool_use", "id": "call_b", "name": "bash", "input": {}}
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_a", "content": [
                        {"type": "text", "text": "see"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
                    ]},
                    {"type": "tool_result", "tool_use_id": "call_b", "content": [{"type": "text", "text": "no JSON"}], "is_error": true},
                    {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral"}}
                ]}
            ],
            "stream": true,
            "tools": [{"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}],
            "thinking": {"type": "enabled", "budget_tokens": 2048}
        })
    );
}

#[tokio::test]
async fn anthropic_accepts_a_base_url_without_version_and_newer_models_think_adaptively() {
    let mut spec = spec(ModelProtocol::AnthropicMessages);
    spec.base_url = "https://api.anthropic.com".parse().expect("url");
    spec.model = "claude-opus-4-7".to_owned();
    spec.reasoning = true;
    let (url, _, body) = sent(&spec, vec![]).await;
    assert_eq!(url.as_str(), "https://api.anthropic.com/v1/messages");
    assert_eq!((&body["thinking"], &body["output_config"]), (&json!({"type": "adaptive"}), &json!({"effort": "medium"})));
}

#[tokio::test]
async fn a_server_without_a_key_gets_no_authorization() {
    let transport = FakeTransport::refusal(400, &[], "{}");
    for protocol in ModelProtocol::ALL {
        let client = crate::model::client(&spec(protocol), None, Arc::new(transport.clone()), Arc::new(NoWait));
        let messages = conversation(vec![]);
        let request = TurnRequest { system: "", messages: &messages, tools: &[], max_output_tokens: 1, cache: CacheMarkers::default() };
        client.turn(&request, &Shown::default()).await.expect_err("refused");
        let (_, headers, body) = transport.seen();
        assert!(!headers.contains_key("authorization") && !headers.contains_key("x-api-key"));
        assert!(body.get("tools").is_none(), "no tools, no member");
    }
}
