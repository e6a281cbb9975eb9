//! The end of one sequence of events: read once, in one scope, for all clients that follow it there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use domain::{PackageName, RunId};
use serde_json::json;
use store::{AppScope, EventCursor, EventData, Passed, PassedEvents, Rest, RunOutline, Store, StoreError, Subscription, Topic};
use tokio::sync::watch;

use super::event::{changes_state, readable};
use super::frame;
use crate::run_log;

/// The window that clients are served from: frames, and bytes in them. Beyond it a client reads the table.
const MOST_FRAMES: usize = 256;
const MOST_BYTES: usize = 256 * 1024;

/// Rows that are looked at in one go.
pub(super) const BATCH: u32 = 64;

/// Between two looks at events that an older transaction hides; doubled until the last.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// After the database did not answer.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Characters of a line's text in a wide stream, where the line's data is left out.
const SHOWN: usize = 2_000;

/// What is followed: the scope says how far, the agent narrows it.
#[derive(Clone, Debug)]
pub(super) struct Following {
    pub(super) store: Store,
    pub(super) scope: AppScope,
    pub(super) agent: Option<PackageName>,
}

/// An event as clients get it.
#[derive(Clone, Debug)]
pub(super) struct Framed {
    pub(super) cursor: EventCursor,
    pub(super) frame: Bytes,
}

impl Following {
    /// Listens to what concerns the sequence, and to no more.
    fn subscribe(&self) -> Subscription {
        let topic = self.scope.reach().end_user().map_or(Topic::Application(self.scope.app()), Topic::EndUser);
        self.store.live().subscribe(topic)
    }

    /// The next events as frames, how far was read, and what lies behind.
    pub(super) async fn read(&self, after: EventCursor) -> Result<(Vec<Framed>, EventCursor, Rest), StoreError> {
        let (PassedEvents { events, end, rest }, outlines) = self.store.patiently(self.rows(after)).await?;
        let mut frames = Vec::with_capacity(events.len());
        for Passed { cursor, run, record } in events {
            let Some(event) = readable(&self.store, run, &record).await? else { continue };
            let frame = if changes_state(&event) {
                // A run that is gone has no state.
                let Some(outline) = outlines.iter().find(|outline| outline.id == run) else { continue };
                frame::update(cursor, outline.clone(), Some((&record, &event)))
            } else {
                let mut line = run_log::line(run, &record, &event);
                if let EventData::Large { bytes, .. } = record.data {
                    line.message = line.message.chars().take(SHOWN).collect();
                    line.data = Some(json!({ "omitted": true, "bytes": bytes }));
                }
                frame::line(cursor, &line)
            };
            frames.push(Framed { cursor, frame });
        }
        Ok((frames, end, rest))
    }

    async fn rows(&self, after: EventCursor) -> Result<(PassedEvents, Vec<RunOutline>), StoreError> {
        let read = self.store.read(&self.scope).await?;
        let passed = read.run_events().passing(self.agent.as_ref(), after, BATCH).await?;
        let changed =
            |passed: &Passed| matches!(&passed.record.data, EventData::Whole(event) if changes_state(event)).then_some(passed.run);
        let changed: Vec<RunId> = passed.events.iter().filter_map(changed).collect();
        let outlines = read.runs().outlines(&changed).await?;
        Ok((passed, outlines))
    }
}

/// What a client finds behind its cursor.
#[derive(Debug)]
pub(super) enum Found {
    Frame(Framed),
    /// Nothing yet.
    Nothing,
    /// The window has moved on, and begins behind this: read the table.
    Behind(EventCursor),
}

/// The last frames of the sequence.
#[derive(Debug)]
struct Window {
    frames: VecDeque<Framed>,
    bytes: usize,
    /// Everything behind this is in the window, as far as it was read.
    floor: EventCursor,
}

impl Window {
    fn push(&mut self, framed: Framed) {
        self.bytes += framed.frame.len();
        self.frames.push_back(framed);
        while self.frames.len() > MOST_FRAMES || (self.bytes > MOST_BYTES && self.frames.len() > 1) {
            if let Some(oldest) = self.frames.pop_front() {
                self.bytes -= oldest.frame.len();
                self.floor = oldest.cursor;
            }
        }
    }

    fn after(&self, cursor: EventCursor) -> Found {
        if cursor < self.floor {
            return Found::Behind(self.floor);
        }
        let index = self.frames.partition_point(|framed| framed.cursor <= cursor);
        self.frames.get(index).map_or(Found::Nothing, |framed| Found::Frame(framed.clone()))
    }
}

/// What the reading task and the clients share.
#[derive(Debug)]
struct Shared {
    window: Mutex<Window>,
    grown: watch::Sender<()>,
}

impl Shared {
    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().expect("nothing panics while it holds the window")
    }

    async fn read_on(&self, following: Following, mut end: EventCursor) {
        let mut woken = following.subscribe();
        let mut pause = FIRST_PAUSE;
        loop {
            // On the heap, so that a tail that waits does not keep the room of a query.
            let rest = match Box::pin(following.read(end)).await {
                Ok((frames, read_to, rest)) => {
                    end = read_to;
                    if !frames.is_empty() {
                        pause = FIRST_PAUSE;
                        let mut window = self.window();
                        for framed in frames {
                            window.push(framed);
                        }
                        drop(window);
                        self.grown.send_replace(());
                    }
                    rest
                }
                Err(error) => {
                    tracing::warn!(app.id = %following.scope.app(), %error, "could not read on for streams, trying again");
                    tokio::time::sleep(AFTER_ERROR).await;
                    continue;
                }
            };
            match rest {
                Rest::More => {}
                Rest::Nothing => {
                    pause = FIRST_PAUSE;
                    woken.changed().await;
                }
                Rest::Hidden => {
                    tokio::select! {
                        () = woken.changed() => {}
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
                    }
                }
            }
        }
    }
}

/// A sequence that somebody follows. The reading ends with the last client.
#[derive(Debug)]
pub(super) struct Tail {
    shared: Arc<Shared>,
    reading: tokio::task::AbortHandle,
}

impl Tail {
    /// Begins to read behind `from`.
    pub(super) fn start(following: Following, from: EventCursor) -> Self {
        let window = Window { frames: VecDeque::new(), bytes: 0, floor: from };
        let shared = Arc::new(Shared { window: Mutex::new(window), grown: watch::channel(()).0 });
        let reader = Arc::clone(&shared);
        let reading = tokio::spawn(async move { reader.read_on(following, from).await }).abort_handle();
        Self { shared, reading }
    }

    pub(super) fn after(&self, cursor: EventCursor) -> Found {
        self.shared.window().after(cursor)
    }

    /// Told whenever the window has grown.
    pub(super) fn grown(&self) -> watch::Receiver<()> {
        self.shared.grown.subscribe()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> EventCursor {
        format!("0-{position}").parse().expect("a cursor")
    }

    fn window(frames: u64, size: usize) -> Window {
        let mut window = Window { frames: VecDeque::new(), bytes: 0, floor: at(0) };
        (1..=frames).for_each(|position| window.push(Framed { cursor: at(position * 10), frame: vec![b'x'; size].into() }));
        window
    }

    #[test]
    fn a_client_gets_what_is_behind_its_cursor_once() {
        let window = window(3, 1);
        let mut cursor = at(10);
        let mut got = Vec::new();
        while let Found::Frame(framed) = window.after(cursor) {
            cursor = framed.cursor;
            got.push(cursor);
        }
        assert_eq!(got, [at(20), at(30)]);
        assert!(matches!(window.after(at(25)), Found::Frame(framed) if framed.cursor == at(30)), "between two frames");
        assert!(matches!(window.after(at(99)), Found::Nothing), "ahead of the tail");
    }

    #[test]
    fn a_window_is_bounded_in_frames_and_bytes_and_says_who_is_behind() {
        let many = window(1_000, 1);
        assert_eq!(many.frames.len(), MOST_FRAMES);
        let large = window(100, MOST_BYTES / 4);
        assert_eq!((large.frames.len(), large.bytes), (4, MOST_BYTES));
        assert_eq!(window(3, MOST_BYTES * 2).frames.len(), 1, "one frame is always there");
        assert!(matches!(many.after(at(0)), Found::Behind(floor) if floor == many.floor));
        assert!(matches!(many.after(many.floor), Found::Frame(_)), "the floor itself was seen");
    }
}
