//! The OpenAPI 3.1 document, made from the handlers.

pub mod decorate;
pub mod guard;
