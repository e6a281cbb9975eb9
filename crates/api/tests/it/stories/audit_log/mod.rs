//! The audit log.

mod export;
mod list;
mod seals;
