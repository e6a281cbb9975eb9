//! What follows from a change: events, jobs, audit rows.

pub(crate) mod audit;
pub(crate) mod events;
mod jobs;

pub use self::audit::{Audit, AuditRow, Outcome};
pub use self::events::{EventCursor, Events, NewEvent, StoredEvent};
pub use self::jobs::NewJob;
