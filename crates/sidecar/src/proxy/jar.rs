//! The cookies of one provider, kept by the sidecar so that the agent never sees them (RFC 6265 §5).

use domain::Timestamp;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::{Host, Url};

const MAX_COOKIES: usize = 50;
const MAX_COOKIE_BYTES: usize = 4096;

/// Cookies of one provider.
#[derive(Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Set without `Domain`: only for exactly this host.
    host_only: bool,
    path: String,
    secure: bool,
    /// `None`: until the run ends.
    expires: Option<Timestamp>,
}

impl Jar {
    /// Takes the `Set-Cookie` headers of a response from `url`.
    pub fn store(&mut self, url: &Url, headers: &HeaderMap, now: Timestamp) {
        for value in headers.get_all(SET_COOKIE) {
            let Ok(text) = value.to_str() else { continue };
            let Some(cookie) = parse(text, url, now) else { continue };
            self.cookies.retain(|old| !(old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path));
            if cookie.expires.is_none_or(|expires| expires > now) {
                self.cookies.push(cookie);
            }
            if self.cookies.len() > MAX_COOKIES {
                self.cookies.remove(0);
            }
        }
    }

    /// Adds the cookies for `url` to what the headers already have.
    pub fn apply(&self, url: &Url, headers: &mut HeaderMap, now: Timestamp) {
        let own = headers.get(COOKIE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut fitting: Vec<&Cookie> = self.cookies.iter().filter(|cookie| cookie.fits(url, now)).collect();
        // Longer paths first (RFC 6265 §5.4).
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs = fitting.into_iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let line = own.into_iter().chain(pairs).collect::<Vec<_>>().join("; ");
        if let Some(value) = HeaderValue::from_str(&line).ok().filter(|_| !line.is_empty()) {
            headers.insert(COOKIE, value);
        }
    }
}

impl Cookie {
    fn fits(&self, url: &Url, now: Timestamp) -> bool {
        let Some(host) = url.host_str() else { return false };
        let domain = if self.host_only { host == self.domain } else { domain_matches(host, &self.domain) };
        let path = url.path() == self.path
            || url.path().strip_prefix(self.path.as_str()).is_some_and(|rest| self.path.ends_with('/') || rest.starts_with('/'));
        domain && path && (!self.secure || url.scheme() == "https") && self.expires.is_none_or(|expires| expires > now)
    }
}

fn domain_matches(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

fn parse(text: &str, url: &Url, now: Timestamp) -> Option<Cookie> {
    if text.len() > MAX_COOKIE_BYTES {
        return None;
    }
    let mut parts = text.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.contains(char::is_control) || value.contains(char::is_control) {
        return None;
    }
    let host = url.host()?;
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: host.to_string(),
        host_only: true,
        path: default_path(url.path()),
        secure: false,
        expires: None,
    };
    let mut max_age = None;
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                let Host::Domain(host) = host else { return None };
                // A cookie for a whole top-level domain would reach strangers.
                if !domain.contains('.') || !domain_matches(host, &domain) {
                    return None;
                }
                cookie.domain = domain;
                cookie.host_only = false;
            }
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => cookie.expires = parse_date(value),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        cookie.expires = chrono::TimeDelta::try_seconds(seconds).and_then(|delta| now.checked_add_signed(delta));
    }
    if cookie.secure && url.scheme() != "https" {
        return None;
    }
    Some(cookie)
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`, or with dashes as older servers write.
fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.replace('-', " ");
    chrono::DateTime::parse_from_rfc2822(&text).ok().map(|date| date.to_utc())
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(slash) => path[..slash].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Clock as _;
    use domain::mock::MockClock;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("url")
    }

    fn stored(from: &str, cookies: &[&str]) -> (Jar, MockClock) {
        let (mut jar, clock) = (Jar::default(), MockClock::default());
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).expect("header"));
        }
        jar.store(&url(from), &headers, clock.now());
        (jar, clock)
    }

    fn sent(jar: &Jar, to: &str, clock: &MockClock) -> String {
        let mut headers = HeaderMap::new();
        jar.apply(&url(to), &mut headers, clock.now());
        headers.get(COOKIE).map_or_else(String::new, |value| value.to_str().expect("text").to_owned())
    }

    #[test]
    fn domain_and_path_rules_hold() {
        let (jar, clock) = stored(
            "https://api.example.com/v1/login",
            &[
                "host=1",
                "all=2; Domain=.Example.com; Path=/",
                "deep=3; Path=/v1/x",
                "safe=4; Secure; Path=/",
                "foreign=5; Domain=other.com",
                "tld=6; Domain=com",
            ],
        );
        assert_eq!(sent(&jar, "https://api.example.com/v1/x/y", &clock), "deep=3; host=1; all=2; safe=4");
        assert_eq!(sent(&jar, "https://api.example.com/v12", &clock), "all=2; safe=4");
        assert_eq!(sent(&jar, "https://www.example.com/v1/x", &clock), "all=2");
        assert_eq!(sent(&jar, "http://api.example.com/v1/x", &clock), "deep=3; host=1; all=2");
        assert_eq!(sent(&jar, "https://evilexample.com/", &clock), "");
        assert_eq!(sent(&jar, "https://other.com/", &clock), "");
    }

    #[test]
    fn cookies_are_replaced_deleted_and_expire() {
        let (mut jar, clock) =
            stored("https://a.example.com/", &["s=1", "s=2", "t=1; Max-Age=60", "gone=1; Expires=Wed, 21-Oct-2015 07:28:00 GMT"]);
        assert_eq!(sent(&jar, "https://a.example.com/", &clock), "s=2; t=1");
        clock.advance(Duration::from_mins(1));
        assert_eq!(sent(&jar, "https://a.example.com/", &clock), "s=2");
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("s=; Max-Age=0"));
        jar.store(&url("https://a.example.com/"), &headers, clock.now());
        assert_eq!(sent(&jar, "https://a.example.com/", &clock), "");
    }

    #[test]
    fn the_callers_own_cookie_comes_first_and_the_jar_is_bounded() {
        let many: Vec<String> = (0..60).map(|number| format!("c{number}=x")).collect();
        let (jar, clock) = stored("https://a.example.com/", &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(jar.cookies.len(), MAX_COOKIES);
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("mine=1"));
        jar.apply(&url("https://a.example.com/"), &mut headers, clock.now());
        assert!(headers[COOKIE].to_str().expect("text").starts_with("mine=1; c10=x"));
    }
}
