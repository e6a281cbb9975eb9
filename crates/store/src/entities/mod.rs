//! Rows as the database holds them: plain columns, private to this crate. Repositories turn them into domain structs.
//!
//! Ids and JSON are TEXT, times are milliseconds since 1970 ([`At`]), enums are their lower-case names.

#![expect(unreachable_pub, reason = "the derive macros make public items, and the module that holds them is private")]

pub(crate) mod api_key;
pub(crate) mod application;
pub(crate) mod audit_entry;
pub(crate) mod end_user;
pub(crate) mod event;
pub(crate) mod idempotency_record;
pub(crate) mod job;
pub(crate) mod member;
pub(crate) mod organization;
#[cfg(feature = "unlock")]
pub(crate) mod registry;
pub(crate) mod session;
pub(crate) mod user;

/// A time column.
pub(crate) use sea_orm::prelude::ChronoUnixTimestampMillis as At;

use crate::StoreError;

/// Reads an id or another value from its text.
pub(crate) fn parse<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt { what })
}

/// Reads an optional id from its text.
pub(crate) fn parse_some<T: std::str::FromStr>(text: Option<&str>, what: &'static str) -> Result<Option<T>, StoreError> {
    text.map(|text| parse(text, what)).transpose()
}

/// Reads a JSON column.
pub(crate) fn json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what })
}

/// Writes a JSON column.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("values with text keys always serialize")
}
