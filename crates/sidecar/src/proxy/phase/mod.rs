//! The phases of a provider request, in order.

pub mod forward;
pub mod inject;
pub mod match_provider;
pub mod record;
pub mod redact;
pub mod resolve;
pub mod uri_policy;
