//! Stories on the running server, its real sidecars and its real sandboxes: nothing of one customer reaches another, and no
//! secret reaches anyone.
//!
//! SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a server whose user may create databases.

mod canaries;
mod customers;
mod foreign;
mod impersonation;
mod needles;
mod outbound_proxies;
mod place;
mod protocols;
mod script;
mod streams;
mod system_tools;
mod third_party;
