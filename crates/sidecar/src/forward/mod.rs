//! The forward proxy at `http://sidecar:8081`: the agent's own HTTP, to public addresses, under its egress policy.
//!
//! | module | holds |
//! |---|---|
//! | [`egress`] | which hosts and ports |
//! | [`absolute`] | `GET http://…` and `GET https://…` (TLS by the sidecar) |
//! | [`tunnel`] | `CONNECT host:443` |
//! | [`traffic`] | counting bytes, and the event |

pub mod absolute;
pub mod egress;
pub mod traffic;
pub mod tunnel;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use net::{Body, Client};
use tokio_util::sync::CancellationToken;
use wire::run_spec::Egress;

use self::egress::{Denied, EgressPolicy};
use self::traffic::Budget;
use crate::http_io;
use crate::limits;
use crate::proxy::Catalog;
use crate::recorder::Recorder;

/// The forward proxy of one run. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Forwarder {
    client: Client,
    policy: Arc<EgressPolicy>,
    recorder: Recorder,
    budget: Budget,
    connections: Arc<AtomicU64>,
    /// Ends the tunnels with the run.
    stop: CancellationToken,
}

impl Forwarder {
    /// Builds it; complaints about entries of the list that cannot be read are for the log.
    pub fn new(client: Client, egress: &Egress, catalog: Arc<Catalog>, recorder: Recorder, stop: CancellationToken) -> (Self, Vec<String>) {
        let (policy, complaints) = EgressPolicy::new(egress, catalog);
        let policy = Arc::new(policy);
        (Self { client, policy, recorder, budget: Budget::default(), connections: Arc::default(), stop }, complaints)
    }

    /// Answers one request of the sandbox.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if self.connections.fetch_add(1, Ordering::Relaxed) >= limits::EGRESS_CONNECTIONS {
            return refuse(&Denied::TooMany { limit: limits::EGRESS_CONNECTIONS });
        }
        let outcome = if request.method() == Method::CONNECT {
            tunnel::run(self, request).await
        } else if request.uri().scheme().is_some() {
            absolute::run(self, request).await
        } else {
            return http_io::refuse(
                StatusCode::BAD_REQUEST,
                "not_a_proxy_request",
                "this is a forward proxy: send CONNECT host:port or an absolute address",
            );
        };
        outcome.unwrap_or_else(|denied| refuse(&denied))
    }
}

fn refuse(denied: &Denied) -> Response<Body> {
    http_io::refuse(denied.status(), denied.code(), &denied.to_string())
}
