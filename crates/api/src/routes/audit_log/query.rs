//! What a reader of the log asks for.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use domain::{AppId, Decision, Timestamp};
use store::AuditFilter;

use crate::extract::paging::pairs;
use crate::problem::{Problem, Violation};

/// The media type of an export.
pub(super) const LINES: &str = "application/x-ndjson";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Page,
    Lines,
}

/// The filter of the rows, and the form of the answer.
#[derive(Debug)]
pub(super) struct AuditQuery {
    pub(super) filter: AuditFilter,
    pub(super) format: Format,
}

impl<S: Send + Sync> FromRequestParts<S> for AuditQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query { pairs: pairs(parts), violations: Vec::new() };
        let filter = AuditFilter {
            own_chain: true,
            app: query.application(),
            from: query.read("from", "must be an RFC 3339 date and time", moment),
            to: query.read("to", "must be an RFC 3339 date and time", moment),
            end_user: query.read("endUserId", "must be the id of an end-user", id),
            key: query.read("apiKeyId", "must be the id of a key", id),
            user: query.read("userId", "must be the id of a user", id),
            permission: query.read("permission", "must have at most 64 characters", |text| short(text, 64)),
            method: query.read("method", "must have at most 16 characters", |text| short(text, 16)),
            decision: query.read("decision", "must be allowed or denied", Decision::parse),
            status: query
                .read("status", "must be between 100 and 599", |text| text.parse().ok().filter(|status| (100..=599).contains(status))),
            subject: query.read("subject", "must have at most 256 characters", |text| short(text, 256)),
            request: query.read("requestId", "must be the id of a request", id),
        };
        let format = query.read("format", "must be json or jsonl", |text| match text {
            "json" => Some(Format::Page),
            "jsonl" => Some(Format::Lines),
            _ => None,
        });
        query.done()?;
        Ok(Self { filter, format: format.unwrap_or_else(|| accepted(parts)) })
    }
}

/// The application whose seals are wanted.
#[derive(Debug)]
pub(super) struct OfApplication(pub(super) Option<AppId>);

impl<S: Send + Sync> FromRequestParts<S> for OfApplication {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query { pairs: pairs(parts), violations: Vec::new() };
        let app = query.application();
        query.done()?;
        Ok(Self(app))
    }
}

/// The form that `Accept` asks for by name; a page for everything else.
fn accepted(parts: &Parts) -> Format {
    let accepts = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accepts.flat_map(|value| value.split(',')).map(|range| range.split(';').next().unwrap_or_default().trim());
    if ranges.any(|range| range.eq_ignore_ascii_case(LINES)) { Format::Lines } else { Format::Page }
}

struct Query {
    pairs: Vec<(String, String)>,
    violations: Vec<Violation>,
}

impl Query {
    fn application(&mut self) -> Option<AppId> {
        self.read("applicationId", "must be the id of an application", id)
    }

    fn done(self) -> Result<(), Problem> {
        if self.violations.is_empty() { Ok(()) } else { Err(Problem::validation(self.violations)) }
    }

    /// The parameter's value; absent and empty are the same, twice is refused.
    fn read<T>(&mut self, name: &str, rule: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut given = self.pairs.iter().filter(|(key, value)| key == name && !value.is_empty());
        let (_, text) = given.next()?;
        let parsed = if given.next().is_some() { None } else { parse(text) };
        if parsed.is_none() {
            self.violations.push(Violation::new(format!("/{name}"), "invalid_value", format!("{rule}, given once")));
        }
        parsed
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

fn id<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn short(text: &str, most: usize) -> Option<String> {
    (text.chars().count() <= most && !text.contains('\0')).then(|| text.to_owned())
}
