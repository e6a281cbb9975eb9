use std::collections::BTreeMap;

use domain::EndUserId;
use serde_json::{Map, Value, json};
use store::{Audit, EndUserChange};
use wire::api::end_user::{EndUser, UpdateEndUser};

use super::{MAX_METADATA_KEYS, check_metadata, of_store};
use crate::answer::Answer;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::given::given;
use crate::{convert, rules};

impl rules::Checked for UpdateEndUser {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/name", self.name.as_ref().and_then(Option::as_deref), 200);
        if let Some(Some(email)) = &self.email {
            rules::email(&mut violations, "/email", email);
        }
        rules::optional_length(&mut violations, "/externalId", self.external_id.as_ref().and_then(Option::as_deref), 255);
        check_metadata(&mut violations, &self.metadata);
        violations
    }
}

/// Changes an end-user.
#[utoipa::path(
    patch,
    path = "/api/end-users/{id}",
    operation_id = "updateEndUser",
    tag = "End-users",
    description = "Missing members stay, `null` clears. Metadata is merged; `null` removes a key.",
    params(("id" = EndUserId, Path, description = "The end-user.")),
    request_body = UpdateEndUser,
    responses((status = 200, description = "The end-user after the change.", body = EndUser), (status = 409, description = "E-mail or external id is taken."))
)]
pub(super) async fn update_end_user(
    can: Can<perm::EndUsersWrite>,
    IdPath(id): IdPath<EndUserId>,
    Json(body): Json<UpdateEndUser>,
) -> Result<Answer, Problem> {
    let write = can.write().await?;
    write.audit(Audit::detail(changed(&body)));
    // What another request merges at the same time is not lost: one of the two waits here.
    let known = write.end_users().get_to_change(id).await?.ok_or_else(Problem::not_found)?;
    let metadata = (!body.metadata.is_empty()).then(|| merged(known.metadata, body.metadata));
    if metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_METADATA_KEYS) {
        return Err(Problem::invalid("/metadata", "out_of_range", format!("would have more than {MAX_METADATA_KEYS} keys")));
    }
    let change = EndUserChange {
        external_id: body.external_id,
        name: body.name,
        email: body.email.map(|email| email.map(|email| auth::sign_up::canonical_email(&email))),
        metadata,
    };
    let end_user = write.end_users().update(id, change).await.map_err(of_store)?.ok_or_else(Problem::not_found)?;
    let app = can.scope.app();
    Answer::done(write, 200, &convert::end_user(app, end_user)).await
}

/// The metadata after a change, in which `null` removes a key.
fn merged(mut metadata: Map<String, Value>, change: BTreeMap<String, Value>) -> Map<String, Value> {
    for (key, value) in change {
        if value == Value::Null {
            metadata.remove(&key);
        } else {
            metadata.insert(key, value);
        }
    }
    metadata
}

/// The members that change, and the keys of the metadata. Their values are a person's, and stay out of the log.
fn changed(body: &UpdateEndUser) -> Value {
    let fields = given([
        ("name", body.name.is_some()),
        ("email", body.email.is_some()),
        ("externalId", body.external_id.is_some()),
        ("metadata", !body.metadata.is_empty()),
    ]);
    json!({ "fields": fields, "metadata": body.metadata.keys().collect::<Vec<_>>() })
}
