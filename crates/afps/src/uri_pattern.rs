//! The language of `authorizedUris`: which URLs an agent may call with a provider's credentials.
//!
//! Both sides are parsed URLs, never raw strings: scheme, host and port are compared whole, so no pattern reaches beyond its host.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A pattern such as `https://api.github.com/*` or `https://*.zendesk.com/api/*`.
///
/// - scheme `http` or `https`, port: exact (the default port where none is written);
/// - host: literal, or `*.` and a domain of two or more labels: one or more labels in front of it, never the domain itself;
/// - path: `*` at the end and `**` anywhere match any text; another `*` matches within one segment. No path means `/`;
/// - a URL's query is free; its user info must be empty, and its path must not hide `..` behind percent-encoding.
#[derive(Clone, PartialEq, Eq)]
pub struct UriPattern {
    text: String,
    scheme: String,
    host: HostPattern,
    port: u16,
    path: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exact(Host),
    /// The domain with its leading dot.
    Below(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    /// `*` inside a path.
    WithinSegment,
    /// `**`, and `*` at the end.
    Anything,
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUriPattern {
    #[error("the pattern is longer than 2048 characters or holds more than 8 wildcards")]
    TooComplex,
    #[error("the pattern must begin with https:// or http://")]
    Scheme,
    #[error("the host must be literal, or `*.` before a domain of two or more labels; to allow every host set allowAllUris")]
    Host,
    #[error("the pattern must not hold user info, a query or a fragment")]
    Extra,
    #[error("the path must not hold dot segments, spaces or control characters")]
    Path,
}

const MAX_LENGTH: usize = 2048;
const MAX_WILDCARDS: usize = 8;

impl UriPattern {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the URL lies within the pattern.
    pub fn matches(&self, url: &Url) -> bool {
        url.scheme() == self.scheme
            && url.username().is_empty()
            && url.password().is_none()
            && url.port_or_known_default() == Some(self.port)
            && self.host_matches(url)
            && !hides_parent_segment(url.path())
            && path_matches(&self.path, url.path().as_bytes())
    }

    fn host_matches(&self, url: &Url) -> bool {
        match (&self.host, url.host()) {
            (HostPattern::Exact(expected), Some(actual)) => *expected == actual,
            (HostPattern::Below(suffix), Some(Host::Domain(name))) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|labels| !labels.is_empty())
            }
            _ => false,
        }
    }
}

impl FromStr for UriPattern {
    type Err = InvalidUriPattern;

    fn from_str(text: &str) -> Result<Self, InvalidUriPattern> {
        if text.len() > MAX_LENGTH || text.matches('*').count() > MAX_WILDCARDS {
            return Err(InvalidUriPattern::TooComplex);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUriPattern::Scheme)?;
        if scheme != "https" && scheme != "http" {
            return Err(InvalidUriPattern::Scheme);
        }
        if rest.contains(['@', '?', '#']) {
            return Err(InvalidUriPattern::Extra);
        }
        let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        if path.contains(|c: char| c.is_control() || c == ' ' || c == '\\')
            || path.split('/').any(|segment| is_dots(&decode(segment.as_bytes())))
        {
            return Err(InvalidUriPattern::Path);
        }
        let (is_wild, literal) = authority.strip_prefix("*.").map_or((false, authority), |domain| (true, domain));
        if literal.is_empty() || literal.contains(['*', '\\']) {
            return Err(InvalidUriPattern::Host);
        }
        // Parsing the pattern as a URL normalises it exactly as the URLs that it will meet.
        let url = Url::parse(&format!("{scheme}://{literal}{path}")).map_err(|_| InvalidUriPattern::Host)?;
        let host = match (is_wild, url.host()) {
            (false, Some(host)) => HostPattern::Exact(host.to_owned()),
            (true, Some(Host::Domain(domain))) if is_wide_enough(domain) => HostPattern::Below(format!(".{domain}")),
            _ => return Err(InvalidUriPattern::Host),
        };
        let port = url.port_or_known_default().ok_or(InvalidUriPattern::Host)?;
        Ok(Self { text: text.into(), scheme: scheme.into(), host, port, path: pieces(url.path()) })
    }
}

/// Two labels or more, none empty: `*.com` would cover half of the Internet.
fn is_wide_enough(domain: &str) -> bool {
    domain.contains('.') && domain.split('.').all(|label| !label.is_empty())
}

fn pieces(path: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some(star) = rest.find('*') {
        if star > 0 {
            pieces.push(Piece::Literal(rest.as_bytes()[..star].to_vec()));
        }
        let after = rest[star..].trim_start_matches('*');
        let stars = rest.len() - star - after.len();
        pieces.push(if stars > 1 || after.is_empty() { Piece::Anything } else { Piece::WithinSegment });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.as_bytes().to_vec()));
    }
    pieces
}

/// Matches with a set of reachable positions, so that the time is bounded by pieces × length whatever the pattern.
fn path_matches(pieces: &[Piece], path: &[u8]) -> bool {
    let mut reachable = vec![false; path.len() + 1];
    reachable[0] = true;
    for piece in pieces {
        let mut next = vec![false; path.len() + 1];
        match piece {
            Piece::Literal(literal) => {
                for start in (0..path.len()).filter(|start| reachable[*start]) {
                    if path[start..].starts_with(literal) {
                        next[start + literal.len()] = true;
                    }
                }
            }
            Piece::WithinSegment | Piece::Anything => {
                let mut is_open = false;
                for position in 0..=path.len() {
                    if *piece == Piece::WithinSegment && position > 0 && path[position - 1] == b'/' {
                        is_open = false;
                    }
                    is_open |= reachable[position];
                    next[position] = is_open;
                }
            }
        }
        reachable = next;
    }
    reachable[path.len()]
}

/// Whether a server that decodes before it splits would see a `..` that the URL parser did not.
fn hides_parent_segment(path: &str) -> bool {
    let mut decoded = path.as_bytes().to_vec();
    // Three rounds see through `%25252e`; no known server decodes more often than twice.
    for _ in 0..3 {
        decoded = decode(&decoded);
        if decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| segment == b"..") {
            return true;
        }
    }
    false
}

fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// Undoes one round of percent-encoding.
fn decode(text: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = match (*first, hex(tail.first()), hex(tail.get(1))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                &tail[2..]
            }
            (byte, ..) => {
                decoded.push(byte);
                tail
            }
        };
    }
    decoded
}

impl fmt::Display for UriPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for UriPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for UriPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for UriPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
