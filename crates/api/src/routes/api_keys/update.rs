use axum::extract::State;
use domain::{Code, KeyId};
use serde_json::json;
use store::{ApiKeyChange, Audit};
use wire::api::api_key::{ApiKey, UpdateApiKey};

use super::create::{MAX_SCOPES, expiry};
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, rules};

impl rules::Checked for UpdateApiKey {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/name", self.name.as_deref(), 100);
        if self.scopes.as_ref().is_some_and(|scopes| scopes.is_empty() || scopes.len() > MAX_SCOPES) {
            violations.push(Violation::new("/scopes", "out_of_range", format!("must have 1 to {MAX_SCOPES} entries")));
        }
        violations
    }
}

/// Changes an API key.
#[utoipa::path(
    patch,
    path = "/api/api-keys/{id}",
    operation_id = "updateApiKey",
    tag = "API keys",
    description = "Renames a key, moves its end, or narrows its scopes; none can be added. Takes effect from the next request on. A key that was revoked or has expired stays ended.",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body = UpdateApiKey,
    responses((status = 200, description = "The key after the change.", body = ApiKey), (status = 409, description = "The key was revoked or has expired."))
)]
pub(super) async fn update_api_key(
    can: Can<perm::ApiKeysCreate>,
    State(app): State<App>,
    IdPath(id): IdPath<KeyId>,
    Json(body): Json<UpdateApiKey>,
) -> Result<Answer, Problem> {
    let expires_at = match &body.expires_at {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) => Some(Some(expiry(text, app.now())?)),
    };
    let write = can.write().await?;
    let key = write.api_keys().get_to_change(id).await?.ok_or_else(Problem::not_found)?;
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= app.now()) {
        return Err(Problem::new(Code::KeyEnded, "The key was revoked or has expired."));
    }
    let added = |scopes: &[String]| {
        let places = scopes.iter().enumerate().filter(|(_, scope)| !key.scopes.contains(scope));
        places.map(|(at, _)| Violation::new(format!("/scopes/{at}"), "invalid_value", "is not among the key's scopes")).collect::<Vec<_>>()
    };
    let violations = body.scopes.as_deref().map(added).unwrap_or_default();
    if !violations.is_empty() {
        return Err(Problem::validation(violations));
    }
    // In the order that the key had them, each once.
    let scopes = body.scopes.map(|named| key.scopes.iter().filter(|scope| named.contains(scope)).cloned().collect());
    let detail = json!({ "name": body.name, "expiresAt": body.expires_at, "scopes": scopes });
    let changed = write.api_keys().update(id, ApiKeyChange { name: body.name, expires_at, scopes }).await?;
    let key = changed.ok_or_else(Problem::not_found)?;
    write.audit(Audit { subject: Some(id.to_string()), detail });
    let app = can.scope.app();
    Answer::done(write, 200, &convert::api_key(app, key)).await
}
