//! Runs carried out on a real database by a scripted sidecar: SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a
//! server whose user may create databases.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

mod cancel;
mod endings;
mod fake;
mod lease;
mod life;
mod pool;
mod process;
mod secrets;
mod world;
