//! A proxy's address.

use std::fmt;

use domain::Secret;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::policy::Target;

/// What is shown of an address has at most so many characters.
const SHOWN: usize = 60;
/// RFC 1929 §2 counts in one byte; nobody needs more for HTTP either.
const LONGEST_CREDENTIAL: usize = 255;

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyScheme {
    /// `CONNECT` (RFC 9110 §9.3.6), in plain text.
    Http,
    /// `CONNECT`, with TLS to the proxy.
    Https,
    /// RFC 1928.
    Socks5,
}

impl ProxyScheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 => 1080,
        }
    }
}

/// A user's name and password at the proxy.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Secret,
}

/// A proxy: scheme, host, port and credentials.
#[derive(Clone)]
pub struct OutboundProxy {
    scheme: ProxyScheme,
    target: Target,
    credentials: Option<Credentials>,
}

/// Why a text is no proxy's address. Never repeats any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    #[error("must be an http, https or socks5 URL with a host")]
    Url,
    #[error("must end with the host or its port: no path, query or fragment")]
    Rest,
    #[error("must have a port from 1 to 65535")]
    Port,
    #[error(
        "must have a user name and a password of at most 255 bytes each, without control characters, and no colon in the name; for socks5 \
         neither may be empty"
    )]
    Credentials,
}

impl OutboundProxy {
    /// Reads `scheme://[user:password@]host[:port]`; reserved characters of user and password are percent-encoded.
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let url = Url::parse(text).map_err(|_| InvalidProxy::Url)?;
        let scheme = match url.scheme() {
            "http" => ProxyScheme::Http,
            "https" => ProxyScheme::Https,
            "socks5" => ProxyScheme::Socks5,
            _ => return Err(InvalidProxy::Url),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(InvalidProxy::Url)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidProxy::Rest);
        }
        let port = url.port().unwrap_or(scheme.default_port());
        if port == 0 {
            return Err(InvalidProxy::Port);
        }
        // Through `Target`, because the URL parser takes the host of a scheme that it does not know as it stands.
        let target = Target::tunnel(host, port).map_err(|_| InvalidProxy::Url)?;
        Ok(Self { scheme, target, credentials: credentials(&url, scheme)? })
    }

    pub const fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// Where the proxy listens.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    pub(super) const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The address as it may be shown: `http://user:***@host:8080`, cut to 60 characters. A user name without a password is a token, as
    /// vendors of proxies hand them out, and not shown either.
    pub fn masked(&self) -> String {
        let Target { host, port, .. } = &self.target;
        let user = match &self.credentials {
            None => String::new(),
            Some(credentials) if credentials.password.expose().is_empty() => "***@".to_owned(),
            Some(credentials) => format!("{}:***@", credentials.user),
        };
        format!("{}://{user}{host}:{port}", self.scheme.as_str()).chars().take(SHOWN).collect()
    }
}

impl fmt::Debug for OutboundProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OutboundProxy").field(&self.masked()).finish()
    }
}

fn credentials(url: &Url, scheme: ProxyScheme) -> Result<Option<Credentials>, InvalidProxy> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| InvalidProxy::Credentials);
    let (user, password) = (decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
    let is_usable = |text: &str| text.len() <= LONGEST_CREDENTIAL && !text.chars().any(char::is_control);
    // A colon ends the name (RFC 7617 §2); an empty field has no form in RFC 1929.
    let fits = match scheme {
        ProxyScheme::Http | ProxyScheme::Https => !user.contains(':'),
        ProxyScheme::Socks5 => !user.is_empty() && !password.is_empty(),
    };
    if is_usable(&user) && is_usable(&password) && fits {
        Ok(Some(Credentials { user, password: Secret::new(password) }))
    } else {
        Err(InvalidProxy::Credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_their_password() {
        for (text, shown) in [
            ("http://proxy.example.com:8080", "http://proxy.example.com:8080"),
            ("http://PROXY.example.com./", "http://proxy.example.com:80"),
            ("https://ada:s3cr%40t@proxy.example.com", "https://ada:***@proxy.example.com:443"),
            ("socks5://ada:secret@proxy.example.com", "socks5://ada:***@proxy.example.com:1080"),
            ("socks5://0x7f.1:9", "socks5://127.0.0.1:9"),
            ("http://secret@[2001:4860:4860::8888]:3128", "http://***@[2001:4860:4860::8888]:3128"),
        ] {
            let proxy = OutboundProxy::parse(text).expect(text);
            assert_eq!(proxy.masked(), shown);
            assert!(!format!("{proxy:?}").contains("s3cr") && !format!("{proxy:?}").contains("secret"));
        }
        let long = OutboundProxy::parse(&format!("http://{}:canary@proxy.example.com", "u".repeat(80))).expect("a long name");
        assert_eq!(long.masked().chars().count(), SHOWN);
    }

    #[test]
    fn credentials_are_decoded() {
        let proxy = OutboundProxy::parse("http://a%2Bb:s%3A%40%2F@proxy.example.com").expect("an address");
        let credentials = proxy.credentials().expect("credentials");
        assert_eq!((credentials.user.as_str(), credentials.password.expose().as_str()), ("a+b", "s:@/"));
    }

    #[test]
    fn what_is_no_address_of_a_proxy_says_why_and_repeats_nothing() {
        let long = format!("http://{}:b@proxy.example.com", "u".repeat(256));
        for (text, problem) in [
            ("", InvalidProxy::Url),
            ("proxy.example.com:8080", InvalidProxy::Url),
            ("ftp://canary.example.com", InvalidProxy::Url),
            ("socks5h://canary.example.com", InvalidProxy::Url),
            ("socks5://", InvalidProxy::Url),
            ("socks5:canary", InvalidProxy::Url),
            ("http://canary.example.com/path", InvalidProxy::Rest),
            ("http://canary.example.com?a", InvalidProxy::Rest),
            ("socks5://canary.example.com#a", InvalidProxy::Rest),
            ("http://canary.example.com:0", InvalidProxy::Port),
            ("http://a%3Ab:canary@proxy.example.com", InvalidProxy::Credentials),
            ("http://a:canary%0D%0A@proxy.example.com", InvalidProxy::Credentials),
            ("http://a:%FF@proxy.example.com", InvalidProxy::Credentials),
            ("socks5://canary@proxy.example.com", InvalidProxy::Credentials),
            (&long, InvalidProxy::Credentials),
        ] {
            let error = OutboundProxy::parse(text).expect_err(text);
            assert_eq!(error, problem, "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }
}
