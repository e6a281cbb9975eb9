//! Answers: reads make one from any object; writes only from the proof that their unit was committed.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::{Paged, Reply, Scope, Write};
use wire::api::list::List;

use crate::extract::Paging;
use crate::problem::Problem;

/// Marks a response whose audit row was written with its change.
#[derive(Clone, Copy, Debug)]
pub struct Audited;

/// A successful answer.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    body: Option<Vec<u8>>,
    location: Option<String>,
    link: Option<String>,
    cookie: Option<String>,
    audited: bool,
}

fn json<T: Serialize>(object: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(object).map_err(|error| Problem::internal(&error))
}

impl Answer {
    /// 200 with the object. For reads.
    pub fn object<T: Serialize>(object: &T) -> Result<Self, Problem> {
        Ok(Self { status: 200, body: Some(json(object)?), location: None, link: None, cookie: None, audited: false })
    }

    /// 200 with one page of a list and its `Link` header. `path` is the request's path.
    pub fn list<T: Serialize>(page: Paged<T>, paging: Paging, path: &str) -> Result<Self, Problem> {
        let list = List::page(page.items, paging.page, paging.page_size, page.total);
        let to = |page: u64, rel: &str| format!("<{path}?page={page}&pageSize={}>; rel=\"{rel}\"", paging.page_size);
        let mut links = Vec::new();
        if paging.page < list.pagination.total_pages {
            links.push(to(paging.page + 1, "next"));
        }
        if paging.page > 1 {
            links.push(to(paging.page - 1, "prev"));
        }
        let link = (!links.is_empty()).then(|| links.join(", "));
        Ok(Self { link, ..Self::object(&list)? })
    }

    /// Commits the unit and answers 201 with the whole object and its `Location`.
    pub async fn created<S: Scope, T: Serialize>(write: Write<S>, object: &T, location: String) -> Result<Self, Problem> {
        let reply = write.reply(201, Some(json(object)?)).await?;
        Ok(Self { location: Some(location), ..Self::from(reply) })
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

    /// 204 after work that a service has committed itself.
    pub fn empty_committed() -> Self {
        Self { status: 204, body: None, location: None, link: None, cookie: None, audited: false }
    }

    /// The same with a `Set-Cookie` header.
    #[must_use]
    pub fn with_cookie(self, cookie: String) -> Self {
        Self { cookie: Some(cookie), ..self }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { status: reply.status, body: reply.body, location: None, link: None, cookie: None, audited: true }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.clone().map_or_else(Body::empty, Body::from));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("answers hold valid statuses");
        let headers = response.headers_mut();
        if self.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in [(header::LOCATION, self.location), (header::LINK, self.link), (header::SET_COOKIE, self.cookie)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::try_from(value).expect("made of ids, paths and tokens, which are ASCII"));
            }
        }
        if self.audited {
            response.extensions_mut().insert(Audited);
        }
        response
    }
}
