//! Requests on their way in and answers on their way out, between a client's version and the newest.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::stream;
use http_body_util::BodyExt as _;
use serde_json::Value;
use store::{Draft, ReplyForm};

use super::change::{Call, Change, Spoken};
use super::{Version, events};
use crate::extract::body::MAX_JSON_BYTES;
use crate::problem::Problem;

/// Marks a response that is in its client's version already: the reply of a write, as it was kept.
#[derive(Clone, Copy, Debug)]
pub struct InForm;

/// The way of one operation's answers from the newest version to an older one.
#[derive(Clone, Debug)]
pub struct AnswerForm(Vec<fn(&mut Spoken)>);

impl AnswerForm {
    fn new(changes: impl Iterator<Item = &'static dyn Change>, call: Call<'_>) -> Option<Self> {
        let steps: Vec<_> = changes.filter_map(|change| change.undo_answer(call)).collect();
        (!steps.is_empty()).then_some(Self(steps))
    }

    fn apply(&self, spoken: &mut Spoken) {
        for step in &self.0 {
            step(spoken);
        }
    }
}

impl ReplyForm for AnswerForm {
    fn put(&self, draft: Draft) -> Draft {
        if draft.status >= 400 {
            return draft;
        }
        let body = draft.body.map_or(Value::Null, |body| serde_json::from_slice(&body).expect("answers are JSON"));
        let mut spoken = Spoken { status: draft.status, location: draft.location, body };
        self.apply(&mut spoken);
        let Spoken { status, location, body } = spoken;
        let body = (!body.is_null()).then(|| serde_json::to_vec(&body).expect("a value is JSON"));
        Draft { status, body, location }
    }
}

/// The form of this operation's answers. `None`: they leave as they are.
pub fn answer_form(version: Version, call: Call<'_>) -> Option<Arc<dyn ReplyForm>> {
    let form = AnswerForm::new(version.unknown_changes(), call)?;
    Some(Arc::new(form))
}

/// A problem document in this version.
pub fn problem(version: Version, body: Vec<u8>) -> Vec<u8> {
    let steps: Vec<_> = version.unknown_changes().filter_map(Change::undo_problem).collect();
    if steps.is_empty() {
        return body;
    }
    let mut document = serde_json::from_slice(&body).expect("a problem is JSON");
    for step in steps {
        step(&mut document);
    }
    serde_json::to_vec(&document).expect("a value is JSON")
}

/// The headers of any response in this version.
pub fn headers(version: Version, headers: &mut HeaderMap) {
    for change in version.unknown_changes() {
        change.undo_headers(headers);
    }
}

/// The innermost layer: the handler speaks the newest version, whatever its caller speaks.
pub async fn speak(request: Request, next: Next) -> Response {
    let version = *request.extensions().get::<Version>().expect("the chain resolves the version of every request");
    if version == Version::newest() {
        return next.run(request).await;
    }
    let (method, route) = (request.method().clone(), request.extensions().get::<MatchedPath>().cloned());
    let call = Call { method: method.as_str(), route: route.as_ref().map_or("", MatchedPath::as_str) };
    let steps: Vec<_> = version.unknown_changes().filter_map(|change| change.redo_request(call)).collect();
    let response = next.run(redo(request, steps)).await;
    let events: Vec<_> = version.unknown_changes().filter_map(|change| change.undo_event(call)).collect();
    if !events.is_empty() && media_type(&response).is_some_and(|media_type| media_type.starts_with("text/event-stream")) {
        return events::undo(response, events);
    }
    let is_done = response.extensions().get::<InForm>().is_some() || response.extensions().get::<Problem>().is_some();
    match AnswerForm::new(version.unknown_changes(), call) {
        Some(form) if !is_done => reform(&form, response).await,
        _ => response,
    }
}

fn media_type(response: &Response) -> Option<&str> {
    response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

/// The request with a body that is turned into the newest version's once the handler reads it. `steps` are newest first.
fn redo(request: Request, steps: Vec<fn(&mut Value)>) -> Request {
    if steps.is_empty() {
        return request;
    }
    request.map(|body| {
        Body::from_stream(stream::once(async move {
            let bytes = http_body_util::Limited::new(body, MAX_JSON_BYTES).collect().await?.to_bytes();
            let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
                // Not JSON: the handler says so.
                return Ok::<_, axum::BoxError>(bytes);
            };
            for step in steps.iter().rev() {
                step(&mut value);
            }
            Ok(serde_json::to_vec(&value)?.into())
        }))
    })
}

async fn reform(form: &AnswerForm, response: Response) -> Response {
    if media_type(&response) != Some("application/json") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("an answer is in memory").to_bytes();
    let location = parts.headers.remove(header::LOCATION).and_then(|value| value.to_str().ok().map(ToOwned::to_owned));
    let reformed = form.put(Draft { status: parts.status.as_u16(), body: Some(bytes.to_vec()), location });
    parts.status = StatusCode::from_u16(reformed.status).expect("versions answer with valid statuses");
    if let Some(location) = reformed.location {
        parts.headers.insert(header::LOCATION, HeaderValue::try_from(location).expect("made of ids and paths, which are ASCII"));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, reformed.body.map_or_else(Body::empty, Body::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A version that renamed `title` to `name`, and one before it that renamed `label` to `title`.
    struct Renamed(&'static str);

    impl Change for Renamed {
        fn undo_answer(&self, call: Call<'_>) -> Option<fn(&mut Spoken)> {
            (call.route == "/api/things").then_some(if self.0 == "title" { to_title } else { to_label })
        }

        fn redo_request(&self, _: Call<'_>) -> Option<fn(&mut Value)> {
            Some(if self.0 == "title" { from_title } else { from_label })
        }
    }

    fn rename(value: &mut Value, from: &str, to: &str) {
        if let Some(object) = value.as_object_mut()
            && let Some(member) = object.remove(from)
        {
            object.insert(to.to_owned(), member);
        }
    }

    fn to_title(spoken: &mut Spoken) {
        rename(&mut spoken.body, "name", "title");
    }

    fn to_label(spoken: &mut Spoken) {
        rename(&mut spoken.body, "title", "label");
        spoken.status = 200;
    }

    fn from_title(body: &mut Value) {
        rename(body, "title", "name");
    }

    fn from_label(body: &mut Value) {
        rename(body, "label", "title");
    }

    static NEWEST_FIRST: [&dyn Change; 2] = [&Renamed("title"), &Renamed("label")];

    #[test]
    fn an_answer_passes_every_later_version_newest_first() {
        let form = |changes: &'static [&'static dyn Change]| {
            AnswerForm::new(changes.iter().copied(), Call { method: "POST", route: "/api/things" }).expect("differs")
        };
        let draft = || Draft { status: 201, body: Some(br#"{"name":"x"}"#.to_vec()), location: Some("/api/things/1".to_owned()) };
        let oldest = form(&NEWEST_FIRST).put(draft());
        assert_eq!((oldest.status, oldest.body.as_deref()), (200, Some(&br#"{"label":"x"}"#[..])));
        let middle = form(&NEWEST_FIRST[..1]).put(draft());
        assert_eq!((middle.status, middle.body.as_deref()), (201, Some(&br#"{"title":"x"}"#[..])));
        assert_eq!(middle.location.as_deref(), Some("/api/things/1"));
        assert!(AnswerForm::new(NEWEST_FIRST.iter().copied(), Call { method: "GET", route: "/api/others" }).is_none());
    }

    #[test]
    fn an_answer_without_a_body_stays_without() {
        let form = AnswerForm(vec![to_title]);
        let empty = Draft { status: 204, body: None, location: None };
        assert_eq!(form.put(empty.clone()), empty);
    }

    async fn redone(text: &str) -> String {
        let steps = NEWEST_FIRST.iter().filter_map(|change| change.redo_request(Call { method: "POST", route: "" })).collect();
        let request = redo(Request::new(Body::from(text.to_owned())), steps);
        let bytes = request.into_body().collect().await.expect("read").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn a_request_passes_every_later_version_oldest_first() {
        assert_eq!(redone(r#"{"label":"x"}"#).await, r#"{"name":"x"}"#);
        assert_eq!(redone("{nonsense").await, "{nonsense");
    }

    #[tokio::test]
    async fn a_read_is_put_into_form_on_its_way_out() {
        let response = Response::builder().status(201).header("content-type", "application/json").header("location", "/api/things/1");
        let response = response.body(Body::from(r#"{"name":"x"}"#)).expect("builds");
        let reformed = reform(&AnswerForm(vec![to_title, to_label]), response).await;
        assert_eq!((reformed.status().as_u16(), reformed.headers()["location"].to_str().ok()), (200, Some("/api/things/1")));
        assert_eq!(reformed.into_body().collect().await.expect("read").to_bytes(), r#"{"label":"x"}"#);
    }
}
