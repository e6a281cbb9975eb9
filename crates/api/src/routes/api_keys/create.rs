use axum::extract::State;
use chrono::{DateTime, Datelike as _, SubsecRound, Utc};
use domain::{Permission, PermissionSet, Timestamp};
use serde_json::json;
use store::{Audit, NewApiKey};
use wire::api::api_key::{CreateApiKey, CreatedApiKey};
use wire::api::timestamp::Moment;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, rules};

pub(super) const MAX_SCOPES: usize = 64;

impl rules::Checked for CreateApiKey {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/name", &self.name, 1..=100);
        if self.scopes.len() > MAX_SCOPES {
            violations.push(Violation::new("/scopes", "out_of_range", format!("must have at most {MAX_SCOPES} entries")));
        }
        violations
    }
}

/// Creates an API key.
#[utoipa::path(
    post,
    path = "/api/api-keys",
    operation_id = "createApiKey",
    tag = "API keys",
    description = "Creates a key of the application. The secret is in this answer only; it is stored as a hash.",
    request_body = CreateApiKey,
    responses((status = 201, description = "The key with its secret.", body = CreatedApiKey))
)]
pub(super) async fn create_api_key(
    can: Can<perm::ApiKeysCreate>,
    State(app): State<App>,
    Json(body): Json<CreateApiKey>,
) -> Result<Answer, Problem> {
    let scopes = scopes(&body.scopes, PermissionSet::grantable_to_key(can.role), PermissionSet::default_for_key(can.role))?;
    let expires_at = body.expires_at.as_deref().map(|text| expiry(text, app.now())).transpose()?;
    let secret = auth::token::new_api_key(app.ids());
    let new = NewApiKey {
        name: body.name,
        hash: auth::token::hash(secret.expose()),
        prefix: auth::token::shown_prefix(&secret),
        scopes,
        created_by: can.user,
        expires_at,
    };
    let write = can.write().await?;
    let detail = json!({ "name": new.name, "prefix": new.prefix, "scopes": new.scopes, "expiresAt": new.expires_at.map(Moment::from) });
    write.audit(Audit::detail(detail));
    let key = write.api_keys().create(new).await?;
    let location = format!("/api/api-keys/{}", key.id);
    let created = CreatedApiKey { api_key: convert::api_key(can.scope.app(), key), key: secret.expose().clone() };
    Answer::created(write, &created, location).await
}

/// The named scopes, or the default set when none is named. Unknown and ungrantable ones are refused, each with its place.
fn scopes(named: &[String], grantable: PermissionSet, default: PermissionSet) -> Result<Vec<String>, Problem> {
    if named.is_empty() {
        return Ok(default.iter().map(|permission| permission.as_str().to_owned()).collect());
    }
    let mut set = Vec::new();
    let mut violations = Vec::new();
    for (at, name) in named.iter().enumerate() {
        let pointer = format!("/scopes/{at}");
        match Permission::parse(name) {
            None => violations.push(Violation::new(pointer, "invalid_value", "is no permission")),
            Some(permission) if !grantable.contains(permission) => {
                violations.push(Violation::new(pointer, "invalid_value", "cannot be given to a key by this user"));
            }
            Some(permission) => set.push(permission),
        }
    }
    if !violations.is_empty() {
        return Err(Problem::validation(violations));
    }
    // In the order of the table, each once.
    Ok(set.into_iter().collect::<PermissionSet>().iter().map(|permission| permission.as_str().to_owned()).collect())
}

/// The last year that RFC 3339 can write. In UTC a moment may lie in the year after the one in which it was sent.
const LAST_YEAR: i32 = 9999;

pub(super) fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| Problem::invalid("/expiresAt", "invalid_format", "must be an RFC 3339 date and time"))?
        .with_timezone(&Utc)
        .trunc_subsecs(3);
    if at <= now {
        return Err(Problem::invalid("/expiresAt", "out_of_range", "must be in the future"));
    }
    if at.year() > LAST_YEAR {
        return Err(Problem::invalid("/expiresAt", "out_of_range", format!("must lie in the year {LAST_YEAR} or before, in UTC")));
    }
    Ok(at)
}
