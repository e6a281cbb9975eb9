use axum::extract::State;
use domain::ProxyRef;
use store::Paged;
use wire::api::list::List;
use wire::api::proxy::Proxy;

use super::default;
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists proxies.
#[utoipa::path(
    get,
    path = "/api/proxies",
    operation_id = "listProxies",
    tag = "Proxies",
    description = "The proxies of the organization, newest first, and then those that are built into the server. Passwords are never shown.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of proxies.", body = List<Proxy>))
)]
pub(super) async fn list_proxies(can: Can<perm::ProxiesRead>, State(app): State<App>, paging: Paging) -> Result<Answer, Problem> {
    let read = can.read_org().await?;
    let default = default(&read, &app).await?;
    let own = read.proxies().list(paging.into()).await?;
    let built_in = app.outbound.proxies().all();
    // They follow the last of its own; those that came on earlier pages are skipped.
    let shown_before = (paging.page - 1).saturating_mul(paging.page_size).saturating_sub(own.total);
    let room = usize::try_from(paging.page_size).unwrap_or(usize::MAX).saturating_sub(own.items.len());
    let following = built_in.iter().skip(usize::try_from(shown_before).unwrap_or(usize::MAX)).take(room);
    let total = own.total + built_in.len() as u64;
    let mut items: Vec<Proxy> = Vec::with_capacity(own.items.len());
    for proxy in own.items {
        let is_default = default == Some(ProxyRef::Own(proxy.id));
        items.push(convert::proxy(proxy, is_default));
    }
    items.extend(following.map(|proxy| convert::built_in_proxy(proxy, default.as_ref())));
    Answer::list(Paged { items, total }, paging)
}
