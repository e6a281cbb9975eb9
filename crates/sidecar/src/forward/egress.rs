//! Which hosts and ports the agent's own HTTP may reach.

use std::sync::Arc;

use http::StatusCode;
use net::policy::Target;
use net::{Client, Purpose};
use url::{Host, Url};
use wire::run_spec::Egress;

use crate::proxy::Catalog;
use crate::proxy::pattern::HostPattern;

/// The compiled policy of a run.
#[derive(Debug)]
pub enum EgressPolicy {
    /// Only the authorized URIs of the run's providers.
    Providers(Arc<Catalog>),
    List(Vec<HostPattern>),
    Public,
}

/// Why a connection was not made.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error("the target is not a valid address")]
    BadTarget,
    #[error("only ports 80 and 443 can be reached, not {port}")]
    Port { port: u16 },
    #[error("the agent's egress policy does not permit \"{host}\"")]
    Policy { host: String },
    #[error("this run has opened {limit} connections, which is the most it may open")]
    TooMany { limit: u64 },
    #[error(transparent)]
    Net(#[from] net::Error),
}

impl Denied {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadTarget => "invalid_target",
            Self::Port { .. } => "port_refused",
            Self::Policy { .. } => "egress_refused",
            Self::TooMany { .. } => "too_many_connections",
            Self::Net(error) if error.is_refusal() => "address_refused",
            Self::Net(error) if error.is_timeout() => "timeout",
            Self::Net(_) => "unreachable",
        }
    }

    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadTarget => StatusCode::BAD_REQUEST,
            Self::Port { .. } | Self::Policy { .. } => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Net(error) if error.is_refusal() => StatusCode::FORBIDDEN,
            Self::Net(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            Self::Net(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// Whether the connection was forbidden, and not just impossible.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Net(error) => error.is_refusal(),
            _ => true,
        }
    }
}

impl EgressPolicy {
    pub fn new(egress: &Egress, catalog: Arc<Catalog>) -> (Self, Vec<String>) {
        match egress {
            Egress::Public => (Self::Public, Vec::new()),
            Egress::Providers => (Self::Providers(catalog), Vec::new()),
            Egress::List { hosts } => {
                let mut complaints = Vec::new();
                let mut patterns = Vec::new();
                for host in hosts {
                    match HostPattern::parse(host.trim()) {
                        Ok(pattern) => patterns.push(pattern),
                        Err(problem) => complaints.push(format!("the egress host \"{host}\" matches nothing: {problem}")),
                    }
                }
                (Self::List(patterns), complaints)
            }
        }
    }

    /// Judges a whole URL.
    pub fn vet_url(&self, client: &Client, url: &Url) -> Result<(), Denied> {
        let target = client.policy().vet(Purpose::Agents, url).map_err(net::Error::from)?;
        vet_port(client, &target)?;
        let permitted = match self {
            Self::Providers(catalog) => catalog.iter().any(|provider| provider.may_carry(url)),
            _ => self.permits_host(&target),
        };
        if permitted { Ok(()) } else { Err(denied(&target)) }
    }

    /// Judges a tunnel, whose content cannot be seen.
    pub fn vet_tunnel(&self, client: &Client, target: &Target) -> Result<(), Denied> {
        client.policy().vet_target(Purpose::Agents, target).map_err(net::Error::from)?;
        vet_port(client, target)?;
        if self.permits_host(target) { Ok(()) } else { Err(denied(target)) }
    }

    fn permits_host(&self, target: &Target) -> bool {
        let host = match &target.host {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(address) => Host::Ipv4(*address),
            Host::Ipv6(address) => Host::Ipv6(*address),
        };
        match self {
            Self::Public => true,
            Self::List(patterns) => patterns.iter().any(|pattern| pattern.matches(&host)),
            Self::Providers(catalog) => catalog.iter().any(|provider| provider.covers_host(&host, target.port)),
        }
    }
}

fn vet_port(client: &Client, target: &Target) -> Result<(), Denied> {
    if matches!(target.port, 80 | 443) || client.policy().is_listed(Purpose::Agents, target) {
        return Ok(());
    }
    Err(Denied::Port { port: target.port })
}

fn denied(target: &Target) -> Denied {
    Denied::Policy { host: target.host.to_string() }
}
