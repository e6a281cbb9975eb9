//! Where a request goes: the sidecar and the loopback directly, everything else through the proxy.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::{Host, Url};

use super::FetchError;

/// The name under which the sidecar listens on the sandbox's loopback; there is no resolver.
const SIDECAR: &str = "sidecar";

#[derive(Debug, Default)]
pub(in crate::script) struct Routes {
    /// The address of `HTTP_PROXY`, or its text when it is not one.
    proxy: Option<Result<SocketAddr, String>>,
    sidecar: Option<String>,
}

/// The way to one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) address: SocketAddr,
    /// Through a proxy the whole URL is the request's target.
    pub(super) is_proxy: bool,
}

impl Routes {
    /// Reads `HTTP_PROXY` (or `http_proxy`) and `SIDECAR_URL`.
    pub(in crate::script) fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        let proxy = environment.get("HTTP_PROXY").or_else(|| environment.get("http_proxy")).filter(|text| !text.is_empty());
        let proxy = proxy.map(|text| Url::parse(text).ok().and_then(|url| address(&url, None)).ok_or_else(|| text.clone()));
        let sidecar =
            environment.get("SIDECAR_URL").and_then(|text| Url::parse(text).ok()).and_then(|url| url.host_str().map(str::to_owned));
        Self { proxy, sidecar }
    }

    pub(super) fn route(&self, url: &Url) -> Result<Route, FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme(url.scheme().to_owned()));
        }
        if url.scheme() == "http"
            && let Some(address) = address(url, self.sidecar.as_deref())
            && address.ip().is_loopback()
        {
            return Ok(Route { address, is_proxy: false });
        }
        match &self.proxy {
            Some(Ok(address)) => Ok(Route { address: *address, is_proxy: true }),
            Some(Err(text)) => Err(FetchError::Proxy(text.clone())),
            None => Err(FetchError::NoRoute(url.host_str().unwrap_or_default().to_owned())),
        }
    }
}

/// The address that a URL names without a resolver: a literal, `localhost`, or the sidecar.
fn address(url: &Url, sidecar: Option<&str>) -> Option<SocketAddr> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(name) if name == "localhost" || name == SIDECAR || Some(name) == sidecar => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Domain(_) => return None,
    };
    Some(SocketAddr::new(ip, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_reached_without_the_proxy() {
        let environment = [("HTTP_PROXY", "http://sidecar:8081"), ("SIDECAR_URL", "http://sidecar:8080")];
        let routes = Routes::from_environment(&environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        let route = |text: &str| routes.route(&Url::parse(text).expect("url")).expect(text);
        let proxy = Route { address: "127.0.0.1:8081".parse().expect("address"), is_proxy: true };
        for text in ["http://example.com/", "https://example.com/", "https://127.0.0.1/", "http://10.0.0.1/"] {
            assert_eq!(route(text), proxy, "{text}");
        }
        for (text, address) in
            [("http://sidecar:8080/proxy", "127.0.0.1:8080"), ("http://localhost:3/", "127.0.0.1:3"), ("http://[::1]/", "[::1]:80")]
        {
            assert_eq!(route(text), Route { address: address.parse().expect("address"), is_proxy: false }, "{text}");
        }
        assert!(matches!(routes.route(&Url::parse("file:///etc/passwd").expect("url")), Err(FetchError::Scheme(_))));
        assert!(matches!(Routes::default().route(&Url::parse("https://example.com").expect("url")), Err(FetchError::NoRoute(_))));
    }
}
