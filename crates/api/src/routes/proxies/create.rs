use axum::extract::State;
use connect::proxies;
use domain::ProxyId;
use serde_json::json;
use store::{Audit, DataKeyOwner, NewProxy};
use wire::api::proxy::{CreateProxy, Proxy};

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for CreateProxy {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/label", &self.label, 1..=100);
        violations
    }
}

/// Adds a proxy.
#[utoipa::path(
    post,
    path = "/api/proxies",
    operation_id = "createProxy",
    tag = "Proxies",
    description = "Stores an outbound proxy of the organization; its address is kept sealed. Addresses of inner networks are refused unless the server's \
                   operator has excepted them. Provider calls and the agents' own HTTP of the runs that choose it go out through it, model calls never do.",
    request_body = CreateProxy,
    responses((status = 201, description = "The proxy, without its password.", body = Proxy))
)]
pub(super) async fn create_proxy(
    can: Can<perm::ProxiesWrite>,
    State(app): State<App>,
    Json(body): Json<CreateProxy>,
) -> Result<Answer, Problem> {
    let shown = app.outbound.check_proxy(&body.url)?;
    let id = ProxyId::new(app.ids());
    let row = proxies::row(id);
    let owner = DataKeyOwner::organization(&can.scope);
    let sealed = app.vault.seal(&owner, proxies::place(&row), body.url.expose().as_bytes()).await?;
    let write = can.write_org().await?;
    write.audit(Audit::detail(json!({ "label": body.label, "address": shown })));
    let new = NewProxy { id, label: body.label, shown, sealed, created_by: can.user };
    let proxy = write.proxies().create(new).await?;
    // A new proxy is nobody's choice yet.
    Answer::created(write, &convert::proxy(proxy, false), format!("/api/proxies/{id}")).await
}
