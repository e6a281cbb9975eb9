//! What a client asks of a stream.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::chain::authenticate::Standing;
use crate::extract::paging;
use crate::problem::Problem;

/// What a client asks of a stream.
pub(crate) struct StreamRequest {
    pub(crate) standing: Standing,
    /// Whether the model's text is wanted as it comes.
    pub(crate) deltas: bool,
    last_event_id: Option<String>,
}

impl StreamRequest {
    /// What the client has seen last. Ids are opaque to clients; one that is not ours counts as none.
    pub(crate) fn seen<T: FromStr>(&self) -> Option<T> {
        self.last_event_id.as_deref()?.parse().ok()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for StreamRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let deltas = match paging::parameter(parts.uri.query(), "deltas", 5)?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::invalid("/deltas", "invalid_value", "must be true or false")),
        };
        let last_event_id = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let standing = parts.extensions.get::<Standing>().cloned().expect("the chain keeps the claims of every stream");
        Ok(Self { standing, deltas, last_event_id })
    }
}
