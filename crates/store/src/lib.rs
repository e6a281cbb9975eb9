//! Everything kept: one SQLite file or a PostgreSQL database, blobs, and the wakes that follow a commit.
//!
//! | module | owns |
//! |---|---|
//! | [`Store`] (`store.rs`) | the handle: connect, open a unit of work |
//! | `engine/` | the two databases; SQLite's writer with its two lanes; PostgreSQL's role switch |
//! | `scope.rs` | who may reach what; only this crate mints a scope |
//! | `unit/` | one transaction in one scope: [`Read`], [`Write`], idempotency, the reply; work that calls out ([`Step`]) |
//! | `scoped/` | statements that filter and stamp themselves; the rule per class of rows, for both engines |
//! | `system/` | the closed list of what the platform does outside every tenant |
//! | `migrations/`, `entities/` | tables and rows, private |
//! | `limits/` | how much of a rate limit is used: in memory, or on Redis for all nodes |
//! | `records/` | events, jobs, audit rows |
//! | `audit/` | the audit log read, sealed and checked |
//! | `runs/` | runs: rows, events, leases, ledger, ends, state, memories, followers |
//! | `identity/`, `catalog/`, `vault/` | repositories, one file each |
//!
//! `api, runs, auth, connect → store → wire, domain`. Knows nothing of HTTP.
//!
//! # Adding a table
//! 1. `migrations/m….rs`: SQL once, with the words of `migrations/ddl.rs`; unique indexes named `<table>_<columns>`; tenant
//!    columns, `UNIQUE (app_id, id)` and composite foreign keys; one line in `TABLES` that says whose the rows are (`Tenancy`).
//!    Row-level security follows from that line.
//! 2. `entities/<row>.rs`: plain columns, and `impl Scoped` with the same `Tenancy`. Add it to the list in `entities/registry.rs`; the
//!    tests compare tables, classes and columns, so a forgotten one fails.
//! 3. A repository like `identity/end_users.rs`: `pub struct EndUsers<'u, M>(Tenant<'u, M>)`, reads for every `M: Mode`, changes
//!    for [`Writing`], made by a method on `Unit<AppScope, M>` (or `Unit<S: InOrg, M>`). `Tenant::{find, insert, append, update,
//!    delete}` filter and stamp; there is no way around them.
//! 4. Work of the platform that spans tenants (claims) is a method in `system/`; rows that are queued behind requests implement
//!    `engine::Queued` (example: `records::audit::QueuedAudit`).

mod audit;
mod blobs;
mod catalog;
mod clock;
pub mod constraint;
mod engine;
mod entities;
mod error;
pub mod failpoints;
mod identity;
mod limits;
mod live;
mod migrations;
mod options;
mod page;
mod records;
mod runs;
mod scope;
mod scoped;
mod seal;
mod store;
mod system;
mod unit;
mod vault;

pub use self::audit::*;
pub use self::blobs::{BlobKey, Blobs};
pub use self::catalog::*;
pub use self::error::StoreError;
pub use self::identity::*;
pub use self::limits::{Bucket, Budget, InvalidRedisUrl, LimiterHealth, Quota, RateLimiter, RedisOptions, RedisTime, Verdict};
pub use self::live::{Live, Nodes, Subscription, Topic};
pub use self::options::Options;
pub use self::page::{Page, Paged};
pub use self::records::*;
pub use self::runs::*;
pub use self::scope::{AppScope, InOrg, OrgScope, Scope, SystemScope};
pub use self::seal::{SealError, Sealer};
pub use self::store::Store;
pub use self::system::{Backlog, InvitationOffer, KeyLogin, Lease, Membership, SessionLogin, System, TakenTicket};
pub use self::unit::{
    AuditFacts, Claim, Claimed, Draft, Earlier, IdempotencyKey, Intent, Mode, Opened, Read, Reading, Recorded, Repeat, Reply, ReplyForm,
    Step, Unit, Write, WriteContext, Writing,
};
pub use self::vault::*;

/// What tests compare with the database: see `tests/it/schema.rs`.
#[cfg(feature = "unlock")]
pub mod inspect;
