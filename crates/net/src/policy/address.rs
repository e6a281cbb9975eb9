//! Which addresses are public. Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Public,
    Loopback,
    LinkLocal,
    Private,
    /// Where clouds serve the credentials of the machine.
    Metadata,
    Multicast,
    /// Unassigned, documentation, benchmarking, unspecified.
    Reserved,
    /// An IPv6 address that carries an IPv4 one (mapped, compatible, 6to4, NAT64, Teredo): a way around IPv4 rules.
    Embedded,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "this machine itself",
            Self::LinkLocal => "a link-local address",
            Self::Private => "an address of a private network",
            Self::Metadata => "a cloud metadata address",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
            Self::Embedded => "an IPv4 address inside an IPv6 one",
        })
    }
}

/// Classifies an address; everything that is not known to be public is not.
pub fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        [127, ..] => Class::Loopback,
        // AWS, GCP, Azure, DigitalOcean; Alibaba; Oracle; Azure's wire server, which has a public number.
        [169, 254, 169, 254] | [169, 254, 170, 2] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => Class::Metadata,
        [169, 254, ..] => Class::LinkLocal,
        [10, ..] | [192, 168, ..] => Class::Private,
        [172, second, ..] if second & 0xf0 == 16 => Class::Private,
        // Carrier-grade NAT, RFC 6598.
        [100, second, ..] if second & 0xc0 == 64 => Class::Private,
        [first, ..] if first & 0xf0 == 224 => Class::Multicast,
        // "This network", IETF assignments, documentation, 6to4 relays, benchmarking, class E and broadcast.
        [0, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Reserved,
        [first, ..] if first >= 240 => Class::Reserved,
        _ => Class::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Reserved,
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        // AWS metadata over IPv6.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => Class::Metadata,
        // Compatible and mapped, translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), Teredo, 6to4, ISATAP interface ids (RFC 5214).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, ..]
        | [0x2001, 0, ..]
        | [0x2002, ..]
        | [_, _, _, _, 0 | 0x0200, 0x5efe, ..] => Class::Embedded,
        [first, ..] if first & 0xff00 == 0xff00 => Class::Multicast,
        // Unique local; site-local is deprecated (RFC 3879) and still private where it lives.
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => Class::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => Class::LinkLocal,
        // IETF assignments (2001::/23), documentation (2001:db8::/32, 3fff::/20).
        [0x2001, second, ..] if second & 0xfe00 == 0 => Class::Reserved,
        [0x2001, 0x0db8, ..] => Class::Reserved,
        [0x3fff, second, ..] if second & 0xf000 == 0 => Class::Reserved,
        // Global unicast is 2000::/3; all else is unassigned.
        [first, ..] if first & 0xe000 == 0x2000 => Class::Public,
        _ => Class::Reserved,
    }
}
