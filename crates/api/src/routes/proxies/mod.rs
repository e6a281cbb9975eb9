//! Outbound proxies: an organization's own, and the operator's, which can be used and not changed.

mod create;
mod delete;
mod get;
mod list;
mod set_default;
mod test;
mod update;

use domain::{Code, ProxyChoice, ProxyId, ProxyRef};
use store::{InOrg, Mode, Unit};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::Problem;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_proxy))
        .routes(route!(list::list_proxies))
        .routes(route!(get::get_proxy))
        .routes(route!(update::update_proxy))
        .routes(route!(delete::delete_proxy))
        .routes(route!(set_default::set_default_proxy))
        .routes(route!(test::test_proxy))
}

/// The proxy that runs go through when nobody chooses; `None`: they go out directly.
async fn default<S: InOrg, M: Mode>(unit: &Unit<S, M>, app: &App) -> Result<Option<ProxyRef>, Problem> {
    Ok(match unit.proxies().default().await? {
        Some(choice) => choice.proxy().cloned(),
        None => app.outbound.proxies().default_proxy().map(|proxy| ProxyRef::BuiltIn(proxy.id.clone())),
    })
}

/// Refuses a choice that leads nowhere, with the member of the body that holds it. A foreign id reads like one of nothing.
pub(crate) async fn require<S: InOrg, M: Mode>(unit: &Unit<S, M>, app: &App, choice: &ProxyChoice, pointer: &str) -> Result<(), Problem> {
    let is_there = match choice.proxy() {
        None => true,
        Some(ProxyRef::Own(id)) => unit.proxies().get(*id).await?.is_some(),
        Some(ProxyRef::BuiltIn(name)) => app.outbound.proxies().get(name).is_some(),
    };
    if is_there { Ok(()) } else { Err(Problem::invalid(pointer, "not_found", "no such proxy")) }
}

/// The id of a proxy that can be changed.
fn own(proxy: &ProxyRef, app: &App) -> Result<ProxyId, Problem> {
    match proxy {
        ProxyRef::Own(id) => Ok(*id),
        ProxyRef::BuiltIn(name) if app.outbound.proxies().get(name).is_some() => {
            Err(Problem::new(Code::OperationNotAllowed, "This proxy is built into the server; its operator changes it."))
        }
        ProxyRef::BuiltIn(_) => Err(Problem::not_found()),
    }
}
