//! Headers and body of `POST /v1/messages`.

use agent::{ModelError, TurnRequest};
use domain::Secret;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use wire::message::{Block, Message, ToolResult};
use wire::run_spec::{ModelSpec, ToolSpec};

use crate::model::draft::{Replayed, object_arguments, replay};
use crate::model::exchange::secret_value;

const VERSION: &str = "2023-06-01";
/// Tokens that an older model may think.
const THINKING_TOKENS: u64 = 8_000;
const MIN_THINKING_TOKENS: u64 = 1_024;

pub(in crate::model) fn headers(key: Option<&Secret>) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
    if let Some(key) = key {
        headers.insert("x-api-key", secret_value(key.expose())?);
    }
    Ok(headers)
}

pub(in crate::model) fn body(spec: &ModelSpec, request: &TurnRequest<'_>) -> Value {
    let mut body = json!({
        "model": spec.model,
        "max_tokens": request.max_output_tokens,
        "messages": messages(request),
        "stream": true,
    });
    if has_text(request.system) {
        let mut system = json!({"type": "text", "text": request.system});
        if request.cache.system {
            mark(&mut system);
        }
        body["system"] = json!([system]);
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if spec.reasoning {
        think(spec, request.max_output_tokens, &mut body);
    }
    body
}

/// Newer models decide themselves how much to think and refuse a budget; older ones need one below `max_tokens`.
fn think(spec: &ModelSpec, max_output_tokens: u64, body: &mut Value) {
    if thinks_adaptively(&spec.model) {
        body["thinking"] = json!({"type": "adaptive"});
        body["output_config"] = json!({"effort": "medium"});
        return;
    }
    let budget = THINKING_TOKENS.min(max_output_tokens / 2);
    if budget >= MIN_THINKING_TOKENS {
        body["thinking"] = json!({"type": "enabled", "budget_tokens": budget});
    }
}

/// Whether a model's name, `claude-<family>-<major>[-<minor>][-<date>]`, is 4.6 or newer (Haiku: 5 or newer).
fn thinks_adaptively(model: &str) -> bool {
    let mut parts =
        model.split(['-', '.', '@', ':', '/']).skip_while(|part| !matches!(*part, "opus" | "sonnet" | "haiku" | "fable" | "mythos"));
    let family = parts.next().unwrap_or_default();
    if matches!(family, "fable" | "mythos") {
        return true;
    }
    // A date is no version.
    let mut number = || parts.next().filter(|part| part.len() <= 2).and_then(|part| part.parse::<u32>().ok());
    let major = number().unwrap_or(0);
    let version = (major, number().unwrap_or(0));
    version >= if family == "haiku" { (5, 0) } else { (4, 6) }
}

fn tool(tool: &ToolSpec) -> Value {
    let mut schema = tool.parameters.clone();
    if let Some(members) = schema.as_object_mut() {
        members.entry("type").or_insert_with(|| json!("object"));
    }
    json!({"name": tool.name, "description": tool.description, "input_schema": schema})
}

/// Messages with alternating roles: neighbors of one role become one message.
fn messages(request: &TurnRequest<'_>) -> Vec<Value> {
    let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
    for (position, message) in request.messages.iter().enumerate() {
        let (role, mut blocks) = match message {
            Message::User { content } => ("user", content.iter().filter_map(block).collect()),
            Message::Assistant(message) => ("assistant", assistant_blocks(message)),
            Message::Tool { results } => ("user", results.iter().map(result).collect::<Vec<_>>()),
        };
        if request.cache.messages.contains(&position)
            && let Some(last) = blocks.last_mut()
        {
            mark(last);
        }
        match messages.last_mut() {
            Some((last, known)) if *last == role => known.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => messages.push((role, blocks)),
        }
    }
    messages.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

fn mark(block: &mut Value) {
    block["cache_control"] = json!({"type": "ephemeral"});
}

/// The API refuses text without any letter.
fn has_text(text: &str) -> bool {
    !text.trim().is_empty()
}

fn block(block: &Block) -> Option<Value> {
    match block {
        Block::Text { text } => has_text(text).then(|| json!({"type": "text", "text": text})),
        Block::Image { data, mime_type } => {
            Some(json!({"type": "image", "source": {"type": "base64", "media_type": mime_type, "data": data}}))
        }
    }
}

fn assistant_blocks(message: &wire::message::AssistantMessage) -> Vec<Value> {
    let blocks = replay(message).into_iter().filter_map(|part| match part {
        Replayed::Raw(block) => Some(block.clone()),
        Replayed::Text(text) => has_text(text).then(|| json!({"type": "text", "text": text})),
        Replayed::Call(call) => Some(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": object_arguments(call)})),
    });
    blocks.collect()
}

fn result(result: &ToolResult) -> Value {
    let content: Vec<_> = result.content.iter().filter_map(block).collect();
    let mut value = json!({"type": "tool_result", "tool_use_id": result.tool_call_id, "content": content});
    if result.is_error {
        value["is_error"] = json!(true);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_tell_how_to_think() {
        for name in [
            "claude-opus-4-6",
            "claude-opus-4-7-20260301",
            "claude-sonnet-5",
            "claude-haiku-5",
            "anthropic/claude-sonnet-4.6",
            "claude-fable-1",
        ] {
            assert!(thinks_adaptively(name), "{name}");
        }
        for name in [
            "claude-opus-4-5",
            "claude-opus-4-20250514",
            "claude-sonnet-4-5-20250929",
            "claude-haiku-4-5",
            "claude-3-7-sonnet-20250219",
            "other",
        ] {
            assert!(!thinks_adaptively(name), "{name}");
        }
    }
}
