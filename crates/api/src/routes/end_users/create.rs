use serde_json::json;
use store::{Audit, NewEndUser};
use wire::api::end_user::{CreateEndUser, EndUser};

use super::{check_metadata, of_store};
use crate::answer::Answer;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::given::given;
use crate::{convert, rules};

impl rules::Checked for CreateEndUser {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/name", self.name.as_deref(), 200);
        if let Some(email) = &self.email {
            rules::email(&mut violations, "/email", email);
        }
        rules::optional_length(&mut violations, "/externalId", self.external_id.as_deref(), 255);
        check_metadata(&mut violations, &self.metadata);
        violations
    }
}

/// Creates an end-user.
#[utoipa::path(
    post,
    path = "/api/end-users",
    operation_id = "createEndUser",
    tag = "End-users",
    description = "Creates a customer of the application. From then on `Appstrate-User` with its id makes any call act as it.",
    request_body = CreateEndUser,
    responses((status = 201, description = "The end-user.", body = EndUser), (status = 409, description = "E-mail or external id is taken."))
)]
pub(super) async fn create_end_user(can: Can<perm::EndUsersWrite>, Json(body): Json<CreateEndUser>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    write.audit(Audit::detail(json!({ "fields": fields(&body) })));
    let new = NewEndUser {
        external_id: body.external_id,
        name: body.name,
        email: body.email.map(|email| auth::sign_up::canonical_email(&email)),
        metadata: body.metadata.into_iter().collect(),
    };
    let end_user = write.end_users().create(new).await.map_err(of_store)?;
    let location = format!("/api/end-users/{}", end_user.id);
    let app = can.scope.app();
    Answer::created(write, &convert::end_user(app, end_user), location).await
}

/// The members that are given. Their values are a person's, and stay out of the log.
fn fields(body: &CreateEndUser) -> Vec<&'static str> {
    given([
        ("name", body.name.is_some()),
        ("email", body.email.is_some()),
        ("externalId", body.external_id.is_some()),
        ("metadata", !body.metadata.is_empty()),
    ])
}
