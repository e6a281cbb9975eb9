//! The policy of the one outbound client: without exceptions no literal private address passes, in whatever spelling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use net::policy::{OutboundAllow, Policy, Purpose};
use url::{Host, Url};

fuzz_target!(|text: &str| {
    _ = OutboundAllow::parse(text);
    let Ok(url) = Url::parse(text) else { return };
    if Policy::new(OutboundAllow::default()).vet(Purpose::Agents, &url).is_err() {
        return;
    }
    match url.host() {
        Some(Host::Ipv4(address)) => {
            assert!(!address.is_private() && !address.is_loopback() && !address.is_link_local() && !address.is_unspecified(), "{url}");
        }
        Some(Host::Ipv6(address)) => {
            assert!(!address.is_loopback() && !address.is_unspecified() && address.segments()[0] & 0xffc0 != 0xfe80, "{url}");
        }
        Some(Host::Domain(name)) => assert!(!name.eq_ignore_ascii_case("localhost"), "{url}"),
        None => panic!("{url} has no host and passed"),
    }
});
