use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn matches(pattern: &str, url: &str) -> bool {
    UriPattern::parse(pattern).expect(pattern).matches(&url.parse().expect(url))
}

#[test]
fn a_trailing_star_spans_segments_and_a_slash_is_a_border() {
    for (pattern, url, expected) in [
        ("https://api.x.com/*", "https://api.x.com", true),
        ("https://api.x.com/*", "https://api.x.com/a/b/c?d=/e#f", true),
        ("https://api.x.com/v1/*", "https://api.x.com/v1/", true),
        ("https://api.x.com/v1/*", "https://api.x.com/v1", false),
        ("https://api.x.com/v1/*", "https://api.x.com/v12/a", false),
        ("https://api.x.com/v1/*", "https://api.x.com/v1/../v2/a", false),
        ("https://api.x.com/v1/*", "https://api.x.com/v1/%2e%2e/v2", false),
        ("https://api.x.com/v1/**", "https://api.x.com/v1/a/b", true),
        ("https://api.x.com/v1*", "https://api.x.com/v12/a", true),
        ("https://api.x.com", "https://api.x.com/", true),
        ("https://api.x.com", "https://api.x.com/a", false),
        ("https://api.x.com/me", "https://api.x.com/me?fields=id", true),
        ("https://api.x.com/me", "https://api.x.com/me/", false),
        ("https://api.x.com/*/users/*", "https://api.x.com/acme/users/1/posts", true),
        ("https://api.x.com/*/users/*", "https://api.x.com/a/b/users/1", false),
        ("https://api.x.com/**/users/*", "https://api.x.com/a/b/users/1", true),
        ("https://api.x.com/**/users/*", "https://api.x.com/users/1", true),
        ("https://api.x.com/v*/users", "https://api.x.com/v2/users", true),
        ("https://api.x.com/v*/users", "https://api.x.com/w2/users", false),
        ("https://api.x.com:8443/*", "https://api.x.com:8443/", true),
        ("https://api.x.com:8443/*", "https://api.x.com/", false),
        ("https://api.x.com:443/*", "https://api.x.com/", true),
        ("HTTPS://API.X.com/*", "https://api.x.com/", true),
        ("https://api.x.com/*", "http://api.x.com/", false),
        ("http://127.0.0.1:8080/*", "http://2130706433:8080/x", true),
        ("https://[::1]:8/*", "https://[0::1]:8/x", true),
        ("https://bücher.example/*", "https://xn--bcher-kva.example/x", true),
    ] {
        assert_eq!(matches(pattern, url), expected, "{pattern} {url}");
    }
}

#[test]
fn a_host_star_is_one_or_more_labels() {
    for (host, expected) in [
        ("a.x.com", true),
        ("a.b.x.com", true),
        ("x.com", false),
        ("ax.com", false),
        ("a.x.com.evil.tld", false),
        ("a.x.com.", false),
        ("x.com.a.x.co", false),
    ] {
        assert_eq!(matches("https://*.x.com/*", &format!("https://{host}/")), expected, "{host}");
    }
}

#[test]
fn a_segment_is_equal_in_every_spelling_and_an_encoded_slash_is_no_segment_border() {
    for (pattern, url, expected) in [
        ("https://x.com/a-b/*", "https://x.com/%61%2Db/c", true),
        ("https://x.com/%7Eme", "https://x.com/~me", true),
        ("https://x.com/projects/*", "https://x.com/projects/group%2Fname/issues", true),
        ("https://x.com/projects/*/issues", "https://x.com/projects/name/issues", true),
        ("https://x.com/projects/*/issues", "https://x.com/projects/group%2fname/issues", false),
        ("https://x.com/v1/*", "https://x.com/v1%2fa", false),
        ("https://x.com/v1/*", "https://x.com/v1/a%2f..%2f..%2fadmin", false),
        ("https://x.com/v1/*", "https://x.com/v1/%252e%252e/admin", false),
        ("https://x.com/v1/*", "https://x.com/v1/%25252e%25252e%25252fadmin", false),
        ("https://x.com/v1/*", "https://x.com/v1/..;/admin", false),
        ("https://x.com/v1/*", "https://x.com/v1/..%5cadmin", false),
        ("https://x.com/v1/*", "https://x.com/v1/a%00b", false),
        ("https://x.com/v1/*", "https://x.com/v1\\..\\admin", false),
        ("https://x.com/v1/*", "https://x.com/v1/a..b/c.d", true),
        ("https://x.com/v1/*", "https://x.com/v1/100%25", true),
    ] {
        assert_eq!(matches(pattern, url), expected, "{pattern} {url}");
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for bad in [
        "https://api.x.com*",
        "https://*/*",
        "https://**",
        "https://*.com/*",
        "https://a*.x.com/*",
        "https://a.*.com/*",
        "https://x.com./*",
        "https://u:p@x.com/*",
        "https://x.com/?a=*",
        "https://x.com/#a",
        "https://x.com:99999/*",
        "ftp://x.com/*",
        "x.com/*",
        "*",
        "",
    ] {
        assert!(UriPattern::parse(bad).is_err(), "{bad}");
    }
}

fn shipped() -> Vec<(String, String)> {
    let list: Vec<Value> = serde_json::from_str(include_str!("../../tests/fixtures/providers.json")).expect("fixture");
    assert_eq!(list.len(), 60);
    let pairs = |provider: &Value| {
        let name = provider["name"].as_str().expect("name").to_owned();
        let uris = provider["authorizedUris"].as_array().expect("list").clone();
        uris.into_iter().map(move |uri| (name.clone(), uri.as_str().expect("text").to_owned()))
    };
    list.iter().flat_map(pairs).collect()
}

fn with_port(url: &str, host: &str) -> String {
    url.replacen(host, &format!("{host}:8443"), 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_sixty_providers_reach_their_own_hosts_and_no_other(
        label in "[a-z][a-z0-9]{0,8}",
        deep in any::<bool>(),
        path in "[a-zA-Z0-9_.~-]{1,8}(/[a-zA-Z0-9_~-]{1,8}){0,3}",
        query in "(\\?[a-z]=[a-z0-9%/:@]{0,8})?",
    ) {
        prop_assume!(path.split('/').all(|segment| segment != "." && segment != ".."));
        let label = if deep { format!("{label}.{label}") } else { label };
        for (name, text) in shipped() {
            let pattern = UriPattern::parse(&text).map_err(|problem| TestCaseError::fail(format!("{name} {text}: {problem}")))?;
            let own = text.replacen("*.", &format!("{label}."), 1).replace('*', &path) + &query;
            let covered = |url: &str| url.parse::<Url>().is_ok_and(|url| pattern.matches(&url));
            prop_assert!(covered(&own), "{name}: {text} must match {own}");
            let host = own["https://".len()..].split('/').next().expect("host");
            for evil in [
                own.replacen(host, &format!("{host}.evil.tld"), 1),
                own.replacen(host, &format!("evil{}", host.rsplit_once('.').expect("dot").0), 1),
                own.replacen(host, &format!("evil-{}", host.trim_start_matches(&format!("{label}."))), 1),
                own.replacen(host, &format!("{host}@evil.tld"), 1),
                own.replacen(host, &format!("user@{host}"), 1),
                own.replacen(host, &format!("user:pass@{host}"), 1),
                own.replacen(host, &format!("evil.tld/{host}"), 1),
                own.replacen(host, &format!("evil.tld#{host}"), 1),
                own.replacen(host, &format!("evil.tld\\{host}"), 1),
                own.replacen(host, &format!("{host}."), 1),
                own.replacen("https://", "http://", 1),
                own.replacen("https://", "wss://", 1),
                with_port(&own, host),
            ] {
                prop_assert!(!covered(&evil), "{name}: {text} must not match {evil}");
            }
            for climb in ["/..%2f", "/%2e%2e%2f", "/..;/", "/%252e%252e/", "/..%5c"] {
                let evil = format!("{}{climb}admin", text.trim_end_matches("/*").replacen("*.", &format!("{label}."), 1));
                prop_assert!(!covered(&evil), "{name}: {text} must not match {evil}");
            }
            if text.matches('/').count() > 3 {
                let outside = own.replacen(&path, &format!("../../{path}"), 1);
                prop_assert!(!covered(&outside), "{name}: {text} must not match {outside}");
            }
        }
    }

    #[test]
    fn any_text_compiles_or_is_refused_and_any_url_is_judged(pattern in "\\PC{0,40}", rest in "\\PC{0,40}") {
        if let (Ok(pattern), Ok(url)) = (UriPattern::parse(&format!("https://x.com/{pattern}")), format!("https://x.com/{rest}").parse::<Url>()) {
            let _ = pattern.matches(&url);
        }
        let _ = UriPattern::parse(&pattern);
    }
}
