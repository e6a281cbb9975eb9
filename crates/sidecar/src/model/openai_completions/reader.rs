//! The chunks of a streamed chat completion.

use agent::{DeltaSink, ModelError, Turn};
use serde::Deserialize;
use serde_json::Value;
use wire::message::{StopReason, Usage};

use crate::model::draft::Draft;
use crate::model::error::{garbage, of_event, quoted};
use crate::model::exchange::Reader;
use crate::model::sse::Event;

#[derive(Default)]
pub(in crate::model) struct ChunkReader {
    draft: Draft,
    /// The wire's index of each call of the draft.
    indexes: Vec<u64>,
    finish: Option<StopReason>,
    is_refused: bool,
    usage: Option<Usage>,
    has_ended: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<ChunkUsage>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallFragment>>,
}

#[derive(Deserialize)]
struct CallFragment {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionFragment>,
}

#[derive(Default, Deserialize)]
struct FunctionFragment {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

impl Reader for ChunkReader {
    fn read(&mut self, event: &Event, deltas: &dyn DeltaSink) -> Result<(), ModelError> {
        if event.data.trim() == "[DONE]" {
            self.has_ended = true;
            return if self.is_whole() || !self.draft.is_empty() { Ok(()) } else { Err(garbage("the stream held no message")) };
        }
        let value: Value =
            serde_json::from_str(&event.data).map_err(|_| garbage(format!("an event is no JSON: {}", quoted(&event.data))))?;
        if value.get("error").is_some_and(|error| !error.is_null()) || event.name == "error" {
            return Err(of_event(&value));
        }
        let chunk: Chunk = serde_json::from_value(value).map_err(|error| garbage(format!("an event is no completion chunk: {error}")))?;
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage.into());
        }
        // One choice was asked for.
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(());
        };
        if let Some(delta) = choice.delta {
            self.draft.say(delta.content.as_deref().unwrap_or_default(), deltas);
            if let Some(refusal) = delta.refusal.filter(|refusal| !refusal.is_empty()) {
                self.is_refused = true;
                self.draft.say(&refusal, deltas);
            }
            for fragment in delta.tool_calls.unwrap_or_default() {
                self.add(fragment);
            }
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.finish = Some(match reason.as_str() {
                "length" => StopReason::Length,
                "content_filter" => StopReason::Refused,
                "tool_calls" | "function_call" => StopReason::ToolCalls,
                _ => StopReason::End,
            });
        }
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn is_whole(&self) -> bool {
        self.finish.is_some()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn take(&mut self) -> Result<Turn, ModelError> {
        let has_calls = self.draft.has_calls();
        let stop = match self.finish {
            _ if self.is_refused => StopReason::Refused,
            Some(stop @ (StopReason::Length | StopReason::Refused)) => stop,
            // Some servers say `stop` although there are calls.
            _ if has_calls => StopReason::ToolCalls,
            _ => StopReason::End,
        };
        Ok(Turn { message: std::mem::take(&mut self.draft).into_message(), usage: self.usage, stop })
    }
}

impl ChunkReader {
    /// Adds a fragment to its call. A fragment without index belongs to the last call unless it brings a new id; some servers send index 0
    /// for every call, so another id begins another call too.
    fn add(&mut self, fragment: CallFragment) {
        let id = fragment.id.unwrap_or_default();
        let FunctionFragment { name, arguments } = fragment.function.unwrap_or_default();
        let (name, arguments) = (name.unwrap_or_default(), arguments.unwrap_or_default());
        let known = match fragment.index {
            Some(index) => self.indexes.iter().rposition(|known| *known == index),
            None => self.indexes.len().checked_sub(1),
        };
        let known = known.filter(|position| {
            let known_id = self.draft.call_id(*position);
            id.is_empty() || known_id.is_empty() || known_id == id
        });
        let position = known.unwrap_or_else(|| {
            let next = self.indexes.len() as u64;
            self.indexes.push(fragment.index.unwrap_or(next));
            self.draft.begin_call(&id, &name)
        });
        self.draft.extend_call(position, &id, &name, &arguments);
    }
}

impl From<ChunkUsage> for Usage {
    /// OpenAI counts cached tokens among the prompt's.
    fn from(usage: ChunkUsage) -> Self {
        let cached = usage.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0).min(usage.prompt_tokens);
        Self { input: usage.prompt_tokens - cached, output: usage.completion_tokens, cache_read: cached, cache_write: 0 }
    }
}
