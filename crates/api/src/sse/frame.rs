//! Events as bytes. Data is JSON without line breaks, so it takes one `data:` line.

use std::fmt::Display;

use axum::body::Bytes;
use domain::RunId;
use serde::Serialize;
use store::{RunOutline, RunRecord};
use wire::api::run_log::RunLog;
use wire::api::run_update::RunDelta;
use wire::run_event::RunEvent;

use crate::run_update;

/// What a client waits before it comes back, in milliseconds.
const RETRY_AFTER_MS: u32 = 2_000;

/// A comment, which clients ignore.
pub(crate) const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// The first bytes of every stream.
pub(crate) fn opening() -> Bytes {
    format!("retry: {RETRY_AFTER_MS}\n\n").into()
}

/// Tells the client where it stands, without an event.
pub(crate) fn position(id: impl Display) -> Bytes {
    format!("id: {id}\n\n").into()
}

fn event<T: Serialize>(id: impl Display, name: &str, data: &T) -> Bytes {
    let data = serde_json::to_string(data).expect("what streams tell is JSON");
    format!("id: {id}\nevent: {name}\ndata: {data}\n\n").into()
}

/// A change of a run's state, or its state in a snapshot.
pub(crate) fn update(id: impl Display, run: RunOutline, at: Option<(&RunRecord, &RunEvent)>) -> Bytes {
    event(id, "run_update", &run_update::update(run, at))
}

/// A line of a run's log.
pub(crate) fn line(id: impl Display, line: &RunLog) -> Bytes {
    event(id, "run_log", line)
}

/// A piece of the model's text.
pub(crate) fn delta(id: impl Display, run: RunId, text: &str) -> Bytes {
    event(id, "run_delta", &RunDelta { run_id: run, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_block_whatever_is_in_it() {
        let run = RunId::new(&domain::RandomIds);
        let frame = delta(7, run, "a\n\ndata: forged\r\nevent: run_update\u{2028}");
        let text = std::str::from_utf8(&frame).expect("frames are text");
        assert_eq!(text.matches("\n\n").count(), 1);
        assert_eq!(text.lines().filter(|line| line.starts_with("event:")).count(), 1);
        assert!(text.starts_with("id: 7\nevent: run_delta\ndata: {") && text.ends_with("}\n\n") && !text.contains('\r'));
    }
}
