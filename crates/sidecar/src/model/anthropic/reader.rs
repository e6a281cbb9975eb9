//! The events of a streamed message.

use std::collections::BTreeMap;

use agent::{DeltaSink, ModelError, Turn};
use serde_json::Value;
use wire::message::{StopReason, Usage};

use crate::model::draft::Draft;
use crate::model::error::{garbage, of_event, quoted};
use crate::model::exchange::Reader;
use crate::model::sse::Event;

#[derive(Default)]
pub(in crate::model) struct BlockReader {
    draft: Draft,
    /// Blocks that have begun and not ended, by their index.
    open: BTreeMap<u64, Open>,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    has_ended: bool,
}

enum Open {
    Text,
    /// A call, at its position in the draft, with the input that the block began with.
    Call {
        position: usize,
        input: Value,
        has_fragments: bool,
    },
    /// A thinking block, which is returned unchanged.
    Raw(Value),
}

impl Reader for BlockReader {
    fn read(&mut self, event: &Event, deltas: &dyn DeltaSink) -> Result<(), ModelError> {
        let mut value: Value =
            serde_json::from_str(&event.data).map_err(|_| garbage(format!("an event is no JSON: {}", quoted(&event.data))))?;
        let name = value.get("type").and_then(Value::as_str).unwrap_or(&event.name).to_owned();
        match name.as_str() {
            "message_start" => self.count(value.pointer("/message/usage")),
            "content_block_start" => self.begin(index(&value)?, value["content_block"].take(), deltas),
            "content_block_delta" => self.extend(index(&value)?, &value["delta"], deltas)?,
            "content_block_stop" => self.end(index(&value)?),
            "message_delta" => {
                self.count(value.get("usage"));
                if let Some(reason) = value.pointer("/delta/stop_reason").and_then(Value::as_str) {
                    self.stop = Some(match reason {
                        "tool_use" => StopReason::ToolCalls,
                        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
                        "refusal" => StopReason::Refused,
                        _ => StopReason::End,
                    });
                }
            }
            "message_stop" => self.has_ended = true,
            "error" => return Err(of_event(&value)),
            "" => return Err(garbage(format!("an event has no type: {}", quoted(&event.data)))),
            // `ping`, and what the future brings: the API's versioning policy asks to ignore it.
            _ => {}
        }
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn is_whole(&self) -> bool {
        self.stop.is_some()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn take(&mut self) -> Result<Turn, ModelError> {
        // A block that the output limit cut short never ends; what there is of a call counts.
        while let Some((index, _)) = self.open.first_key_value() {
            let index = *index;
            self.end(index);
        }
        let Some(stop) = self.stop else {
            return Err(ModelError { usage: Some(self.usage.unwrap_or_default()), ..garbage("the message has no stop reason") });
        };
        let stop = if stop == StopReason::End && self.draft.has_calls() { StopReason::ToolCalls } else { stop };
        Ok(Turn { message: std::mem::take(&mut self.draft).into_message(), usage: self.usage, stop })
    }
}

fn index(value: &Value) -> Result<u64, ModelError> {
    value.get("index").and_then(Value::as_u64).ok_or_else(|| garbage("a content block has no index"))
}

impl BlockReader {
    /// Takes over the numbers that are there; later ones are totals, not additions.
    fn count(&mut self, reported: Option<&Value>) {
        let Some(reported) = reported else { return };
        let usage = self.usage.get_or_insert_default();
        let number = |name: &str| reported.get(name).and_then(Value::as_u64);
        usage.input = number("input_tokens").unwrap_or(usage.input);
        usage.output = number("output_tokens").unwrap_or(usage.output);
        usage.cache_read = number("cache_read_input_tokens").unwrap_or(usage.cache_read);
        usage.cache_write = number("cache_creation_input_tokens").unwrap_or(usage.cache_write);
    }

    fn begin(&mut self, index: u64, mut block: Value, deltas: &dyn DeltaSink) {
        let text = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let open = match text("type").as_str() {
            "text" => {
                self.draft.say(&text("text"), deltas);
                Open::Text
            }
            "tool_use" => {
                let position = self.draft.begin_call(&text("id"), &text("name"));
                Open::Call { position, input: block["input"].take(), has_fragments: false }
            }
            _ => Open::Raw(block),
        };
        self.open.insert(index, open);
    }

    fn extend(&mut self, index: u64, delta: &Value, deltas: &dyn DeltaSink) -> Result<(), ModelError> {
        let open = self.open.get_mut(&index).ok_or_else(|| garbage("a delta belongs to no content block"))?;
        let text = |name: &str| delta.get(name).and_then(Value::as_str);
        match open {
            Open::Text => self.draft.say(text("text").unwrap_or_default(), deltas),
            Open::Call { position, has_fragments, .. } => {
                let fragment = text("partial_json").unwrap_or_default();
                *has_fragments |= !fragment.is_empty();
                self.draft.extend_call(*position, "", "", fragment);
            }
            Open::Raw(block) => {
                for name in ["thinking", "signature"] {
                    if let Some(more) = text(name) {
                        append(block, name, more);
                    }
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, index: u64) {
        match self.open.remove(&index) {
            Some(Open::Call { position, input, has_fragments: false }) if input.as_object().is_some_and(|input| !input.is_empty()) => {
                self.draft.extend_call(position, "", "", &input.to_string());
            }
            Some(Open::Raw(block)) if is_replayable(&block) => self.draft.add_raw(block),
            Some(Open::Text | Open::Call { .. } | Open::Raw(_)) | None => {}
        }
    }
}

/// Thinking without its signature, cut before it came, would be refused.
fn is_replayable(block: &Value) -> bool {
    match block.get("type").and_then(Value::as_str) {
        Some("thinking") => block.get("signature").and_then(Value::as_str).is_some_and(|signature| !signature.is_empty()),
        Some("redacted_thinking") => true,
        _ => false,
    }
}

fn append(block: &mut Value, name: &str, more: &str) {
    match &mut block[name] {
        Value::String(text) => text.push_str(more),
        none => *none = Value::String(more.to_owned()),
    }
}
