//! The one writer of the socket.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use wire::frame;
use wire::hands::{FromHands, ToolOutcome};

pub(crate) struct Outbox {
    socket: Mutex<UnixStream>,
}

impl Outbox {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Self { socket: Mutex::new(socket) }
    }

    /// Sends the end of a call. A result above the frame limit becomes an error that says so.
    pub(crate) fn done(&self, call: u64, outcome: ToolOutcome) {
        if !self.send(&FromHands::Done { call, outcome }) {
            let message = format!("the result is too large: a call may return at most {} MiB", frame::MAX_FRAME_BYTES >> 20);
            self.send(&FromHands::Done { call, outcome: ToolOutcome::error(message) });
        }
    }

    /// Sends a message; `false` if it is larger than a frame. A broken socket is closed, which ends the reader and with it the host.
    pub(crate) fn send(&self, message: &FromHands) -> bool {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        match frame::write_frame(&mut *socket, message) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => false,
            Err(_) => {
                // A socket that is already closed needs no shutdown.
                let _closed = socket.shutdown(Shutdown::Both);
                true
            }
        }
    }
}
