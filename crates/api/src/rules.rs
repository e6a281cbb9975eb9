//! Rules of values in request bodies, shared by the resources.

use std::ops::RangeInclusive;

pub(crate) use crate::extract::body::Checked;
use crate::problem::Violation;

/// A text's length in characters. NUL is never text: PostgreSQL cannot store it.
pub(crate) fn length(violations: &mut Vec<Violation>, pointer: &str, text: &str, allowed: RangeInclusive<usize>) {
    let count = text.chars().count();
    if !allowed.contains(&count) {
        let message = format!("must have {} to {} characters", allowed.start(), allowed.end());
        violations.push(Violation::new(pointer, "out_of_range", message));
    } else if text.contains('\0') {
        violations.push(Violation::new(pointer, "invalid_value", "must not contain a NUL character"));
    } else if *allowed.start() > 0 && text.trim().is_empty() {
        violations.push(Violation::new(pointer, "invalid_value", "must not be blank"));
    }
}

/// The same for a text that may be absent.
pub(crate) fn optional_length(violations: &mut Vec<Violation>, pointer: &str, text: Option<&str>, max: usize) {
    if let Some(text) = text {
        length(violations, pointer, text, 1..=max);
    }
}

/// An e-mail address, in the loose sense that mail servers agree on: one `@`, something before it, a dotted name behind it.
pub(crate) fn email(violations: &mut Vec<Violation>, pointer: &str, text: &str) {
    let text = text.trim();
    let well_formed = text.len() <= 320
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte >= 0x80)
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !domain.contains('@')
                && domain.contains('.')
                && domain.split('.').all(|label| !label.is_empty())
        });
    if !well_formed {
        violations.push(Violation::new(pointer, "invalid_format", "must be an e-mail address"));
    }
}

/// A password that somebody chooses.
pub(crate) fn new_password(violations: &mut Vec<Violation>, pointer: &str, password: &domain::Secret) {
    length(violations, pointer, password.expose(), 8..=256);
}

/// A model protocol by its name.
pub(crate) fn protocol(violations: &mut Vec<Violation>, pointer: &str, text: &str) {
    if wire::run_spec::ModelProtocol::parse(text).is_none() {
        let known: Vec<&str> = wire::run_spec::ModelProtocol::ALL.iter().map(|protocol| protocol.as_str()).collect();
        violations.push(Violation::new(pointer, "invalid_value", format!("must be one of {}", known.join(", "))));
    }
}

/// An absolute http or https URL without credentials, query and fragment. Where it may lead is decided when it is called.
pub(crate) fn base_url(violations: &mut Vec<Violation>, pointer: &str, text: &str) {
    let well_formed = text.len() <= 2048
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
    if !well_formed {
        violations.push(Violation::new(pointer, "invalid_format", "must be an http or https URL without credentials, query and fragment"));
    }
}

/// A number in a range, if it is there.
pub(crate) fn range(violations: &mut Vec<Violation>, pointer: &str, number: Option<u64>, allowed: RangeInclusive<u64>) {
    if number.is_some_and(|number| !allowed.contains(&number)) {
        violations.push(Violation::new(pointer, "out_of_range", format!("must be {} to {}", allowed.start(), allowed.end())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_told_from_other_texts() {
        let refused = |text: &str| {
            let mut violations = Vec::new();
            email(&mut violations, "/email", text);
            !violations.is_empty()
        };
        assert!(!refused("ada@example.com") && !refused("a.b+c@sub.example.co") && !refused("jörg@beispiel.de"));
        for bad in ["", "ada", "@example.com", "ada@", "ada@example", "ada@.com", "a@b@c.de", "ada @example.com", "ada@exam\0ple.com"] {
            assert!(refused(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_nul_character_is_never_text() {
        let mut violations = Vec::new();
        length(&mut violations, "/name", "a\0b", 1..=10);
        assert_eq!(violations[0].code, "invalid_value");
    }
}
