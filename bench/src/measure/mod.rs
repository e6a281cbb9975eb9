//! The sections of the report, one file each.

pub(crate) mod accept;
pub(crate) mod costs;
pub(crate) mod first_request;
pub(crate) mod memory;
pub(crate) mod reads;
pub(crate) mod sandbox_start;
pub(crate) mod sidecar;
pub(crate) mod sizes;
pub(crate) mod start_up;
