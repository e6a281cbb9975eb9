//! Stories on real databases: SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a server whose user may create
//! databases (`postgres://user@host:port/postgres`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod catalog;
mod crashes;
mod fates;
mod idempotency;
mod identity;
mod invitations;
mod lanes;
mod limits;
mod members;
mod nodes;
mod proxies;
mod proxy;
mod records;
mod request;
mod runs;
mod schema;
mod stepped;
mod tenancy;
mod tickets;
mod vault;
mod world;
mod writes;
