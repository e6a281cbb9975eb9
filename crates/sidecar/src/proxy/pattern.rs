//! Authorized-URI patterns, compared with parsed URLs and never with raw text.
//!
//! `https://*.example.com:8443/v1/*`: the scheme and the port are exact; `*.` stands for one or more labels; the path is compared
//! by segment after normalization. A trailing `*` (`/v1/*`, `/v1*`, `/v1/**`) spans any number of segments, as packages rely on; inside the
//! path `*` is one segment or a part of it, `**` any number. Queries and fragments of the URL are free.

use url::{Host, Url};

use super::escape;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriPattern {
    scheme: String,
    host: HostPattern,
    port: u16,
    path: Vec<Segment>,
}

/// A host, or all names below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    Exact(Host<String>),
    /// One or more labels in front of this name.
    Below(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Text with `*` for any part of the segment; no `*` means exactly this text.
    Glob(String),
    /// Any number of segments.
    Many,
    /// A beginning of a segment, then anything. Only at the end.
    Open(String),
}

/// Why a pattern matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    #[error("it is no http or https address")]
    Address,
    #[error("its host has a wildcard that is not a leading \"*.\" before at least two labels")]
    HostWildcard,
    #[error("it has a user name, a query or a fragment")]
    Extra,
}

impl HostPattern {
    /// Reads `example.com`, `*.example.com` or an address.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let below = text.strip_prefix("*.");
        let bare = below.unwrap_or(text);
        if bare.contains('*') || bare.ends_with('.') {
            return Err(InvalidPattern::HostWildcard);
        }
        match (below, Host::parse(bare).map_err(|_| InvalidPattern::Address)?) {
            (None, host) => Ok(Self::Exact(host)),
            (Some(_), Host::Domain(name)) if name.contains('.') => Ok(Self::Below(name)),
            (Some(_), _) => Err(InvalidPattern::HostWildcard),
        }
    }

    /// Compares a host by label. A trailing dot never matches.
    pub fn matches(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Exact(Host::Domain(name)), Host::Domain(host)) => name == host,
            (Self::Exact(Host::Ipv4(address)), Host::Ipv4(host)) => address == host,
            (Self::Exact(Host::Ipv6(address)), Host::Ipv6(host)) => address == host,
            (Self::Below(name), Host::Domain(host)) => {
                let front = host.strip_suffix(name.as_str()).and_then(|front| front.strip_suffix('.'));
                front.is_some_and(|front| front.split('.').all(|label| !label.is_empty()))
            }
            _ => false,
        }
    }
}

impl UriPattern {
    /// Compiles a pattern of a provider package.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(InvalidPattern::Address)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(InvalidPattern::Address);
        }
        if rest.contains(['?', '#', '@', '\\']) || rest.chars().any(|letter| letter.is_control() || letter == ' ') {
            return Err(InvalidPattern::Extra);
        }
        let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let (host, port) = split_port(authority, &scheme)?;
        let host = HostPattern::parse(host)?;
        // The URL parser normalizes the pattern's path as it will the URL's; it leaves `*` alone.
        let parsed = Url::parse(&format!("https://host{path}")).map_err(|_| InvalidPattern::Address)?;
        Ok(Self { scheme, host, port, path: compile_path(parsed.path()) })
    }

    /// Whether the URL is covered. User info and paths that try to climb never are.
    pub fn matches(&self, url: &Url) -> bool {
        url.scheme() == self.scheme
            && url.port_or_known_default() == Some(self.port)
            && url.username().is_empty()
            && url.password().is_none()
            && url.host().is_some_and(|host| self.host.matches(&host))
            && !climbs(url.path())
            && self.matches_path(url.path())
    }

    /// Whether a tunnel to this host and port would reach what the pattern covers. The path cannot be seen.
    pub fn covers_host(&self, host: &Host<&str>, port: u16) -> bool {
        self.port == port && self.host.matches(host)
    }

    fn matches_path(&self, path: &str) -> bool {
        let segments: Vec<String> = path.strip_prefix('/').unwrap_or(path).split('/').map(normalize).collect();
        matches_segments(&self.path, &segments)
    }
}

fn split_port<'t>(authority: &'t str, scheme: &str) -> Result<(&'t str, u16), InvalidPattern> {
    let default = if scheme == "https" { 443 } else { 80 };
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[after_host..].rfind(':') {
        None => Ok((authority, default)),
        Some(colon) => {
            let port = authority[after_host + colon + 1..].parse().map_err(|_| InvalidPattern::Address)?;
            Ok((&authority[..after_host + colon], port))
        }
    }
}

fn compile_path(path: &str) -> Vec<Segment> {
    let mut texts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let last = texts.pop().unwrap_or_default();
    let mut segments: Vec<Segment> =
        texts.into_iter().map(|text| if text == "**" { Segment::Many } else { Segment::Glob(normalize(text)) }).collect();
    let open = last.trim_end_matches('*');
    segments.push(if open.len() < last.len() { Segment::Open(normalize(open)) } else { Segment::Glob(normalize(last)) });
    segments
}

fn matches_segments(pattern: &[Segment], segments: &[String]) -> bool {
    match pattern.split_first() {
        None => segments.is_empty(),
        Some((Segment::Many, rest)) => (0..=segments.len()).any(|skip| matches_segments(rest, &segments[skip..])),
        Some((Segment::Open(start), _)) => segments.first().is_some_and(|segment| glob(&format!("{start}*"), segment)),
        Some((Segment::Glob(text), rest)) => {
            let fits = |segment: &String| {
                // A server that decodes %2F sees two segments where the pattern grants one.
                glob(text, segment) && (segment == text || !segment.contains("%2F"))
            };
            segments.split_first().is_some_and(|(first, others)| fits(first) && matches_segments(rest, others))
        }
    }
}

/// Compares with `*` as any text, without backtracking further than the last star.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            let Some(position) = rest.find(middle) else { return false };
            rest = &rest[position + middle.len()..];
        }
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

/// One spelling for equal segments (RFC 3986 §6.2.2): unreserved characters plain, the others as upper-case escapes.
fn normalize(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    let bytes = segment.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        if let Some(byte) = escape::at(bytes, position) {
            if escape::is_unreserved(byte) {
                out.push(char::from(byte));
            } else {
                escape::push(&mut out, byte);
            }
            position += 3;
        } else {
            let length = segment[position..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&segment[position..position + length]);
            position += length;
        }
    }
    out
}

/// Whether some server on the way could read a `..` into the path: behind an encoded slash, a backslash, double encoding or `;`.
pub fn climbs(path: &str) -> bool {
    let mut current = path.as_bytes().to_vec();
    for _ in 0..4 {
        let unsafe_byte = |byte: &u8| *byte == b'\\' || *byte < 0x20 || *byte == 0x7f;
        if current.iter().any(unsafe_byte) {
            return true;
        }
        let dots = |segment: &[u8]| {
            let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
            name == b"." || name == b".."
        };
        if current.split(|&byte| byte == b'/').any(dots) {
            return true;
        }
        let decoded = decode(&current);
        if decoded == current {
            return false;
        }
        current = decoded;
    }
    // Encoded more often than any honest caller does.
    true
}

fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        if let Some(byte) = escape::at(bytes, position) {
            out.push(byte);
            position += 3;
        } else {
            out.push(bytes[position]);
            position += 1;
        }
    }
    out
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
