//! Phase 2: whether the provider permits the URL. Runs again for every redirect.

use url::Url;

use crate::proxy::provider::Provider;
use crate::proxy::refusal::Refusal;

/// Refuses a URL that no authorized URI covers.
pub fn run(provider: &Provider, url: &Url) -> Result<(), Refusal> {
    if provider.permits(url) {
        return Ok(());
    }
    Err(Refusal::UriNotAuthorized { provider: provider.spec.id.clone(), permitted: provider.permitted() })
}
