use axum::extract::State;
use connect::proxies;
use domain::ProxyRef;
use serde_json::json;
use store::{Audit, DataKeyOwner, ProxyAddress, ProxyChange};
use wire::api::proxy::{Proxy, UpdateProxy};

use super::{default, own};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::given::given;
use crate::rules;

impl rules::Checked for UpdateProxy {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/label", self.label.as_deref(), 100);
        violations
    }
}

/// Changes a proxy.
#[utoipa::path(
    patch,
    path = "/api/proxies/{id}",
    operation_id = "updateProxy",
    tag = "Proxies",
    description = "Missing members stay. Runs that were accepted before go through the new address when they start; runs that name a disabled proxy are refused.",
    params(("id" = ProxyRef, Path, description = "The proxy.")),
    request_body = UpdateProxy,
    responses((status = 200, description = "The proxy after the change.", body = Proxy))
)]
pub(super) async fn update_proxy(
    can: Can<perm::ProxiesWrite>,
    State(app): State<App>,
    IdPath(proxy): IdPath<ProxyRef>,
    Json(body): Json<UpdateProxy>,
) -> Result<Answer, Problem> {
    let id = own(&proxy, &app)?;
    // A proxy that is not there is told before an address that cannot be one.
    can.read_org().await?.proxies().get(id).await?.ok_or_else(Problem::not_found)?;
    let address = match &body.url {
        Some(url) => {
            let shown = app.outbound.check_proxy(url)?;
            let row = proxies::row(id);
            let owner = DataKeyOwner::organization(&can.scope);
            Some(ProxyAddress { shown, sealed: app.vault.seal(&owner, proxies::place(&row), url.expose().as_bytes()).await? })
        }
        None => None,
    };
    let write = can.write_org().await?;
    let fields = given([("label", body.label.is_some()), ("url", body.url.is_some()), ("enabled", body.enabled.is_some())]);
    let shown = address.as_ref().map(|address| &address.shown);
    write.audit(Audit::detail(json!({ "fields": fields, "address": shown, "enabled": body.enabled })));
    let change = ProxyChange { label: body.label, address, enabled: body.enabled };
    let row = write.proxies().update(id, change).await?.ok_or_else(Problem::not_found)?;
    let is_default = default(&write, &app).await? == Some(proxy);
    Answer::done(write, 200, &convert::proxy(row, is_default)).await
}
