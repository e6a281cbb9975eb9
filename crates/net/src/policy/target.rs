//! Where a connection would go, in the form that policies compare.

use url::{Host, Url};

use super::Refusal;

/// What is spoken over the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
    /// Bytes of somebody else (CONNECT).
    Tunnel,
}

/// Scheme, host and port of a connection. The host is normalized: lower case, punycode, IPv4 in any notation as an address, no
/// trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub scheme: Scheme,
    pub host: Host<String>,
    pub port: u16,
}

impl Target {
    /// The target of a URL. Refuses other schemes and user info.
    pub fn of(url: &Url) -> Result<Self, Refusal> {
        let (scheme, default) = match url.scheme() {
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Https, 443),
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let host = normalize(url.host().ok_or(Refusal::NoHost)?.to_owned())?;
        Ok(Self { scheme, host, port: url.port().unwrap_or(default) })
    }

    /// The target of a tunnel. `host` is a name, an IPv4 address in any notation, or an IPv6 address with or without brackets.
    pub fn tunnel(host: &str, port: u16) -> Result<Self, Refusal> {
        let bracketed = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let host = normalize(Host::parse(&bracketed).map_err(|_| Refusal::NoHost)?)?;
        Ok(Self { scheme: Scheme::Tunnel, host, port })
    }
}

fn normalize(host: Host<String>) -> Result<Host<String>, Refusal> {
    let Host::Domain(name) = host else { return Ok(host) };
    let Some(bare) = name.strip_suffix('.') else { return Ok(Host::Domain(name)) };
    if bare.is_empty() || bare.ends_with('.') {
        return Err(Refusal::NoHost);
    }
    // Without its dot a name may turn out to be an address ("127.0.0.1." is one already for the URL parser, "0x7f.1." too).
    Host::parse(bare).map_err(|_| Refusal::NoHost)
}
