//! Tests that walk the OpenAPI document: every operation that it will ever hold is covered from birth.
//!
//! | module | owns |
//! |---|---|
//! | [`operation`] | the operations, read from the document |
//! | [`fixtures`] | the one table to extend with a new route: what its path names, and a body that works |
//! | [`stage`], [`rows`], [`traces`] | the tenants of the walk, and how a row of each kind is made |
//! | [`principal`], [`target`] | who calls, and whose row is meant |
//! | [`policy`] | the answer that each pair must get |
//! | [`sweep`] | operations × principals × targets |
//! | [`canaries`] | that the rows of others can be told by their text |
//! | [`unlocked`] | the sweep again with one filter left out, to see that it would tell |
//! | [`keys`] | every unsafe operation under an idempotency key |
//! | [`bodies`], [`described`] | what holds for bodies and descriptions |

mod bodies;
mod canaries;
mod described;
mod fixtures;
mod keys;
mod operation;
mod policy;
mod principal;
mod rows;
mod stage;
mod sweep;
mod target;
mod traces;
mod unlocked;

pub(crate) use self::fixtures::{Kind, path};
pub(crate) use self::operation::{Operation, document, operations};
pub(crate) use self::rows::{agent, archive, upload};
pub(crate) use self::stage::Stage;
pub(crate) use self::target::Target;
