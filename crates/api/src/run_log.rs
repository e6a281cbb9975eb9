//! The log of a run as users read it: each event as one line, a pure function of the event.

use domain::RunId;
use serde_json::{Value, json};
use store::RunRecord;
use wire::api::run_log::{RunLog, RunLogObject};
use wire::message::Block;
use wire::run_event::{LogLevel, RunEvent};

/// Characters of a tool's text that a line shows; the whole is in `data`.
const SHOWN: usize = 300;

/// One line of the log.
pub(crate) fn line(run: RunId, record: &RunRecord, event: &RunEvent) -> RunLog {
    let (kind, level, message, data) = describe(event);
    RunLog {
        object: RunLogObject::RunLog,
        seq: record.seq,
        run_id: run,
        r#type: kind,
        level,
        event: event.name(),
        message,
        data,
        created_at: record.created_at.into(),
    }
}

fn describe(event: &RunEvent) -> (&'static str, LogLevel, String, Option<Value>) {
    match event {
        RunEvent::Created { agent } => ("system", LogLevel::Info, format!("accepted for {agent}"), None),
        RunEvent::Started { rung, egress } => {
            ("system", LogLevel::Info, "started".to_owned(), Some(json!({ "sandbox": rung, "egress": egress })))
        }
        RunEvent::TurnCompleted { turn, message, usage, stop, duration_ms } => (
            "progress",
            LogLevel::Debug,
            if message.text.is_empty() { format!("turn {turn}") } else { message.text.clone() },
            Some(json!({ "turn": turn, "toolCalls": message.tool_calls.len(), "usage": usage, "stop": stop, "durationMs": duration_ms })),
        ),
        RunEvent::ToolStarted { tool_call_id, tool, arguments } => (
            "progress",
            LogLevel::Debug,
            format!("tool {tool}"),
            Some(json!({ "toolCallId": tool_call_id, "tool": tool, "arguments": arguments })),
        ),
        RunEvent::ToolCompleted { tool_call_id, tool, outcome, duration_ms } => (
            "progress",
            if outcome.is_error { LogLevel::Warn } else { LogLevel::Debug },
            format!("tool {tool}: {}", shown(&outcome.content)),
            Some(
                json!({ "toolCallId": tool_call_id, "tool": tool, "isError": outcome.is_error, "content": outcome.content, "details": outcome.details, "durationMs": duration_ms }),
            ),
        ),
        RunEvent::Log { level, message, data } => ("progress", *level, message.clone(), data.clone()),
        RunEvent::Output { output } => ("result", LogLevel::Info, "output".to_owned(), Some(output.clone())),
        RunEvent::Report { content } => ("result", LogLevel::Info, "report".to_owned(), Some(json!({ "content": content }))),
        RunEvent::StateSet { state } => ("result", LogLevel::Debug, "state".to_owned(), Some(state.clone())),
        RunEvent::MemoryAdded { key, text } => {
            ("result", LogLevel::Info, "memory".to_owned(), Some(json!({ "key": key, "content": text })))
        }
        RunEvent::ProviderCalled(called) => (
            "progress",
            if called.error.is_some() { LogLevel::Warn } else { LogLevel::Debug },
            format!("{} {}{}", called.method, called.host, called.path),
            serde_json::to_value(called).ok(),
        ),
        RunEvent::Egress { host, port, allowed, bytes_sent, bytes_received } => (
            "progress",
            if *allowed { LogLevel::Debug } else { LogLevel::Warn },
            format!("{} {host}:{port}", if *allowed { "connection to" } else { "refused a connection to" }),
            Some(json!({ "host": host, "port": port, "allowed": allowed, "bytesSent": bytes_sent, "bytesReceived": bytes_received })),
        ),
        RunEvent::SandboxStarted { rung, duration_ms } => {
            ("system", LogLevel::Debug, "sandbox started".to_owned(), Some(json!({ "sandbox": rung, "durationMs": duration_ms })))
        }
        RunEvent::ContextCompacted { tokens_before, tokens_after } => (
            "system",
            LogLevel::Info,
            "conversation compacted".to_owned(),
            Some(json!({ "tokensBefore": tokens_before, "tokensAfter": tokens_after })),
        ),
        RunEvent::Ended { status, failure, duration_ms, cost } => (
            "system",
            if failure.is_some() { LogLevel::Error } else { LogLevel::Info },
            failure.as_ref().map_or_else(|| format!("ended: {}", status.as_str()), |failure| failure.message.clone()),
            Some(
                json!({ "status": status, "errorCode": failure.as_ref().map(|failure| failure.code), "durationMs": duration_ms, "costNanoUsd": cost }),
            ),
        ),
    }
}

/// The beginning of a tool's text.
fn shown(content: &[Block]) -> String {
    let text = content.iter().find_map(|block| match block {
        Block::Text { text } => Some(text.as_str()),
        Block::Image { .. } => None,
    });
    let text = text.unwrap_or("(no text)");
    let mut cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
