//! `report`: Markdown for people, grown piece by piece.

use serde_json::Value;
use wire::run_event::RunEvent;

use super::{Effect, text_of};

/// The largest report that is kept, in bytes.
const MAX_REPORT_BYTES: usize = 1024 * 1024;

#[derive(Default)]
pub(super) struct Report(Option<String>);

impl Report {
    /// Appends a piece behind a blank line; the event holds the piece alone.
    pub(super) fn append(&mut self, arguments: &Value) -> Effect {
        let piece = text_of(arguments, "content");
        let length = self.0.as_ref().map_or(0, |report| report.len() + 2) + piece.len();
        if length > MAX_REPORT_BYTES {
            return Effect::refused("The report would grow beyond 1 MiB; this piece was not added.");
        }
        match &mut self.0 {
            Some(report) => {
                report.push_str("\n\n");
                report.push_str(piece);
            }
            none => *none = Some(piece.to_owned()),
        }
        Effect::done("Added to the report.", RunEvent::Report { content: piece.to_owned() })
    }

    pub(super) fn into_text(self) -> Option<String> {
        self.0
    }
}
