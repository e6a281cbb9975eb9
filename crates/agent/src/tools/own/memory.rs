//! `add_memory`: texts that all future runs of the same owner read.

use std::collections::VecDeque;

use serde_json::Value;
use wire::control::MemoryWrite;
use wire::run_event::RunEvent;
use wire::run_spec::MemoryEntry;

use super::{Effect, text_of};

/// Memories that one owner keeps of one agent.
const MAX_ENTRIES: usize = 100;
/// Characters of one memory that an answer quotes.
const QUOTED_CHARS: usize = 60;

pub(super) struct Memories {
    /// The owner's own entries as they will stand after this run, oldest first.
    own: VecDeque<MemoryWrite>,
    writes: Vec<MemoryWrite>,
}

impl Memories {
    pub(super) fn new(seen: &[MemoryEntry]) -> Self {
        let own = seen.iter().filter(|entry| entry.own).map(|entry| MemoryWrite { key: entry.key.clone(), text: entry.text.clone() });
        Self { own: own.collect(), writes: Vec::new() }
    }

    /// Adds an entry as the newest; one with the same key goes first.
    pub(super) fn add(&mut self, arguments: &Value) -> Effect {
        let key = arguments.get("key").and_then(Value::as_str).map(ToOwned::to_owned);
        let text = text_of(arguments, "content").to_owned();
        let replaced = self.own.iter().position(|entry| entry.key.is_some() && entry.key == key);
        let mut answer = vec![match replaced {
            Some(position) => {
                self.own.remove(position);
                "Remembered, in place of the earlier memory of this key.".to_owned()
            }
            None => "Remembered.".to_owned(),
        }];
        if self.own.len() >= MAX_ENTRIES
            && let Some(oldest) = self.own.pop_front()
        {
            let start: String = oldest.text.chars().take(QUOTED_CHARS).collect();
            let more = if oldest.text.chars().nth(QUOTED_CHARS).is_some() { "…" } else { "" };
            answer.push(format!("{MAX_ENTRIES} memories are kept, so the oldest was dropped: \"{start}{more}\"."));
        }
        let write = MemoryWrite { key: key.clone(), text: text.clone() };
        self.own.push_back(write.clone());
        self.writes.push(write);
        Effect::done(answer.join(" "), RunEvent::MemoryAdded { key, text })
    }

    pub(super) fn into_writes(self) -> Vec<MemoryWrite> {
        self.writes
    }
}
