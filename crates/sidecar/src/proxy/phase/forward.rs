//! Phase 5: the exchange, hop by hop. Each hop is judged anew; credentials stay with the origin of the first.

use domain::{Clock, Timestamp};
use http::HeaderMap;
use net::redirect::{Hop, Hops, Outgoing, follow};
use net::{Client, Purpose, Response, Timeouts};
use url::Url;

use super::{inject, resolve, uri_policy};
use crate::limits;
use crate::proxy::context::Prepared;
use crate::proxy::provider::Provider;
use crate::proxy::refusal::Refusal;

/// Sends the request, follows redirects, returns the last response.
pub async fn run(client: &Client, clock: &dyn Clock, provider: &Provider, prepared: Prepared) -> Result<Response, Refusal> {
    let Prepared { method, url, headers, body, .. } = &prepared;
    let timeouts = Timeouts { response: Some(limits::RESPONSE_TIME), idle: Some(limits::IDLE_TIME) };
    let outgoing = Outgoing { method: method.clone(), url: url.clone(), headers: headers.clone(), body: body.clone(), timeouts };
    let mut rules = Rules { client, clock, provider, prepared: &prepared };
    let (_, response) = follow(client, Purpose::Providers, outgoing, &mut rules).await?;
    Ok(response)
}

struct Rules<'a> {
    client: &'a Client,
    clock: &'a dyn Clock,
    provider: &'a Provider,
    prepared: &'a Prepared,
}

impl Rules<'_> {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Hops for Rules<'_> {
    type Error = Refusal;

    fn before(&mut self, hop: Hop, request: &Outgoing, headers: &mut HeaderMap) -> Result<(), Refusal> {
        uri_policy::run(self.provider, &request.url)?;
        resolve::run(self.client, &request.url)?;
        let carries = hop.same_origin && self.provider.may_carry(&request.url);
        if carries {
            inject::authorize(self.provider, headers)?;
        } else if hop.number > 0 {
            if self.prepared.body_has_credentials && !request.body.is_empty() {
                return Err(Refusal::RedirectWithCredentials);
            }
            for name in &self.prepared.slotted {
                headers.remove(name);
            }
            // The caller may have put a value of its own under the provider's name.
            if let Some(injection) = self.provider.injection()? {
                headers.remove(&injection.name);
            }
        }
        self.provider.jar.lock().expect("no panic while held").apply(&request.url, headers, self.clock.now());
        Ok(())
    }

    fn after(&mut self, url: &Url, response: &Response) {
        self.provider.jar.lock().expect("no panic while held").store(url, &response.headers, self.now());
    }
}
