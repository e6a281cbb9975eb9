use axum::extract::State;
use domain::ProviderKeyId;
use serde_json::json;
use store::{Audit, DataKeyOwner, NewProviderKey};
use wire::api::model::{CreateProviderKey, ProviderKey};
use wire::run_spec::ModelProtocol;

use super::{check_secret, place};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for CreateProviderKey {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/label", &self.label, 1..=100);
        rules::protocol(&mut violations, "/api", &self.api);
        rules::base_url(&mut violations, "/baseUrl", &self.base_url);
        check_secret(&mut violations, &self.api_key);
        violations
    }
}

/// Stores a vendor's key.
#[utoipa::path(
    post,
    path = "/api/provider-keys",
    operation_id = "createProviderKey",
    tag = "Models",
    description = "Stores the API key of a model vendor, sealed. No answer ever holds it.",
    request_body = CreateProviderKey,
    responses((status = 201, description = "The stored key, without its secret.", body = ProviderKey))
)]
pub(super) async fn create_provider_key(
    can: Can<perm::ProviderKeysWrite>,
    State(app): State<App>,
    Json(body): Json<CreateProviderKey>,
) -> Result<Answer, Problem> {
    let id = ProviderKeyId::new(app.ids());
    let row = id.to_string();
    let sealed = app.vault.seal(&DataKeyOwner::organization(&can.scope), place(&row), body.api_key.expose().as_bytes()).await?;
    let protocol = ModelProtocol::parse(&body.api).expect("checked with the body");
    let write = can.write_org().await?;
    let new = NewProviderKey { id, label: body.label, protocol, base_url: body.base_url, sealed, created_by: can.user };
    write.audit(Audit::detail(json!({ "label": new.label, "api": body.api, "baseUrl": new.base_url })));
    let key = write.provider_keys().create(new).await?;
    Answer::created(write, &convert::provider_key(key), format!("/api/provider-keys/{id}")).await
}
