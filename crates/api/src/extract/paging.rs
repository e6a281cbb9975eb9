//! `?page=&pageSize=` and the list envelope.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::problem::{Problem, Violation};

/// A page of a list: `page` from 1, `page_size` 1 to 100, default 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    pub page: u64,
    pub page_size: u64,
}

impl From<Paging> for store::Page {
    fn from(paging: Paging) -> Self {
        let narrow = |number: u64| u32::try_from(number).expect("checked against smaller bounds when parsed");
        Self { page: narrow(paging.page), size: narrow(paging.page_size) }
    }
}

/// The query string as decoded pairs. Duplicates are refused where they matter.
pub fn pairs(parts: &Parts) -> Vec<(String, String)> {
    url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut violations = Vec::new();
        let mut read = |name: &str, default: u64, max: u64| {
            let given: Vec<String> = pairs(parts).into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
            match given.as_slice() {
                [] => default,
                [value] if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => match value.parse::<u64>() {
                    Ok(number) if (1..=max).contains(&number) => number,
                    _ => {
                        violations.push(Violation::new(format!("/{name}"), "out_of_range", format!("must be between 1 and {max}")));
                        default
                    }
                },
                _ => {
                    violations.push(Violation::new(format!("/{name}"), "invalid_type", "must be one whole number"));
                    default
                }
            }
        };
        // A page number beyond this cannot hold a row and would overflow the offset.
        let paging = Self { page: read("page", 1, 1_000_000_000), page_size: read("pageSize", 20, 100) };
        if violations.is_empty() { Ok(paging) } else { Err(Problem::validation(violations)) }
    }
}

/// The value of a query parameter, decoded. Empty is absent; twice or too long is refused.
pub fn parameter(query: Option<&str>, name: &str, max: usize) -> Result<Option<String>, Problem> {
    let mut found = None;
    for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if key == name && found.replace(value.into_owned()).is_some() {
            return Err(Problem::invalid(&format!("/{name}"), "invalid_value", "must be given once"));
        }
    }
    match found {
        Some(text) if text.contains('\0') => {
            Err(Problem::invalid(&format!("/{name}"), "invalid_value", "must not contain a NUL character"))
        }
        Some(text) if text.chars().count() > max => {
            Err(Problem::invalid(&format!("/{name}"), "out_of_range", format!("must have at most {max} characters")))
        }
        found => Ok(found.filter(|text| !text.is_empty())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_and_a_long_text_are_told_apart() {
        let told = |query| parameter(Some(query), "name", 3).expect_err("refused").errors[0].clone();
        assert_eq!(told("name=%00"), Violation::new("/name", "invalid_value", "must not contain a NUL character"));
        assert_eq!(told("name=abcd"), Violation::new("/name", "out_of_range", "must have at most 3 characters"));
        assert_eq!(parameter(Some("name=abc"), "name", 3).expect("allowed").as_deref(), Some("abc"));
    }
}
