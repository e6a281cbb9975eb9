//! The address a request came from, as the audit log and per-address limits know it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

/// How many proxies in front of the server are believed (`TRUST_PROXY`). 0: the socket's address counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub u8);

/// The client's address, in the request's extensions. IPv4 is never written as IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What counts as one client.
    pub fn network(&self) -> String {
        domain::client_network(self.0)
    }
}

/// The client's address: the `n`-th from the right of `X-Forwarded-For` behind `n` trusted proxies, otherwise the socket's.
///
/// Each proxy appends the address that it was called from, so the last `n` entries are the trusted ones' own words; what stands before
/// them is the client's and never read. A forwarded list that is shorter than the number of trusted proxies was not written by them: then the socket counts.
pub fn client_address(request: &Request, trusted: TrustedProxies) -> IpAddr {
    let socket = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    // Several headers are one list (RFC 9110 §5.3). Entries are split as bytes, so that one that is no text hides no other.
    let entries = request.headers().get_all("x-forwarded-for").iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let forwarded = match usize::from(trusted.0) {
        0 => None,
        trusted => {
            let entries: Vec<&[u8]> = entries.collect();
            entries.len().checked_sub(trusted).and_then(|at| parse(entries[at]))
        }
    };
    forwarded.unwrap_or(socket).to_canonical()
}

/// An address as proxies write it: alone, with a port, in brackets, in quotes, with a zone.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim().trim_matches('"');
    if let Some(rest) = entry.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        let is_port = |port: &str| port.parse::<u16>().is_ok();
        return if after.is_empty() || after.strip_prefix(':').is_some_and(is_port) { ipv6(address) } else { None };
    }
    entry
        .parse::<Ipv4Addr>()
        .or_else(|_| entry.parse::<std::net::SocketAddrV4>().map(|with_port| *with_port.ip()))
        .map_or_else(|_| ipv6(entry), |address| Some(address.into()))
}

/// A zone names a link of the proxy (RFC 4007) and nothing of the client.
fn ipv6(text: &str) -> Option<IpAddr> {
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;

    use super::*;

    fn from(socket: IpAddr, headers: &[&[u8]], trusted: u8) -> String {
        let mut request = Request::new(Body::empty());
        for header in headers {
            request.headers_mut().append("x-forwarded-for", HeaderValue::from_bytes(header).expect("a header's value"));
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(socket, 1)));
        client_address(&request, TrustedProxies(trusted)).to_string()
    }

    fn seen(forwarded: &str, trusted: u8) -> String {
        from(IpAddr::from([10, 0, 0, 9]), &[forwarded.as_bytes()], trusted)
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        assert_eq!(seen("6.6.6.6, 1.2.3.4", 0), "10.0.0.9");
        assert_eq!(seen("6.6.6.6, 1.2.3.4", 1), "1.2.3.4");
        assert_eq!(seen("6.6.6.6, 1.2.3.4", 2), "6.6.6.6");
        assert_eq!(seen("1.2.3.4", 3), "10.0.0.9");
        assert_eq!(seen("nonsense", 1), "10.0.0.9");
    }

    #[test]
    fn several_headers_are_one_list() {
        let socket = IpAddr::from([10, 0, 0, 9]);
        let headers: [&[u8]; 3] = [b"6.6.6.6", b"7.7.7.7, 5.5.5.5", b"1.2.3.4"];
        for (trusted, address) in [(1, "1.2.3.4"), (2, "5.5.5.5"), (3, "7.7.7.7"), (4, "6.6.6.6"), (5, "10.0.0.9")] {
            assert_eq!(from(socket, &headers, trusted), address, "{trusted}");
        }
    }

    #[test]
    fn what_a_client_writes_hides_nothing_that_a_proxy_wrote() {
        let socket = IpAddr::from([10, 0, 0, 9]);
        let before: [&[u8]; 7] = [
            b"\xff\xfe, 1.2.3.4",
            b",,,, 1.2.3.4",
            b"\"a,b\", 1.2.3.4",
            b"[::1, 1.2.3.4",
            b" ,1.2.3.4",
            b"for=6.6.6.6;, 1.2.3.4",
            b"1.2.3.4 ",
        ];
        for forwarded in before {
            assert_eq!(from(socket, &[forwarded], 1), "1.2.3.4", "{}", String::from_utf8_lossy(forwarded));
        }
        assert_eq!(from(socket, &[b"\xff".as_slice(), b"1.2.3.4"], 1), "1.2.3.4");
        assert_eq!(from(socket, &[b"1.2.3.4, \xff".as_slice()], 1), "10.0.0.9");
    }

    #[test]
    fn addresses_come_in_many_spellings() {
        for (written, address) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("\"[2001:db8::7]:443\"", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("[::ffff:1.2.3.4]:80", "1.2.3.4"),
        ] {
            assert_eq!(seen(written, 1), address, "{written}");
        }
        for wrong in [
            "",
            "unknown",
            "_hidden",
            "1.2.3",
            "1.2.3.4:port",
            "1.2.3.4:99999",
            "[2001:db8::7",
            "[2001:db8::7]x",
            "[1.2.3.4]",
            "example.com",
            "1.2.3.4 5.6.7.8",
        ] {
            assert_eq!(seen(wrong, 1), "10.0.0.9", "{wrong}");
        }
        assert_eq!(from("::ffff:10.0.0.9".parse().expect("an address"), &[], 0), "10.0.0.9", "a dual-stack socket");
    }
}
