//! Bounds of one run's sidecar. They protect the host and the record; the run's own limits stand in its spec.

use std::time::Duration;

/// Connections that one listener serves at once; further ones wait in the backlog.
pub const CONNECTIONS: usize = 64;
/// Calls in flight or awaiting the commit of their event, over both proxies.
pub const CALLS_IN_FLIGHT: usize = 128;
/// Provider requests of one run.
pub const PROVIDER_CALLS: u64 = 10_000;
/// Connections of the agent's own HTTP in one run.
pub const EGRESS_CONNECTIONS: u64 = 10_000;
/// Bytes of the agent's own HTTP in one run, both directions.
pub const EGRESS_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Body of a provider request.
pub const REQUEST_BODY: usize = 5 * 1024 * 1024;
/// A provider request's target, before and after its slots are filled.
pub const TARGET: usize = 16 * 1024;
/// `X-Max-Response-Size` when absent.
pub const RESPONSE_DEFAULT: usize = 50_000;
/// `X-Max-Response-Size` at most.
pub const RESPONSE_MAX: usize = 1_000_000;
/// What `provider_call` saves to a workspace file at most.
pub const SPILL: u64 = 64 * 1024 * 1024;
/// For the head of a request to arrive on a listener.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// For a provider's response head.
pub const RESPONSE_TIME: Duration = Duration::from_secs(30);
/// Between two pieces of a response.
pub const IDLE_TIME: Duration = Duration::from_mins(1);
/// A tunnel without traffic.
pub const TUNNEL_IDLE: Duration = Duration::from_mins(2);
/// For the worker to start a sandbox and the tool host to say it is ready.
pub const SANDBOX_START: Duration = Duration::from_mins(1);
/// What a tool host gets beyond a call's own time before the call is given up.
pub const CALL_GRACE: Duration = Duration::from_secs(3);
/// For the record to drain at the end of a run.
pub const DRAIN: Duration = Duration::from_secs(5);
