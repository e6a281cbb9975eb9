//! The hands of the loop: the tool host in the sandbox, and the tools that the sidecar carries out itself.
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | the protocol with the tool host |
//! | [`setup`] | what the sandbox starts with: environment, files, tools |
//! | [`bound`] | limits on what the tool host says |
//! | [`sandbox`] | the sandbox: started once, at the first call that needs it |
//! | [`route`] | `agent::Hands`: who carries out which tool |

pub mod bound;
pub mod client;
pub mod route;
pub mod sandbox;
pub mod setup;

pub use route::RunHands;
pub use sandbox::Sandbox;
