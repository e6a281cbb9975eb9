//! The body of `POST /responses`.

use agent::TurnRequest;
use serde_json::{Value, json};
use wire::message::{Block, Message, ToolResult};
use wire::run_spec::{ModelSpec, ToolSpec};

use crate::model::draft::{Replayed, object_arguments, replay};

/// The API refuses a smaller limit.
const MIN_OUTPUT_TOKENS: u64 = 16;

pub(in crate::model) fn body(spec: &ModelSpec, request: &TurnRequest<'_>) -> Value {
    let input: Vec<_> = request.messages.iter().flat_map(items).collect();
    let mut body = json!({
        "model": spec.model,
        "instructions": request.system,
        "input": input,
        "stream": true,
        "store": false,
        "max_output_tokens": request.max_output_tokens.max(MIN_OUTPUT_TOKENS),
    });
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if spec.reasoning {
        body["reasoning"] = json!({"effort": "medium"});
        body["include"] = json!(["reasoning.encrypted_content"]);
    }
    body
}

fn tool(tool: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters, .. } = tool;
    json!({"type": "function", "name": name, "description": description, "parameters": parameters, "strict": false})
}

fn items(message: &Message) -> Vec<Value> {
    match message {
        Message::User { content } => vec![json!({"type": "message", "role": "user", "content": input_parts(content)})],
        Message::Assistant(message) => replay(message)
            .into_iter()
            .map(|part| match part {
                Replayed::Raw(item) => item.clone(),
                Replayed::Text(text) => json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}),
                Replayed::Call(call) => {
                    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": object_arguments(call).to_string()})
                }
            })
            .collect(),
        Message::Tool { results } => results.iter().map(result).collect(),
    }
}

fn input_parts(content: &[Block]) -> Value {
    let part = |block: &Block| match block {
        Block::Text { text } => json!({"type": "input_text", "text": text}),
        Block::Image { data, mime_type } => json!({"type": "input_image", "image_url": format!("data:{mime_type};base64,{data}")}),
    };
    content.iter().map(part).collect()
}

fn result(result: &ToolResult) -> Value {
    let mark = result.is_error.then(|| Block::text("Error:"));
    let content: Vec<_> = mark.into_iter().chain(result.content.iter().cloned()).collect();
    let has_image = content.iter().any(|block| matches!(block, Block::Image { .. }));
    let output = if has_image {
        input_parts(&content)
    } else {
        let texts = content.iter().filter_map(|block| if let Block::Text { text } = block { Some(text.as_str()) } else { None });
        json!(texts.collect::<Vec<_>>().join("\n"))
    };
    json!({"type": "function_call_output", "call_id": result.tool_call_id, "output": output})
}
