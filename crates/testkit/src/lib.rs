//! Parts for tests, the demo and the bench. Never a dependency of the product.
//!
//! | module | is |
//! |---|---|
//! | [`scripted_model`] | a model server on loopback: real wire protocols, answers from a script |
//! | [`connect_proxy`] | an outbound proxy that counts its tunnels |
//! | [`customer_api`] | a small company's API, the provider of the demo agent |
//! | [`system`] | the whole server as its own process, with tenants made over HTTP |
//! | [`client`] | a plain HTTP client |
//! | [`events`] | server-sent events, as a client reads them |
//! | [`demo`] | what `make run` seeds and shows |

pub mod client;
pub mod connect_proxy;
pub mod customer_api;
pub mod demo;
pub mod events;
pub mod scripted_model;
pub mod system;
