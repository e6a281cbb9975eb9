//! `CONNECT`: bytes in both directions, to a checked address.

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade;
use hyper_util::rt::TokioIo;
use net::policy::Target;
use net::{Body, Link, Purpose, body};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Forwarder;
use super::egress::Denied;
use super::traffic::{Traffic, Way};
use crate::limits;

const BUFFER: usize = 16 * 1024;

/// Opens the tunnel; the connection is made before the agent hears `200`.
pub async fn run(forwarder: &Forwarder, request: Request<Incoming>) -> Result<Response<Body>, Denied> {
    let authority = request.uri().authority().ok_or(Denied::BadTarget)?;
    let port = authority.port_u16().ok_or(Denied::BadTarget)?;
    let target = Target::tunnel(authority.host(), port).map_err(|_| Denied::BadTarget)?;
    let host = target.host.to_string();
    let slot = forwarder.recorder.slot().await;
    let traffic = Traffic::begin(host.clone(), port, forwarder.budget.clone(), slot);
    forwarder.policy.vet_tunnel(&forwarder.client, &target)?;
    let upstream = forwarder.client.connect_tcp(Purpose::Agents, &host, port).await;
    if upstream.as_ref().map_or_else(|error| !error.is_refusal(), |_| true) {
        traffic.allow();
    }
    let upstream = upstream?;
    let stop = forwarder.stop.clone();
    tokio::spawn(async move {
        let work = async {
            match upgrade::on(request).await {
                Ok(agent) => carry(TokioIo::new(agent), upstream, &traffic).await,
                Err(error) => tracing::debug!(%error, "the agent left before its tunnel stood"),
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(Response::new(body::empty()))
}

/// Carries bytes until both sides have ended, nothing moves for [`limits::TUNNEL_IDLE`], or the run's bytes are used up.
async fn carry(agent: TokioIo<upgrade::Upgraded>, upstream: Link, traffic: &Arc<Traffic>) {
    let (mut agent_reader, mut agent_writer) = tokio::io::split(agent);
    let (mut upstream_reader, mut upstream_writer) = tokio::io::split(upstream);
    let (mut out, mut back) = (vec![0; BUFFER], vec![0; BUFFER]);
    let (mut out_open, mut back_open) = (true, true);
    while out_open || back_open {
        let step = async {
            tokio::select! {
                read = agent_reader.read(&mut out), if out_open => {
                    let length = read?;
                    traffic.count(Way::Out, length).map_err(std::io::Error::other)?;
                    if length == 0 { upstream_writer.shutdown().await? } else { upstream_writer.write_all(&out[..length]).await? }
                    // Inside the TLS of a proxy, what was written may still wait for the socket.
                    upstream_writer.flush().await?;
                    std::io::Result::Ok((length > 0, back_open))
                }
                read = upstream_reader.read(&mut back), if back_open => {
                    let length = read?;
                    traffic.count(Way::Back, length).map_err(std::io::Error::other)?;
                    if length == 0 { agent_writer.shutdown().await? } else { agent_writer.write_all(&back[..length]).await? }
                    Ok((out_open, length > 0))
                }
            }
        };
        match timeout(limits::TUNNEL_IDLE, step).await {
            Ok(Ok(open)) => (out_open, back_open) = open,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a tunnel broke");
                return;
            }
            Err(_) => return,
        }
    }
}
