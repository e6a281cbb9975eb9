//! Answers: reads make one from any object; writes only from the proof that their unit was committed.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::{Draft, Paged, Reply, Scope, Write};
use wire::api::list::List;

use crate::extract::Paging;
use crate::problem::Problem;
use crate::versions::edge::InForm;

/// The pages around a page of a list, for the `Link` header (RFC 8288).
#[derive(Clone, Copy, Debug)]
pub struct Neighbors {
    next: Option<u64>,
    previous: Option<u64>,
    page_size: u64,
}

impl Neighbors {
    /// The header's value: the request's own path and filters, with another page. `None` for a list of one page.
    pub fn link(self, path: &str, query: &str) -> Option<String> {
        let mut filters = url::form_urlencoded::Serializer::new(String::new());
        filters.extend_pairs(url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "page" && name != "pageSize"));
        let filters = filters.finish();
        let to = |page: u64, relation: &str| {
            let separator = if filters.is_empty() { "" } else { "&" };
            format!("<{path}?{filters}{separator}page={page}&pageSize={}>; rel=\"{relation}\"", self.page_size)
        };
        let next = self.next.map(|page| to(page, "next"));
        let previous = self.previous.map(|page| to(page, "prev"));
        let links: Vec<String> = next.into_iter().chain(previous).collect();
        (!links.is_empty()).then(|| links.join(", "))
    }
}

/// A successful answer.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    body: Option<Vec<u8>>,
    location: Option<String>,
    neighbors: Option<Neighbors>,
    cookie: Option<String>,
    /// The body was put into its version's form by the write that kept it.
    is_in_form: bool,
}

fn json<T: Serialize>(object: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(object).map_err(|error| Problem::internal(&error))
}

/// What was made, by its path: the id or the package at the end. `None` for the path of a whole collection.
fn named_by(location: &str) -> Option<String> {
    let mut segments = location.rsplit('/');
    let (last, before) = (segments.next()?, segments.next()?);
    if before.starts_with('@') {
        return Some(format!("{before}/{last}"));
    }
    last.split_once('_').map(|_| last.to_owned())
}

impl Answer {
    /// 200 with the object. For reads.
    pub fn object<T: Serialize>(object: &T) -> Result<Self, Problem> {
        Ok(Self { status: 200, body: Some(json(object)?), location: None, neighbors: None, cookie: None, is_in_form: false })
    }

    /// 200 with one page of a list. Its `Link` header is written by the outermost layer, which knows the request's filters.
    pub fn list<T: Serialize>(page: Paged<T>, paging: Paging) -> Result<Self, Problem> {
        let list = List::page(page.items, paging.page, paging.page_size, page.total);
        let neighbors = Neighbors {
            next: (paging.page < list.pagination.total_pages).then_some(paging.page + 1),
            previous: (paging.page > 1).then_some(paging.page - 1),
            page_size: paging.page_size,
        };
        Ok(Self { neighbors: Some(neighbors), ..Self::object(&list)? })
    }

    /// Commits the unit and answers 201 with the whole object and its `Location`.
    pub async fn created<S: Scope, T: Serialize>(write: Write<S>, object: &T, location: String) -> Result<Self, Problem> {
        if let Some(subject) = named_by(&location) {
            write.audit_subject(&subject);
        }
        let draft = Draft { status: 201, body: Some(json(object)?), location: Some(location) };
        Ok(Self::from(write.answer(draft).await?))
    }

    /// Commits the unit and answers with this status and object.
    pub async fn done<S: Scope, T: Serialize>(write: Write<S>, status: u16, object: &T) -> Result<Self, Problem> {
        Ok(Self::from(write.reply(status, Some(json(object)?)).await?))
    }

    /// Commits the unit and answers 204.
    pub async fn deleted<S: Scope>(write: Write<S>) -> Result<Self, Problem> {
        Ok(Self::from(write.reply(204, None).await?))
    }

    /// An object after work that a service has committed itself (sessions, which belong to no tenant).
    pub fn committed<T: Serialize>(status: u16, object: &T) -> Result<Self, Problem> {
        Ok(Self { status, ..Self::object(object)? })
    }

    /// 302 to another place, for routes that a browser visits.
    pub fn found(location: String) -> Self {
        Self { status: 302, location: Some(location), ..Self::empty_committed() }
    }

    /// 204 after work that a service has committed itself.
    pub fn empty_committed() -> Self {
        Self { status: 204, body: None, location: None, neighbors: None, cookie: None, is_in_form: false }
    }

    /// The same with a `Set-Cookie` header.
    #[must_use]
    pub fn with_cookie(self, cookie: String) -> Self {
        Self { cookie: Some(cookie), ..self }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { status: reply.status, body: reply.body, location: reply.location, neighbors: None, cookie: None, is_in_form: true }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let has_body = self.body.is_some();
        let mut response = Response::new(self.body.map_or_else(Body::empty, Body::from));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("answers hold valid statuses");
        let headers = response.headers_mut();
        if has_body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in [(header::LOCATION, self.location), (header::SET_COOKIE, self.cookie)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::try_from(value).expect("made of ids, paths and tokens, which are ASCII"));
            }
        }
        if let Some(neighbors) = self.neighbors {
            response.extensions_mut().insert(neighbors);
        }
        if self.is_in_form {
            response.extensions_mut().insert(InForm);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_named_by_its_path() {
        assert_eq!(named_by("/api/end-users/eu_01jd9xq3e8f2t8v0k3m5n7p9r1").as_deref(), Some("eu_01jd9xq3e8f2t8v0k3m5n7p9r1"));
        assert_eq!(named_by("/api/packages/agents/@acme/triage").as_deref(), Some("@acme/triage"));
        assert_eq!(named_by("/api/connections"), None);
    }

    #[test]
    fn links_keep_the_filters_of_the_request() {
        let neighbors = Neighbors { next: Some(3), previous: Some(1), page_size: 20 };
        let link = neighbors.link("/api/runs", "status=failed&page=2&agentId=%40acme%2Fx&pageSize=20").expect("a link");
        assert_eq!(
            link,
            "</api/runs?status=failed&agentId=%40acme%2Fx&page=3&pageSize=20>; rel=\"next\", \
             </api/runs?status=failed&agentId=%40acme%2Fx&page=1&pageSize=20>; rel=\"prev\""
        );
        assert_eq!(Neighbors { next: None, previous: None, page_size: 20 }.link("/api/runs", ""), None);
    }
}
