//! One audit row for each impersonated request: reads, refusals and failures too. Writes bring theirs with their change.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::answer::Audited;
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
    let (mut parts, body) = request.into_parts();
    let asked = AskedPermission::default();
    parts.extensions.insert(asked.clone());
    let mut facts = facts(&parts, &caller, "");
    let response = next.run(Request::from_parts(parts, body)).await;
    facts.permission = asked.0.get().copied().unwrap_or_default().to_owned();
    if response.extensions().get::<Audited>().is_some() {
        return response;
    }
    let Some(scope) = &caller.app else { return response };
    match app.store.system().append_audit(scope, &facts, None, response.status().as_u16()).await {
        Ok(()) => response,
        Err(error) => Problem::from(error).into_response(),
    }
}
