//! Which connection serves each provider that the agent declares.
//!
//! The caller's own connection comes first (end-user's or member's), then the application's. None: an obstacle.

use afps::manifest::{AuthMode, Definition};
use url::Url;
use wire::run_spec::ProviderSpec;

use super::load::{Connected, Loaded, Package};
use super::obstacle::Obstacle;

/// The provider specs of the run, in the order of the manifest.
pub(super) fn resolve(loaded: &Loaded, obstacles: &mut Vec<Obstacle>) -> Vec<ProviderSpec> {
    let mut specs = Vec::new();
    for name in loaded.agent.manifest.dependencies().providers.keys() {
        // A provider that is not there at all is reported by the loading.
        let Some(package) = loaded.dependency(name) else { continue };
        match loaded.connections.get(name) {
            None => obstacles.push(Obstacle::new(
                "",
                "provider_not_connected",
                format!("no connection to {name}; connect it with POST /api/connections/connect/{name}/…"),
            )),
            Some(connected) if connected.needs_reconnection => {
                obstacles.push(Obstacle::new(
                    "",
                    "needs_reconnection",
                    format!("the connection to {name} was revoked by the provider; connect it again"),
                ));
            }
            Some(connected) => specs.push(spec(package, connected)),
        }
    }
    specs
}

fn spec(package: &Package, connected: &Connected) -> ProviderSpec {
    let provider = package.manifest.provider().expect("a dependency under `providers` is a provider: checked when it was locked");
    let definition = &provider.definition;
    ProviderSpec {
        id: package.manifest.name().clone(),
        display_name: package.manifest.display_name().to_owned(),
        connection: connected.id,
        auth_mode: definition.auth_mode.as_str().to_owned(),
        authorized_uris: definition.authorized_uris.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
        allow_all_uris: definition.allow_all_uris,
        header_name: definition.credential_header_name.clone(),
        header_prefix: definition.credential_header_name.as_ref().map(|_| definition.header_prefix()),
        header_field: definition.header_field().map(str::to_owned),
        template_fields: template_fields(definition, connected),
        own_origin: connected.own_origin.clone(),
    }
}

/// Every stored field except the refresh token, which never leaves the vault for a run's requests.
fn template_fields(definition: &Definition, connected: &Connected) -> Vec<String> {
    let declared = definition.credential_fields();
    let oauth = matches!(definition.auth_mode, AuthMode::Oauth1 | AuthMode::Oauth2);
    connected
        .fields
        .iter()
        .filter(|field| *field != "refresh_token" && (declared.contains(&field.as_str()) || (oauth && *field == "access_token")))
        .cloned()
        .collect()
}

/// The origin that a connection itself names, in a field such as `base_url` or `instance_url`.
pub(crate) fn own_origin<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Url> {
    const NAMES: [&str; 5] = ["base_url", "instance_url", "site_url", "url", "webhook_url"];
    fields.into_iter().filter(|(name, _)| NAMES.contains(name)).find_map(|(_, value)| {
        let mut url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())?;
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(url)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_neither_path_nor_credentials() {
        let origin =
            own_origin([("api_key", "https://x.example"), ("base_url", "https://u:p@shop.example:8443/wp-json?x=1#y")]).expect("found");
        assert_eq!(origin.as_str(), "https://shop.example:8443/");
        assert_eq!(own_origin([("base_url", "file:///etc/passwd")]), None);
    }
}
