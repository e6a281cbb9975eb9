//! The API, one folder a resource, one file a verb.

pub mod agents;
pub mod api_keys;
pub mod applications;
pub mod audit_log;
pub mod auth;
pub mod connections;
pub mod docs;
pub mod end_users;
mod given;
pub mod health;
pub mod installations;
pub mod invitations;
pub mod me;
pub mod members;
pub mod memories;
pub mod metrics;
pub mod models;
pub mod notifications;
pub mod orgs;
pub mod packages;
pub mod profile;
pub mod provider_keys;
pub mod proxies;
pub mod realtime;
pub mod runs;
mod tested;
pub mod welcome;
