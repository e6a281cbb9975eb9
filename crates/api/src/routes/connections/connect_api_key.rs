use axum::extract::State;
use wire::api::connection::{ConnectApiKey, Connection};

use super::store_fields;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{AgentPath, Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

/// Connects a provider with an API key.
#[utoipa::path(
    post,
    path = "/api/connections/connect/{scope}/{name}/api-key",
    operation_id = "connectApiKey",
    tag = "Connections",
    description = "Stores the key for whoever calls: with `Appstrate-User` for that end-user, with a key alone for the application, with a session for the member. A second call replaces it.",
    params(
        ("scope" = String, Path, description = "The provider's scope, with its `@`.", example = "@appstrate"),
        ("name" = String, Path, description = "The provider's name.", example = "stripe")
    ),
    request_body = ConnectApiKey,
    responses((status = 201, description = "The connection.", body = Connection), (status = 200, description = "The connection with its new credentials.", body = Connection))
)]
pub(super) async fn connect_api_key(
    can: Can<perm::ConnectionsConnect>,
    State(app): State<App>,
    AgentPath(provider): AgentPath,
    Json(body): Json<ConnectApiKey>,
) -> Result<Answer, Problem> {
    let read = can.read().await?;
    let definition = store_fields::definition(&read, &provider).await?;
    drop(read);
    let field = connect::credentials::api_key_field(&definition)?.to_owned();
    store_fields::store_fields(&can, &app, provider, [(field, body.api_key)].into()).await
}

impl rules::Checked for ConnectApiKey {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/apiKey", self.api_key.expose(), 1..=8192);
        violations
    }
}
