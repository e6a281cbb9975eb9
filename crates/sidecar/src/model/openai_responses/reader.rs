//! The events of a streamed response.
//!
//! Text deltas are shown as they come; the message is made of the whole items, which arrive once each is done.

use std::collections::BTreeMap;

use agent::{DeltaSink, ModelError, Turn};
use serde_json::Value;
use wire::message::{StopReason, Usage};

use crate::model::draft::Draft;
use crate::model::error::{garbage, of_event, quoted};
use crate::model::exchange::Reader;
use crate::model::sse::Event;

#[derive(Default)]
pub(in crate::model) struct ItemReader {
    /// Whole items by their position in the output.
    items: BTreeMap<u64, Value>,
    end: Option<End>,
    usage: Option<Usage>,
}

struct End {
    is_cut: bool,
    is_filtered: bool,
}

impl Reader for ItemReader {
    fn read(&mut self, event: &Event, deltas: &dyn DeltaSink) -> Result<(), ModelError> {
        if event.data.trim() == "[DONE]" {
            return Ok(());
        }
        let mut value: Value =
            serde_json::from_str(&event.data).map_err(|_| garbage(format!("an event is no JSON: {}", quoted(&event.data))))?;
        let name = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match name.as_str() {
            "response.output_text.delta" | "response.refusal.delta" => {
                let delta = value.get("delta").and_then(Value::as_str).ok_or_else(|| garbage("a text delta holds no text"))?;
                deltas.delta(delta);
            }
            "response.output_item.done" => {
                let next = self.items.last_key_value().map_or(0, |(last, _)| last + 1);
                let index = value.get("output_index").and_then(Value::as_u64).unwrap_or(next);
                self.items.insert(index, value["item"].take());
            }
            "response.completed" | "response.incomplete" => self.end(&mut value["response"]),
            "response.failed" => {
                self.usage = usage_of(&value["response"]).or(self.usage);
                return Err(of_event(&value["response"]));
            }
            "error" => return Err(of_event(&value)),
            "" if value.get("error").is_some() => return Err(of_event(&value)),
            "" => return Err(garbage(format!("an event has no type: {}", quoted(&event.data)))),
            _ => {}
        }
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    fn is_whole(&self) -> bool {
        self.end.is_some()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn take(&mut self) -> Result<Turn, ModelError> {
        let mut draft = Draft::default();
        let mut is_refused = self.end.as_ref().is_some_and(|end| end.is_filtered);
        for item in std::mem::take(&mut self.items).into_values() {
            is_refused |= add(&mut draft, item);
        }
        let is_cut = self.end.as_ref().is_some_and(|end| end.is_cut);
        if draft.is_empty() && !is_cut && !is_refused {
            return Err(ModelError { usage: Some(self.usage.unwrap_or_default()), ..garbage("the response held no message") });
        }
        let stop = match (is_refused, is_cut, draft.has_calls()) {
            (true, ..) => StopReason::Refused,
            (_, true, _) => StopReason::Length,
            (.., true) => StopReason::ToolCalls,
            (.., false) => StopReason::End,
        };
        Ok(Turn { message: draft.into_message(), usage: self.usage, stop })
    }
}

impl ItemReader {
    /// The last event repeats the output; servers that never sent the items one by one have it only there.
    fn end(&mut self, response: &mut Value) {
        self.usage = usage_of(response).or(self.usage);
        let reason = response.pointer("/incomplete_details/reason").and_then(Value::as_str);
        let is_filtered = reason == Some("content_filter");
        let is_incomplete = response.get("status").is_some_and(|status| status == "incomplete");
        self.end = Some(End { is_cut: is_incomplete && !is_filtered, is_filtered });
        if let Value::Array(output) = response["output"].take() {
            for (index, item) in (0..).zip(output) {
                self.items.entry(index).or_insert(item);
            }
        }
    }
}

/// Adds an item; returns whether it is a refusal.
fn add(draft: &mut Draft, item: Value) -> bool {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "message" => {
            let mut is_refusal = false;
            for part in item.get("content").and_then(Value::as_array).into_iter().flatten() {
                let refusal = part.get("refusal").and_then(Value::as_str);
                is_refusal |= refusal.is_some();
                if let Some(text) = refusal.or_else(|| part.get("text").and_then(Value::as_str)).filter(|text| !text.is_empty()) {
                    draft.add_text(text);
                }
            }
            is_refusal
        }
        "function_call" => {
            let call = draft.begin_call(text("call_id"), text("name"));
            draft.extend_call(call, "", "", text("arguments"));
            false
        }
        "reasoning" => {
            draft.add_raw(item);
            false
        }
        // Items of the provider's own tools, which are not asked for.
        _ => false,
    }
}

/// OpenAI counts cached tokens among the input's.
fn usage_of(response: &Value) -> Option<Usage> {
    let usage = response.get("usage").filter(|usage| usage.is_object())?;
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let (input, cached) = (number("/input_tokens"), number("/input_tokens_details/cached_tokens"));
    let cached = cached.min(input);
    Some(Usage { input: input - cached, output: number("/output_tokens"), cache_read: cached, cache_write: 0 })
}
