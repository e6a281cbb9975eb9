//! The audit log.

mod documented;
mod export;
mod list;
mod seals;
