//! What every request passes through, from the outside in. The order is the order of `architecture.md`, "A request".
//!
//! 1. [`drain`]: what the handler left of the body is read away
//! 2. [`finish`]: request id, access log, problem bodies, the headers that are always there
//! 3. [`rate_limit::by_address`]: what needs no credentials, and whoever stayed unknown
//! 4. [`authenticate`]: one look-up of the credential, then organization, application and end-user
//! 5. [`version`]: which released API version the caller speaks
//! 6. [`audit`]: rows for impersonated reads, refusals and failures
//! 7. [`rate_limit::by_identity`]: what keys and users send; inside the audit, so that a limit that is met leaves its row
//! 8. [`idempotency`]: the request's key; claimed with the permission, in the handler's signature
//! 9. [`crate::versions::edge::speak`]: behind it everything speaks the newest version
//!
//! The permission check is not here: it is in each handler's signature ([`crate::extract::Can`]).

pub mod address;
pub mod audit;
pub mod authenticate;
pub mod drain;
pub mod finish;
pub mod idempotency;
pub mod rate_limit;
pub mod redact;
pub mod version;
