//! What every request passes through, from the outside in. The order is the order of `architecture.md`, "A request".
//!
//! 1. [`finish`]: request id, access log, problem bodies, the headers that are always there
//! 2. per-address limit (its place; the limiter comes with "The API platform")
//! 3. [`authenticate`]: one look-up of the credential, then organization, application and end-user
//! 4. [`version`]: which released API version the caller speaks
//! 5. identity limit (its place)
//! 6. [`audit`]: rows for impersonated reads, refusals and failures
//!
//! The permission check is not here: it is in each handler's signature ([`crate::extract::Can`]).

pub mod address;
pub mod audit;
pub mod authenticate;
pub mod finish;
pub mod version;
