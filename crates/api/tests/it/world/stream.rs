//! An open stream, read event by event.

use std::collections::VecDeque;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt as _;
use serde_json::Value;

use super::{Actor, PATIENCE};

/// One event (WHATWG HTML §9.2.6).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Frame {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.data[name].as_str().unwrap_or_default()
    }

    /// The run that it is about.
    pub(crate) fn run(&self) -> &str {
        if self.event == "run_update" { self.text("id") } else { self.text("runId") }
    }
}

/// A stream that goes on.
pub(crate) struct Stream {
    body: BodyDataStream,
    text: String,
    frames: VecDeque<Frame>,
    /// The last id that came, also without an event.
    pub(crate) id: String,
    /// Comments so far.
    pub(crate) comments: usize,
}

impl Stream {
    pub(crate) fn new(body: Body) -> Self {
        Self { body: body.into_data_stream(), text: String::new(), frames: VecDeque::new(), id: String::new(), comments: 0 }
    }

    /// The next event; `None` at the end that the server makes.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// The next events, so many.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        while frames.len() < count {
            frames.push(self.next().await.unwrap_or_else(|| panic!("the stream ended after {frames:?}")));
        }
        frames
    }

    /// Reads on until something has come. `false`: the stream has ended.
    pub(crate) async fn read(&mut self) -> bool {
        let bytes = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("something comes, or the end");
        let Some(bytes) = bytes else { return false };
        self.text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        while let Some(end) = self.text.find("\n\n") {
            let block: String = self.text.drain(..end + 2).collect();
            let mut frame = Frame { id: String::new(), event: String::new(), data: Value::Null };
            for line in block.trim_end().lines() {
                match line.split_once(": ").unwrap() {
                    ("id", value) => value.clone_into(&mut frame.id),
                    ("event", value) => value.clone_into(&mut frame.event),
                    ("data", value) => frame.data = serde_json::from_str(value).unwrap(),
                    ("retry", value) => assert_eq!(value, "2000"),
                    ("", _) => self.comments += 1,
                    (name, _) => panic!("{name} is no field of an event: {block}"),
                }
            }
            if !frame.id.is_empty() {
                frame.id.clone_into(&mut self.id);
            }
            if !frame.event.is_empty() {
                assert!(!frame.id.is_empty(), "every event has an id: {frame:?}");
                self.frames.push_back(frame);
            }
        }
        true
    }
}

impl Actor<'_> {
    /// Asks for an answer that is read piece by piece, which must be granted.
    pub(crate) async fn pieces(&self, path: &str) -> BodyDataStream {
        self.world().pieces(self.request(axum::http::Method::GET, path, Body::empty())).await
    }

    /// Opens a stream, which must be granted.
    pub(crate) async fn open(&self, path: &str) -> Stream {
        self.world().open(self.request(axum::http::Method::GET, path, Body::empty())).await
    }
}
