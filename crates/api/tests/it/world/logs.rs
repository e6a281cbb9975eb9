//! What this process logs in the course of a story.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::Level;
use tracing::subscriber::DefaultGuard;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The errors that this thread logs while it lives: on it happens everything but the databases' own work.
pub(crate) struct Logs {
    lines: Lines,
    _collecting: DefaultGuard,
}

impl Logs {
    pub(crate) fn collect() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_max_level(Level::ERROR).with_writer(move || writer.clone()).finish();
        Self { lines, _collecting: tracing::subscriber::set_default(subscriber) }
    }

    /// The errors since the last call.
    pub(crate) fn take(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.lines.0.lock().unwrap())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
