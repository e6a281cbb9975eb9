//! One audit row for each impersonated request: reads, refusals, failures and unknown routes too. Writes bring theirs with their change.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::{Audit, Outcome, Recorded};
use tracing::Instrument as _;

use super::authenticate;
use super::rate_limit::attempt::Attempt;
use crate::app::App;
use crate::extract::caller::Caller;
use crate::extract::facts;
use crate::problem::Problem;

/// Which permission the handler asked for; noted by [`crate::extract::Can`], also when it refuses.
#[derive(Clone, Debug, Default)]
pub struct AskedPermission(Arc<OnceLock<&'static str>>);

impl AskedPermission {
    pub fn note(&self, permission: &'static str) {
        self.0.get_or_init(|| permission);
    }
}

/// Commits the row, with others in a small group, before the response leaves. A row that cannot be committed fails the request:
/// an impersonation without a trace is worse than a retry.
pub async fn audit(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(caller) = request.extensions().get::<Caller>().filter(|caller| caller.end_user.is_some()).cloned() else {
        return next.run(request).await;
    };
    // In a task of its own: a client that hangs up does not take the row along.
    let task = async move {
        let (mut parts, body) = request.into_parts();
        let (asked, recorded) = (AskedPermission::default(), Recorded::default());
        parts.extensions.insert(asked.clone());
        parts.extensions.insert(recorded.clone());
        let of_row = parts.clone();
        let response = next.run(Request::from_parts(parts, body)).await;
        if recorded.is_done() {
            return response;
        }
        record(&app, of_row, &caller, (asked.0.get().copied().unwrap_or_default(), None), response).await
    };
    // What the task logs carries the request's id, as everything else that happens in its course.
    tokio::spawn(task.in_current_span()).await.unwrap_or_else(|error| Problem::internal(&error).into_response())
}

/// As [`audit`], for what no route takes. Nobody is refused here for want of credentials; who brings a key and `Appstrate-User` is
/// looked up all the same, for the row.
pub async fn unrouted(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(claims) = authenticate::impersonation(&app, &request) else { return next.run(request).await };
    // Nor is a way around the limit on guesses: what would not be looked up elsewhere is not looked up here.
    let attempt = Attempt::of(&request, claims.credential());
    if attempt.is_heard(&app).is_err() {
        return next.run(request).await;
    }
    let caller = match authenticate::impersonator(&app, &claims).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    attempt.settle(&app, Some(caller.is_some()));
    let Some(caller) = caller else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let of_row = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    record(&app, of_row, &caller, ("", None), response).await
}

/// Commits the row of a response, then lets it go.
pub async fn record(
    app: &App,
    mut parts: Parts,
    caller: &Caller,
    (permission, audit): (&str, Option<Audit>),
    response: Response,
) -> Response {
    let Some(scope) = &caller.app else { return response };
    let facts = facts(&mut parts, caller, permission).await;
    let code = response.extensions().get::<Problem>().map(|problem| problem.code);
    let outcome = Outcome { status: Some(response.status().as_u16()), code };
    match app.store.system().append_audit(scope, &facts, audit.as_ref(), outcome).await {
        Ok(()) => response,
        Err(error) => Problem::from(error).into_response(),
    }
}
