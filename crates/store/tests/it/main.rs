//! Stories on real databases: SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a server whose user may create
//! databases (`postgres://user@host:port/postgres`).

mod idempotency;
mod identity;
mod records;
mod schema;
mod tenancy;
mod world;
mod writes;
