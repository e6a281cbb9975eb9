//! Stories, one folder a resource and one file a verb, as the URLs; `problems` and `caller` hold what the chain around them does.

mod account;
mod api_keys;
mod applications;
mod audit;
mod audit_log;
mod auth;
mod caller;
mod docs;
mod end_users;
mod idempotency;
mod installations;
mod invitations;
mod isolation;
mod members;
mod metrics;
mod models;
mod notifications;
mod orgs;
mod packages;
mod paging;
mod problems;
mod provider_keys;
mod proxies;
mod rate_limits;
mod realtime;
mod versions;
