//! Tests of the HTTP API: the whole router in process, a database of its own for each world.
//!
//! | module | owns |
//! |---|---|
//! | [`world`] | a server, tenants, callers, replies |
//! | [`stories`] | one folder a resource, one file a verb, as the URLs |
//! | [`walk`] | what holds for every operation of the OpenAPI document, also for those that come later |
//! | [`document`] | the document itself |
//! | [`compatibility`] | the gate against breaking changes |

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "what helps a test fails by panicking, and prints what was seen")]

mod compatibility;
mod document;
mod stories;
mod walk;
mod world;
