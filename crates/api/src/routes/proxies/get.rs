use axum::extract::State;
use domain::ProxyRef;
use wire::api::proxy::Proxy;

use super::default;
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads a proxy.
#[utoipa::path(
    get,
    path = "/api/proxies/{id}",
    operation_id = "getProxy",
    tag = "Proxies",
    description = "A proxy of the organization, or one that is built into the server. Its password is never shown.",
    params(("id" = ProxyRef, Path, description = "The proxy.")),
    responses((status = 200, description = "The proxy.", body = Proxy))
)]
pub(super) async fn get_proxy(
    can: Can<perm::ProxiesRead>,
    State(app): State<App>,
    IdPath(proxy): IdPath<ProxyRef>,
) -> Result<Answer, Problem> {
    let read = can.read_org().await?;
    let default = default(&read, &app).await?;
    let object = match &proxy {
        ProxyRef::Own(id) => {
            let row = read.proxies().get(*id).await?.ok_or_else(Problem::not_found)?;
            convert::proxy(row, default.as_ref() == Some(&proxy))
        }
        ProxyRef::BuiltIn(name) => {
            convert::built_in_proxy(app.outbound.proxies().get(name).ok_or_else(Problem::not_found)?, default.as_ref())
        }
    };
    Answer::object(&object)
}
