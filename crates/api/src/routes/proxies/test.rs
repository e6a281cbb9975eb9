use axum::extract::State;
use connect::proxies;
use domain::{ProxyRef, Secret};
use store::DataKeyOwner;
use wire::api::probe::TestResult;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;
use crate::routes::tested::tested;

/// Tests a proxy.
#[utoipa::path(
    post,
    path = "/api/proxies/{id}/test",
    operation_id = "testProxy",
    tag = "Proxies",
    description = "Calls a public address through the proxy, for ten seconds at most, and says what came of it. A failed test is an answer, not an error.",
    params(("id" = ProxyRef, Path, description = "The proxy.")),
    responses((status = 200, description = "The outcome.", body = TestResult))
)]
pub(super) async fn test_proxy(
    can: Can<perm::ProxiesWrite>,
    State(app): State<App>,
    IdPath(proxy): IdPath<ProxyRef>,
) -> Result<Answer, Problem> {
    let url = match &proxy {
        ProxyRef::Own(id) => {
            let sealed = can.read_org().await?.proxies().sealed(*id).await?.ok_or_else(Problem::not_found)?;
            let row = proxies::row(*id);
            let opened = app.vault.unseal(&DataKeyOwner::organization(&can.scope), proxies::place(&row), &sealed).await?;
            Secret::from(std::str::from_utf8(opened.expose()).map_err(|error| Problem::internal(&error))?)
        }
        ProxyRef::BuiltIn(name) => app.outbound.proxies().get(name).ok_or_else(Problem::not_found)?.url.clone(),
    };
    tested(&can, app.outbound.test_proxy(&url)).await
}
