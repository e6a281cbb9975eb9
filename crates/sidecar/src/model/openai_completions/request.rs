//! The body of `POST /chat/completions`.

use agent::TurnRequest;
use serde_json::{Value, json};
use wire::message::{AssistantMessage, Block, Message, ToolCall, ToolResult};
use wire::run_spec::{ModelSpec, ToolSpec};

use crate::model::draft::object_arguments;

pub(in crate::model) fn body(spec: &ModelSpec, request: &TurnRequest<'_>) -> Value {
    let mut messages = vec![json!({"role": "system", "content": request.system})];
    for message in request.messages {
        match message {
            Message::User { content } => messages.push(json!({"role": "user", "content": user_content(content)})),
            Message::Assistant(message) => messages.push(assistant(message)),
            Message::Tool { results } => tool_messages(results, &mut messages),
        }
    }
    let mut body = json!({
        "model": spec.model,
        "messages": messages,
        "stream": true,
        "stream_options": {"include_usage": true},
        (limit_name(spec)): request.max_output_tokens,
    });
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if spec.reasoning {
        body["reasoning_effort"] = json!("medium");
    }
    body
}

/// OpenAI's newer models refuse `max_tokens`, other servers know nothing else.
fn limit_name(spec: &ModelSpec) -> &'static str {
    let host = spec.base_url.host_str().unwrap_or_default();
    let is_openai = ["openai.com", "openai.azure.com"].iter().any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    if is_openai { "max_completion_tokens" } else { "max_tokens" }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
}

/// Plain text where possible: many servers know no content parts.
fn user_content(content: &[Block]) -> Value {
    if let [Block::Text { text }] = content {
        return json!(text);
    }
    let part = |block: &Block| match block {
        Block::Text { text } => json!({"type": "text", "text": text}),
        Block::Image { data, mime_type } => json!({"type": "image_url", "image_url": {"url": format!("data:{mime_type};base64,{data}")}}),
    };
    content.iter().map(part).collect()
}

fn assistant(message: &AssistantMessage) -> Value {
    let content = if message.text.is_empty() { Value::Null } else { json!(message.text) };
    let mut value = json!({"role": "assistant", "content": content});
    if !message.tool_calls.is_empty() {
        let call = |call: &ToolCall| {
            let arguments = object_arguments(call).to_string();
            json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
        };
        value["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    value
}

/// A tool message holds text only; images follow in a user message behind all results of the turn.
fn tool_messages(results: &[ToolResult], messages: &mut Vec<Value>) {
    let mut images = Vec::new();
    for result in results {
        let mut texts = Vec::new();
        for block in &result.content {
            match block {
                Block::Text { text } => texts.push(text.as_str()),
                Block::Image { .. } => {
                    texts.push("[The image follows after the results.]");
                    images.push(Block::text(format!("Image from the result of {} ({}):", result.name, result.tool_call_id)));
                    images.push(block.clone());
                }
            }
        }
        let mark = if result.is_error { "Error:\n" } else { "" };
        messages.push(json!({"role": "tool", "tool_call_id": result.tool_call_id, "content": format!("{mark}{}", texts.join("\n"))}));
    }
    if !images.is_empty() {
        messages.push(json!({"role": "user", "content": user_content(&images)}));
    }
}
