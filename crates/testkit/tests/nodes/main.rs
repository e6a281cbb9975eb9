//! Several servers on one PostgreSQL, with Redis and without: what one knows or does, the others know at once.
//!
//! Needs `TEST_DATABASE_URL` and `TEST_REDIS_URL`; `scripts/services.sh` sets them.
//!
//! | module | is about |
//! |---|---|
//! | `credentials` | keys, sessions and tickets of one node on the other |
//! | `streams` | following on one node what another carries out |
//! | `requests` | limits, idempotency keys, and a database that is away |
//! | `lost_redis` | Redis goes away and comes back |
//! | `life` | cancelling across nodes; the runs of a node that died |
//! | `cluster` | the servers, and their database |

mod cluster;
mod credentials;
mod life;
mod lost_redis;
mod requests;
mod streams;
