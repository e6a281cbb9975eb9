use axum::extract::State;
use wire::api::connection::{ConnectCredentials, Connection};

use super::store_fields;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{AgentPath, Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

/// Connects a provider with its credential fields.
#[utoipa::path(
    post,
    path = "/api/connections/connect/{scope}/{name}/credentials",
    operation_id = "connectCredentials",
    tag = "Connections",
    description = "Stores the fields that the provider's schema asks for, for whoever calls. A second call replaces them.",
    params(
        ("scope" = String, Path, description = "The provider's scope, with its `@`.", example = "@appstrate"),
        ("name" = String, Path, description = "The provider's name.", example = "stripe")
    ),
    request_body = ConnectCredentials,
    responses((status = 201, description = "The connection.", body = Connection), (status = 200, description = "The connection with its new credentials.", body = Connection))
)]
pub(super) async fn connect_credentials(
    can: Can<perm::ConnectionsConnect>,
    State(app): State<App>,
    AgentPath(provider): AgentPath,
    Json(body): Json<ConnectCredentials>,
) -> Result<Answer, Problem> {
    store_fields::store_fields(&can, &app, provider, body.credentials).await
}

impl rules::Checked for ConnectCredentials {
    fn check(&self) -> Vec<Violation> {
        if self.credentials.is_empty() {
            vec![Violation::new("/credentials", "required", "must have at least one field")]
        } else {
            Vec::new()
        }
    }
}
