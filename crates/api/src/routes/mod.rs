//! The API, one folder a resource, one file a verb.

pub mod api_keys;
pub mod applications;
pub mod auth;
pub mod docs;
pub mod end_users;
pub mod health;
pub mod orgs;
