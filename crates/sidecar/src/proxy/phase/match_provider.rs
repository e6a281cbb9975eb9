//! Phase 1: the provider that the request names.

use std::sync::Arc;

use crate::proxy::provider::{Catalog, Provider};
use crate::proxy::refusal::Refusal;

/// Finds the provider among the run's own.
pub fn run(catalog: &Catalog, name: &str) -> Result<Arc<Provider>, Refusal> {
    catalog.find(name).cloned().ok_or_else(|| {
        // The name is the caller's own text; it is cut so that an error stays an error and not a payload.
        let connected = catalog.names();
        let connected = if connected.is_empty() { "none".to_owned() } else { connected.join(", ") };
        Refusal::UnknownProvider { name: name.chars().filter(|letter| !letter.is_control()).take(150).collect(), connected }
    })
}
