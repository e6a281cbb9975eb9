//! How many requests of which class who may send, and what the headers say of it.

mod classes;
mod identities;
mod sizes;
mod strangers;

use crate::world::World;

/// A world with these limits.
async fn world(limits: &str) -> World {
    let limits: api::RateLimits = limits.parse().unwrap();
    World::with(|options| options.rate_limits = limits).await
}
