//! Rules of an application's settings.

use serde_json::{Map, Value, json};
use wire::api::application::ApplicationSettings;

use crate::problem::Violation;

const MAX_DOMAINS: usize = 20;
const MAX_DOMAIN: usize = 253;

pub(super) fn check(violations: &mut Vec<Violation>, settings: &ApplicationSettings) {
    let domains = settings.allowed_redirect_domains.as_deref().unwrap_or_default();
    if domains.len() > MAX_DOMAINS {
        let message = format!("must have at most {MAX_DOMAINS} entries");
        violations.push(Violation::new("/settings/allowedRedirectDomains", "out_of_range", message));
        return;
    }
    for (at, domain) in domains.iter().enumerate().filter(|(_, domain)| !is_domain(domain)) {
        let message = format!("must be a host name without scheme, port and path, not {:?}", domain.chars().take(64).collect::<String>());
        violations.push(Violation::new(format!("/settings/allowedRedirectDomains/{at}"), "invalid_format", message));
    }
}

/// Letters, digits and inner dashes, label by label (RFC 1123 §2.1).
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= MAX_DOMAIN && text.split('.').all(is_label)
}

/// The settings as they are kept: host names in lower case.
pub(super) fn kept(settings: ApplicationSettings) -> Map<String, Value> {
    let domains =
        settings.allowed_redirect_domains.map(|domains| domains.iter().map(|domain| domain.to_ascii_lowercase()).collect::<Vec<_>>());
    domains.map(|domains| ("allowedRedirectDomains".to_owned(), json!(domains))).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_told_from_other_texts() {
        assert!(["app.example.com", "localhost", "A-1.example", "xn--bcher-kva.example"].into_iter().all(is_domain));
        let wrong = [
            "",
            "https://app.example.com",
            "app.example.com/",
            "app.example.com:443",
            "-a.example",
            "a..b",
            "*.example.com",
            "bücher.example",
        ];
        assert!(!wrong.into_iter().any(is_domain) && !is_domain(&"a".repeat(64)));
    }

    #[test]
    fn names_are_kept_in_lower_case() {
        let settings = ApplicationSettings { allowed_redirect_domains: Some(vec!["App.Example.COM".to_owned()]) };
        assert_eq!(Value::Object(kept(settings)), json!({ "allowedRedirectDomains": ["app.example.com"] }));
        assert!(kept(ApplicationSettings::default()).is_empty());
    }
}
