//! Mail, against a mail server on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;
mod smtp;
