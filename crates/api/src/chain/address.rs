//! The address a request came from, as the audit log and per-address limits know it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

/// How many proxies in front of the server are believed (`TRUST_PROXY`). 0: the socket's address counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub u8);

/// The client's address, in the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The client's address: the `n`-th from the right of `X-Forwarded-For` behind `n` trusted proxies, otherwise the socket's.
///
/// A forwarded list that is shorter than the number of trusted proxies was not written by them: then the socket counts.
pub fn client_address(request: &Request, trusted: TrustedProxies) -> IpAddr {
    let socket = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    if trusted.0 == 0 {
        return socket;
    }
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    forwarded.len().checked_sub(usize::from(trusted.0)).and_then(|at| forwarded[at].parse().ok()).unwrap_or(socket)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn seen(forwarded: &str, trusted: u8) -> String {
        let mut request = Request::builder().header("x-forwarded-for", forwarded).body(Body::empty()).expect("builds");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 9], 1))));
        client_address(&request, TrustedProxies(trusted)).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        assert_eq!(seen("6.6.6.6, 1.2.3.4", 0), "10.0.0.9");
        assert_eq!(seen("6.6.6.6, 1.2.3.4", 1), "1.2.3.4");
        assert_eq!(seen("6.6.6.6, 1.2.3.4", 2), "6.6.6.6");
        assert_eq!(seen("1.2.3.4", 3), "10.0.0.9");
        assert_eq!(seen("nonsense", 1), "10.0.0.9");
    }
}
