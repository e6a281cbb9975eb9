use axum::extract::State;
use domain::{Code, ProxyRef};
use store::StoreError;

use super::own;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes a proxy.
#[utoipa::path(
    delete,
    path = "/api/proxies/{id}",
    operation_id = "deleteProxy",
    tag = "Proxies",
    description = "Forgets the proxy. Refused while it is the organization's default or an application names it for an agent, because runs would then leave \
                   from another address without a word.",
    params(("id" = ProxyRef, Path, description = "The proxy.")),
    responses((status = 204, description = "The proxy is gone."), (status = 409, description = "The proxy is in use."))
)]
pub(super) async fn delete_proxy(
    can: Can<perm::ProxiesDelete>,
    State(app): State<App>,
    IdPath(proxy): IdPath<ProxyRef>,
) -> Result<Answer, Problem> {
    let id = own(&proxy, &app)?;
    let write = can.write_org().await?;
    let deleted = write.proxies().delete(id).await.map_err(|error| match error {
        StoreError::InUse => {
            Problem::new(Code::ProxyInUse, "The proxy is the organization's default, or an application names it for an agent.")
        }
        other => other.into(),
    })?;
    if !deleted {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
