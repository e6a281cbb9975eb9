use axum::extract::State;
use connect::proxies;
use domain::ProxyRef;
use store::{DataKeyOwner, ProxyAddress, ProxyChange};
use wire::api::proxy::{Proxy, UpdateProxy};

use super::{default, own};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
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
    let change = ProxyChange { label: body.label, address, enabled: body.enabled };
    let row = write.proxies().update(id, change).await?.ok_or_else(Problem::not_found)?;
    let is_default = default(&write, &app).await? == Some(proxy);
    Answer::done(write, 200, &convert::proxy(row, is_default)).await
}
