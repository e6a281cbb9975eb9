//! Which outbound proxy carries the run: the request's, else the application's override, else the organization's default, else the
//! operator's default, else none.
//!
//! A proxy that was chosen and is not there, or is disabled, is an error, never a silent step to another way out.

use connect::SystemProxies;
use domain::{ProxyChoice, ProxyRef};
use store::{AppScope, Read, StoreError};
use wire::run_spec::ProxySpec;

use super::obstacle::Obstacle;

/// What the choice has led to.
pub(super) enum ProxySource {
    /// Nobody has chosen a proxy, or somebody has chosen none.
    Direct,
    Found {
        proxy: ProxySpec,
        enabled: bool,
    },
    /// One was named and is not there.
    Missing,
}

/// Follows the choices to a proxy.
pub(super) async fn find(
    read: &Read<AppScope>,
    system: &SystemProxies,
    requested: Option<&ProxyChoice>,
    installed: Option<ProxyChoice>,
) -> Result<ProxySource, StoreError> {
    let choice = match requested.cloned().or(installed) {
        Some(choice) => Some(choice),
        None => read.proxies().default().await?,
    };
    let found = |id: ProxyRef, label: &str, enabled: bool| ProxySource::Found { proxy: ProxySpec { id, label: label.to_owned() }, enabled };
    let built_in = |proxy: &connect::proxies::SystemProxy| found(ProxyRef::BuiltIn(proxy.id.clone()), &proxy.label, proxy.enabled);
    Ok(match choice {
        None => system.default_proxy().map_or(ProxySource::Direct, built_in),
        Some(ProxyChoice::Direct) => ProxySource::Direct,
        Some(ProxyChoice::Through(ProxyRef::BuiltIn(name))) => system.get(&name).map_or(ProxySource::Missing, built_in),
        Some(ProxyChoice::Through(ProxyRef::Own(id))) => {
            let proxy = read.proxies().get(id).await?;
            proxy.map_or(ProxySource::Missing, |proxy| found(ProxyRef::Own(id), &proxy.label, proxy.enabled))
        }
    })
}

/// The chosen proxy; `None` is a direct connection, or an obstacle has been told.
pub(super) fn choose(source: &ProxySource, requested: Option<&ProxyChoice>, obstacles: &mut Vec<Obstacle>) -> Option<ProxySpec> {
    let pointer = if requested.is_some() { "/proxyId" } else { "" };
    match source {
        ProxySource::Direct => None,
        ProxySource::Found { proxy, enabled: true } => Some(proxy.clone()),
        ProxySource::Found { proxy, enabled: false } => {
            obstacles.push(Obstacle::new(pointer, "proxy_disabled", format!("the proxy \"{}\" is disabled", proxy.label)));
            None
        }
        ProxySource::Missing => {
            obstacles.push(Obstacle::new(pointer, "proxy_not_found", "the named proxy does not exist"));
            None
        }
    }
}
