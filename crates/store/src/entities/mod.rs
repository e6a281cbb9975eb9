//! Rows as the database holds them: plain columns, private to this crate. Repositories turn them into domain structs.
//!
//! Ids and JSON are TEXT, times are milliseconds since 1970 ([`At`]), enums are their lower-case names.

#![expect(clippy::struct_field_names, clippy::struct_excessive_bools, reason = "fields are named after their columns")]
#![expect(unreachable_pub, reason = "the derive macros make public items, and the module that holds them is private")]

pub(crate) mod account_token;
pub(crate) mod api_key;
pub(crate) mod application;
pub(crate) mod attempt;
pub(crate) mod audit_entry;
pub(crate) mod audit_key;
pub(crate) mod audit_seal;
pub(crate) mod connection;
pub(crate) mod data_key;
pub(crate) mod deleted_run;
pub(crate) mod end_user;
pub(crate) mod event;
pub(crate) mod idempotency_record;
pub(crate) mod installation;
pub(crate) mod invitation;
pub(crate) mod job;
pub(crate) mod key_check;
pub(crate) mod lease;
pub(crate) mod ledger_entry;
pub(crate) mod login_identity;
pub(crate) mod member;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod organization;
pub(crate) mod package;
pub(crate) mod package_version;
pub(crate) mod profile;
pub(crate) mod provider_key;
pub(crate) mod proxy;
pub(crate) mod proxy_default;
pub(crate) mod proxy_use;
#[cfg(feature = "unlock")]
pub(crate) mod registry;
pub(crate) mod run;
pub(crate) mod run_activity;
pub(crate) mod run_spec;
pub(crate) mod run_state;
pub(crate) mod run_total;
pub(crate) mod session;
pub(crate) mod stream_ticket;
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
