//! Requests in absolute form: `http://` as it is, `https://` with TLS by the sidecar (for the tool host's `fetch`).

use http::header::{EXPECT, HOST};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use net::{Body, Purpose, Timeouts};
use url::Url;

use super::Forwarder;
use super::egress::Denied;
use super::traffic::{Counted, Traffic, Way};
use crate::limits;
use crate::proxy::phase::inject::strip_connection_headers;

/// Forwards one request and streams the answer. Redirects go back to the agent, which is judged again when it follows.
pub async fn run(forwarder: &Forwarder, request: Request<Incoming>) -> Result<Response<Body>, Denied> {
    let (head, body) = request.into_parts();
    let url: Url = head.uri.to_string().parse().map_err(|_| Denied::BadTarget)?;
    let host = url.host_str().ok_or(Denied::BadTarget)?.to_owned();
    let port = url.port_or_known_default().ok_or(Denied::BadTarget)?;
    let slot = forwarder.recorder.slot().await;
    let traffic = Traffic::begin(host, port, forwarder.budget.clone(), slot);
    forwarder.policy.vet_url(&forwarder.client, &url)?;

    let mut headers = head.headers;
    strip_connection_headers(&mut headers);
    headers.remove(HOST);
    headers.remove(EXPECT);
    let body = Counted::new(body, std::sync::Arc::clone(&traffic), Way::Out).boxed_unsync();
    let timeouts = Timeouts { response: Some(limits::TUNNEL_IDLE), idle: Some(limits::IDLE_TIME) };
    let outgoing = net::Request::new(head.method, url).headers(headers).stream(body).timeouts(timeouts);
    let response = forwarder.client.send(Purpose::Agents, outgoing).await;
    if response.as_ref().map_or_else(|error| !error.is_refusal(), |_| true) {
        traffic.allow();
    }
    let response = response?;

    let mut answer = Response::new(Counted::new(response.body, traffic, Way::Back).boxed_unsync());
    *answer.status_mut() = response.status;
    *answer.headers_mut() = response.headers;
    strip_connection_headers(answer.headers_mut());
    Ok(answer)
}
