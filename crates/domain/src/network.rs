//! Networks of clients, for what is counted by where it comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What counts as one client: an IPv4 address, or the /64 network of an IPv6 address, because that is the least that a customer of a
/// network is given and all of it is theirs to write (RFC 6177).
pub fn client_network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => address.to_string(),
            None => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        },
    }
}

/// The IPv4 address inside one that a translator made (NAT64, RFC 6052: `64:ff9b::/96`): one such network is all of IPv4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_one_ipv4_address_or_one_ipv6_network() {
        let network = |address: &str| client_network(address.parse().expect("an address"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_eq!(network("64:ff9b::c000:207"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
