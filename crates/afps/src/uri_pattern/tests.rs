use proptest::prelude::*;

use super::*;

fn allows(pattern: &str, url: &str) -> bool {
    pattern.parse::<UriPattern>().expect("valid pattern").matches(&Url::parse(url).expect("valid URL"))
}

#[test]
fn what_a_pattern_reaches() {
    for (pattern, url) in [
        ("https://api.x.com/*", "https://api.x.com"),
        ("https://api.x.com/*", "https://API.x.com:443/a/b?c=https://evil.tld#d"),
        ("https://www.googleapis.com/gmail/*", "https://www.googleapis.com/gmail/v1/users/me"),
        ("https://*.x.com/*", "https://a.b.x.com/c"),
        ("https://x.com/repos/*/issues", "https://x.com/repos/a/issues"),
        ("https://x.com/**/end", "https://x.com/a/b/end"),
        ("http://127.0.0.1:9000/*", "http://127.0.0.1:9000/customers/1"),
        ("https://x.com/projects/*", "https://x.com/projects/group%2Fname"),
        ("https://bücher.example/*", "https://xn--bcher-kva.example/a"),
        ("https://x.com", "https://x.com/"),
    ] {
        assert!(allows(pattern, url), "{pattern} should allow {url}");
    }
}

#[test]
fn what_a_pattern_does_not_reach() {
    for (pattern, url) in [
        ("https://api.x.com/*", "http://api.x.com/"),
        ("https://api.x.com/*", "https://api.x.com.evil.tld/"),
        ("https://api.x.com/*", "https://api.x.com:8443/"),
        ("https://api.x.com/*", "https://user@api.x.com/"),
        ("https://api.x.com/*", "https://api.x.com@evil.tld/"),
        ("https://api.x.com/*", "https://evil.tld/https://api.x.com/"),
        ("https://*.x.com/*", "https://x.com/"),
        ("https://*.x.com/*", "https://evilx.com/"),
        ("https://*.x.com/*", "https://a.x.com.evil.tld/"),
        ("https://*.x.com/*", "https://evil.tld/.x.com/"),
        ("https://x.com/gmail/*", "https://x.com/gmail/../drive"),
        ("https://x.com/gmail/*", "https://x.com/gmail/%2e%2e/drive"),
        ("https://x.com/gmail/*", "https://x.com/gmail/..%2fdrive"),
        ("https://x.com/gmail/*", "https://x.com/gmail/..%5cdrive"),
        ("https://x.com/gmail/*", "https://x.com/gmail/%252e%252e%252fdrive"),
        ("https://x.com/gmail/*", "https://x.com/gmail"),
        ("https://x.com/repos/*/issues", "https://x.com/repos/a/b/issues"),
        ("https://x.com/a", "https://x.com/a/b"),
        ("https://x.com", "https://x.com/a"),
    ] {
        assert!(!allows(pattern, url), "{pattern} should not allow {url}");
    }
}

#[test]
fn texts_that_are_no_pattern() {
    for (text, error) in [
        ("api.x.com/*", InvalidUriPattern::Scheme),
        ("ftp://x.com/*", InvalidUriPattern::Scheme),
        ("https://*/*", InvalidUriPattern::Host),
        ("https://*.com/*", InvalidUriPattern::Host),
        ("https://**", InvalidUriPattern::Host),
        ("https://api.x.com*", InvalidUriPattern::Host),
        ("https://a.*.com/", InvalidUriPattern::Host),
        ("https://*.10.0.0.1/*", InvalidUriPattern::Host),
        ("https:///*", InvalidUriPattern::Host),
        ("https://user@x.com/*", InvalidUriPattern::Extra),
        ("https://x.com/?a=*", InvalidUriPattern::Extra),
        ("https://x.com/a/../*", InvalidUriPattern::Path),
        ("https://x.com/a/%2e%2e/*", InvalidUriPattern::Path),
        ("https://x.com/*/*/*/*/*/*/*/*/*", InvalidUriPattern::TooComplex),
    ] {
        assert_eq!(text.parse::<UriPattern>(), Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn a_match_never_leaves_the_host(host in "[a-z]{1,6}\\.(com|evil\\.tld|x\\.com)", path in "[a-z/.%2e]{0,12}") {
        if let Ok(url) = Url::parse(&format!("https://{host}/{path}")) {
            let wild: UriPattern = "https://*.x.com/*".parse().expect("valid");
            prop_assert_eq!(wild.matches(&url), host.ends_with(".x.com") && !hides_parent_segment(url.path()));
        }
    }

    #[test]
    fn arbitrary_texts_never_panic(text in "(https://)?[ -~]{0,40}", url in "https://[ -~]{0,40}") {
        if let (Ok(pattern), Ok(url)) = (text.parse::<UriPattern>(), Url::parse(&url)) {
            pattern.matches(&url);
        }
    }
}
