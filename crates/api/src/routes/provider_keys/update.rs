use axum::extract::State;
use connect::outbound::is_same_origin;
use domain::{Code, ProviderKeyId};
use serde_json::{Value, json};
use store::{Audit, DataKeyOwner, OrgScope, ProviderKeyChange, Write};
use wire::api::model::{ProviderKey, UpdateProviderKey};
use wire::run_spec::ModelProtocol;

use super::{check_secret, place};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::given::given;
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
    description = "Missing members stay. A new secret takes the place of the old one for every run that starts from now on. A `baseUrl` of another origin \
                   (scheme, host, port) needs a new `apiKey`, because a secret is sent only where it was stored for, and is refused while a model calls the \
                   old one with this key.",
    params(("id" = ProviderKeyId, Path, description = "The key.")),
    request_body = UpdateProviderKey,
    responses(
        (status = 200, description = "The key after the change, without its secret.", body = ProviderKey),
        (status = 409, description = "A model uses the key at another origin.")
    )
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
    let before = write.provider_keys().get_to_change(id).await?.ok_or_else(Problem::not_found)?;
    if let Some(url) = body.base_url.as_deref().filter(|url| !is_same_origin(&before.base_url, url)) {
        if sealed.is_none() {
            let message = "must be given with a `baseUrl` of another origin: the stored secret is sent only where it was stored for";
            return Err(Problem::invalid("/apiKey", "required", message));
        }
        require_no_model_elsewhere(&write, id, url).await?;
    }
    write.audit(Audit::detail(changed(&body)));
    let change = ProviderKeyChange {
        label: body.label,
        protocol: body.api.map(|api| ModelProtocol::parse(&api).expect("checked with the body")),
        base_url: body.base_url,
        sealed,
    };
    let key = write.provider_keys().update(id, change).await?.ok_or_else(Problem::not_found)?;
    Answer::done(write, 200, &convert::provider_key(key)).await
}

/// Refuses to move a key away from its models: each would stop working without a word.
async fn require_no_model_elsewhere(write: &Write<OrgScope>, id: ProviderKeyId, base_url: &str) -> Result<(), Problem> {
    let users = write.models().of_key(id).await?;
    let Some(model) = users.into_iter().find(|model| !is_same_origin(&model.base_url, base_url)) else { return Ok(()) };
    let detail =
        format!("The model `{}` uses this key at another origin. Give it another key or none, or store the new one beside this.", model.id);
    Err(Problem::new(Code::ModelInUse, detail))
}

/// The members that change, and where the key goes from then on. Of the secret only that it is another.
fn changed(body: &UpdateProviderKey) -> Value {
    let fields = given([("label", body.label.is_some()), ("api", body.api.is_some()), ("baseUrl", body.base_url.is_some())]);
    let mut detail = json!({ "fields": fields, "secretReplaced": body.api_key.is_some() });
    if let Some(url) = &body.base_url {
        detail["baseUrl"] = json!(url);
    }
    detail
}
