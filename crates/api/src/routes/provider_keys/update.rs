use axum::extract::State;
use domain::ProviderKeyId;
use store::{DataKeyOwner, ProviderKeyChange};
use wire::api::model::{ProviderKey, UpdateProviderKey};
use wire::run_spec::ModelProtocol;

use super::{check_secret, place};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for UpdateProviderKey {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/label", self.label.as_deref(), 100);
        if let Some(api) = &self.api {
            rules::protocol(&mut violations, "/api", api);
        }
        if let Some(url) = &self.base_url {
            rules::base_url(&mut violations, "/baseUrl", url);
        }
        if let Some(secret) = &self.api_key {
            check_secret(&mut violations, secret);
        }
        violations
    }
}

/// Changes a vendor's key.
#[utoipa::path(
    patch,
    path = "/api/provider-keys/{id}",
    operation_id = "updateProviderKey",
    tag = "Models",
    description = "Missing members stay. A new secret takes the place of the old one for every run that starts from now on.",
    params(("id" = ProviderKeyId, Path, description = "The key.")),
    request_body = UpdateProviderKey,
    responses((status = 200, description = "The key after the change, without its secret.", body = ProviderKey))
)]
pub(super) async fn update_provider_key(
    can: Can<perm::ProviderKeysWrite>,
    State(app): State<App>,
    IdPath(id): IdPath<ProviderKeyId>,
    Json(body): Json<UpdateProviderKey>,
) -> Result<Answer, Problem> {
    let sealed = match &body.api_key {
        Some(secret) => {
            let row = id.to_string();
            Some(app.vault.seal(&DataKeyOwner::organization(&can.scope), place(&row), secret.expose().as_bytes()).await?)
        }
        None => None,
    };
    let write = can.write_org().await?;
    let change = ProviderKeyChange {
        label: body.label,
        protocol: body.api.map(|api| ModelProtocol::parse(&api).expect("checked with the body")),
        base_url: body.base_url,
        sealed,
    };
    let key = write.provider_keys().update(id, change).await?.ok_or_else(Problem::not_found)?;
    Answer::done(write, 200, &convert::provider_key(key)).await
}
