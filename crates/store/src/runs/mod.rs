//! Runs: their rows, events, leases, ledger, state and memories.
//!
//! A `runs` row is the projection of its events and of its ledger, written in the same transaction as they are. Three kinds of
//! callers write it: the API starts and cancels ([`Runs`] on a [`crate::Write`]), a worker claims and then appends under its lease
//! through the second lane ([`claim`], [`append`], [`lease`]), and the one finaliser ends ([`finish`]). After the end nothing is
//! written any more: every statement names the states it may start from, taken from `domain::RunStatus::may_become`.

mod append;
mod cancel;
mod claim;
mod create;
mod deltas;
mod events;
mod expired;
mod finish;
mod follow;
mod lease;
mod ledger;
mod leftovers;
mod list;
mod memories;
mod outline;
mod owner;
mod passing;
mod row;
mod states;
mod totals;
mod unread;

pub use self::append::{Appended, RunEntry};
pub use self::cancel::CancelRequest;
pub use self::claim::ClaimedRun;
pub use self::create::{NewRun, Refused};
pub(crate) use self::deltas::Deltas;
pub use self::events::{EventData, RunEvents, RunRecord};
pub use self::expired::ExpiredRun;
pub use self::finish::{FinishedRun, RunEnding};
pub use self::follow::{FollowRun, Followed};
pub use self::lease::{HeldLease, RunLease};
pub use self::list::{RunFilter, Runs};
pub use self::memories::{MOST_MEMORIES, Memories, Memory};
pub use self::outline::RunOutline;
pub use self::passing::{Passed, PassedEvents, Rest};
pub use self::row::Run;
pub use self::states::States;
pub use self::unread::{MOST_UNREAD, Notifications, Unread};
