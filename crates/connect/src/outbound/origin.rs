//! Where a vendor's key may go: to the origin that it was stored for, and nowhere else.

use url::Url;

/// Whether two addresses have one origin: scheme, host and port (RFC 6454 §4). What is no address has none.
pub fn is_same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    matches!((origin(one), origin(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_port_make_an_origin() {
        let own = "https://api.example.com/v1";
        for same in [own, "https://api.example.com", "https://API.example.com:443/other/path", "https://api.example.com/v1/"] {
            assert!(is_same_origin(own, same) && is_same_origin(same, own), "{same}");
        }
        for other in [
            "http://api.example.com/v1",
            "https://api.example.com:8443/v1",
            "https://example.com/v1",
            "https://api.example.com.evil.example/v1",
            "https://api.example.com@evil.example/v1",
            "https://api.example.com./v1",
            "data:text/plain,x",
            "no address",
            "",
        ] {
            assert!(!is_same_origin(own, other) && !is_same_origin(other, own), "{other}");
        }
        assert!(!is_same_origin("data:text/plain,x", "data:text/plain,x"), "nothing is sent there");
    }
}
