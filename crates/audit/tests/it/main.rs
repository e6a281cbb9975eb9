//! Stories on real databases: SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a server whose user may create databases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rewriting;
mod sealing;
mod tampering;
mod world;
