//! `## Memory` and `## Run History`: what earlier runs learned and did.

use super::{MemoryText, data};

pub(super) fn section(memories: &[MemoryText]) -> Option<String> {
    if memories.is_empty() {
        return None;
    }
    let lines: Vec<_> = memories
        .iter()
        .map(|memory| {
            let key = memory.key.as_ref().map(|key| format!(" [{}]", key.escape_debug())).unwrap_or_default();
            // Indented, so that a text of several lines stays within its bullet.
            let text = memory.text.trim_end().lines().collect::<Vec<_>>().join("\n  ");
            format!("- {}{key}: {text}", memory.updated_at.format("%Y-%m-%d"))
        })
        .collect();
    Some(format!("## Memory\n\nEarlier runs of this agent remembered this.\n\n{}", data::block("memory", &lines.join("\n"))))
}

pub(super) fn run_history() -> &'static str {
    "## Run History\n\nThe tool `run_history` lists earlier successful runs of this agent; ask it for `state` or `result` when you need them."
}
