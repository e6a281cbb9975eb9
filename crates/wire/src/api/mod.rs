//! Bodies of the HTTP API, one file per resource, camelCase on the wire.
//!
//! Requests refuse unknown members; objects carry an `object` discriminator and write nulls out.

pub mod account;
pub mod api_key;
pub mod application;
pub mod audit_log;
pub mod connection;
pub mod end_user;
pub mod installation;
pub mod invitation;
pub mod list;
pub mod member;
pub mod memory;
pub mod model;
pub mod notification;
pub mod organization;
pub mod package;
pub mod probe;
pub mod proxy;
pub mod run;
pub mod run_log;
pub mod run_update;
pub mod session;
pub mod stream_ticket;
pub mod timestamp;

use serde::{Deserialize, Deserializer};

/// Reads a member that may be missing but not `null`, for PATCH bodies: `#[serde(default, deserialize_with = "present")]`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Tells a missing member (`None`) from an explicit `null` (`Some(None)`), for PATCH and PUT bodies:
/// `#[serde(default, deserialize_with = "nullable")]`.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A member that must be there and may be `null`: `#[serde(deserialize_with = "required_nullable")]`.
pub fn required_nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
