//! `OUTBOUND_ALLOW`: the operator's exceptions.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::Host;

use super::Purpose;

/// Exceptions from the outbound rules: comma-separated `purpose=CIDR-or-host:port`.
///
/// Purposes are those of [`Purpose::as_str`] and `all`. The port may be left out, which means any port. IPv6 with a port is bracketed:
/// `all=[fd00::/8]:443`. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboundAllow {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `None`: all.
    purpose: Option<Purpose>,
    place: Place,
    /// `None`: any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Addresses(IpNet),
    Name(String),
}

/// An entry that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{entry}\" is not an exception: {problem}; write purpose=CIDR-or-host:port, for example providers=10.0.0.0/8:443")]
pub struct InvalidAllow {
    entry: String,
    problem: &'static str,
}

impl OutboundAllow {
    /// Reads the variable's value.
    pub fn parse(text: &str) -> Result<Self, InvalidAllow> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let entries = entries
            .map(|entry| parse_entry(entry).map_err(|problem| InvalidAllow { entry: entry.to_owned(), problem }))
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// Whether a name is listed itself; then it may lead to any address.
    pub(super) fn permits_name(&self, purpose: Purpose, name: &str, port: u16) -> bool {
        self.matching(purpose, port).any(|place| matches!(place, Place::Name(listed) if listed == name))
    }

    /// Whether an address lies in a listed range. An IPv4 address inside an IPv6 one counts as itself.
    pub(super) fn permits_address(&self, purpose: Purpose, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.matching(purpose, port).any(|place| matches!(place, Place::Addresses(range) if range.contains(&address)))
    }

    /// Whether any range is listed for the purpose and port.
    pub(super) fn lists_addresses(&self, purpose: Purpose, port: u16) -> bool {
        self.matching(purpose, port).any(|place| matches!(place, Place::Addresses(_)))
    }

    fn matching(&self, purpose: Purpose, port: u16) -> impl Iterator<Item = &Place> {
        let fits =
            move |entry: &&Entry| entry.purpose.is_none_or(|listed| listed == purpose) && entry.port.is_none_or(|listed| listed == port);
        self.entries.iter().filter(fits).map(|entry| &entry.place)
    }
}

impl FromStr for OutboundAllow {
    type Err = InvalidAllow;

    fn from_str(text: &str) -> Result<Self, InvalidAllow> {
        Self::parse(text)
    }
}

fn parse_entry(entry: &str) -> Result<Entry, &'static str> {
    let (purpose, place) = entry.split_once('=').ok_or("it has no \"=\"")?;
    let purpose = match purpose.trim() {
        "all" => None,
        name => match Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == name) {
            Some(purpose) => Some(purpose),
            None => return Err("the purpose is not one of models, webhooks, providers, agents, proxies, platform, all"),
        },
    };
    let (place, port) = split_port(place.trim())?;
    Ok(Entry { purpose, place: parse_place(place)?, port })
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let port = |text: &str| match text {
        "*" => Ok(None),
        number => number.parse::<u16>().ok().filter(|&port| port != 0).map(Some).ok_or("the port is not a number from 1 to 65535"),
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, after) = rest.split_once(']').ok_or("the bracket is not closed")?;
        return match after.strip_prefix(':') {
            Some(number) => Ok((inner, port(number)?)),
            None if after.is_empty() => Ok((inner, None)),
            None => Err("after the bracket comes :port"),
        };
    }
    match text.split_once(':') {
        // A bare IPv6 address has more than one colon and no port.
        Some((_, after)) if after.contains(':') => Ok((text, None)),
        Some((place, number)) => Ok((place, port(number)?)),
        None => Ok((text, None)),
    }
}

fn parse_place(text: &str) -> Result<Place, &'static str> {
    if let Ok(range) = text.parse::<IpNet>() {
        return Ok(Place::Addresses(range.trunc()));
    }
    if text.contains('/') {
        return Err("the range is not a CIDR");
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Place::Addresses(address.to_canonical().into()));
    }
    match Host::parse(text.strip_suffix('.').unwrap_or(text)) {
        Ok(Host::Domain(name)) if !name.contains('*') => Ok(Place::Name(name)),
        Ok(Host::Ipv4(address)) => Ok(Place::Addresses(IpAddr::from(address).into())),
        _ => Err("it is neither a range nor a host"),
    }
}
