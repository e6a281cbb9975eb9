use axum::extract::State;
use serde_json::json;
use store::Audit;
use wire::api::proxy::DefaultProxy;

use super::require;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for DefaultProxy {
    fn check(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// Chooses the default proxy.
#[utoipa::path(
    put,
    path = "/api/proxies/default",
    operation_id = "setDefaultProxy",
    tag = "Proxies",
    description = "What runs go through when neither the request nor the application chooses: a proxy of the organization or of the server, `\"none\"` for a \
                   direct connection, or null for the server's own default.",
    request_body = DefaultProxy,
    responses((status = 200, description = "The choice.", body = DefaultProxy))
)]
pub(super) async fn set_default_proxy(
    can: Can<perm::ProxiesWrite>,
    State(app): State<App>,
    Json(body): Json<DefaultProxy>,
) -> Result<Answer, Problem> {
    let write = can.write_org().await?;
    let detail = json!({ "proxyId": body.proxy_id });
    write.audit(body.proxy_id.as_ref().map_or_else(|| Audit::detail(detail.clone()), |choice| Audit::about(choice, detail.clone())));
    if let Some(choice) = &body.proxy_id {
        require(&write, &app, choice, "/proxyId").await?;
    }
    write.proxies().set_default(body.proxy_id.as_ref()).await?;
    Answer::done(write, 200, &body).await
}
