//! Phase 3: the address. Literals and names are judged here; what DNS says is judged by the connector, which looks the name up
//! once and connects to an address that it has checked, so no second lookup can answer differently.

use net::{Client, Purpose};
use url::Url;

use crate::proxy::refusal::Refusal;

/// Refuses addresses of inner networks before any credential is touched.
pub fn run(client: &Client, url: &Url) -> Result<(), Refusal> {
    client.vet(Purpose::Providers, url).map_err(|refusal| Refusal::Net(refusal.into()))
}
