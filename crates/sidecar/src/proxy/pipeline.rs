//! One provider request through the phases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Clock;
use http::Method;
use net::Client;

use super::context::{ProviderRequest, ProviderResponse};
use super::phase::{forward, inject, match_provider, record, redact, resolve, uri_policy};
use super::provider::{Catalog, Provider};
use super::refusal::Refusal;
use super::template;
use crate::limits;
use crate::recorder::Recorder;

/// The credential proxy of one run. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Proxy {
    parts: Arc<ProxyParts>,
    calls: Arc<AtomicU64>,
}

/// What a proxy works with.
#[derive(Debug)]
pub struct ProxyParts {
    pub catalog: Arc<Catalog>,
    pub client: Client,
    pub recorder: Recorder,
    pub clock: Arc<dyn Clock>,
}

impl Proxy {
    pub fn new(parts: ProxyParts) -> Self {
        Self { parts: Arc::new(parts), calls: Arc::default() }
    }

    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    /// Carries out one request. The response streams; its event is written when its body has been read or dropped.
    pub async fn call(&self, request: ProviderRequest) -> Result<ProviderResponse, Refusal> {
        let provider = match_provider::run(&self.parts.catalog, &request.provider)?;
        let slot = self.parts.recorder.slot().await;
        let id = provider.spec.id.clone();
        let mut trace = record::Trace::begin(slot, Arc::clone(&self.parts.clock), id, request.method.to_string());
        match self.exchange(&provider, request, &mut trace).await {
            Ok(response) => Ok(record::run(trace, response)),
            Err(refusal) => {
                trace.refused(&refusal);
                Err(refusal)
            }
        }
    }

    async fn exchange(
        &self,
        provider: &Provider,
        request: ProviderRequest,
        trace: &mut record::Trace,
    ) -> Result<ProviderResponse, Refusal> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= limits::PROVIDER_CALLS {
            return Err(Refusal::TooManyCalls { limit: limits::PROVIDER_CALLS });
        }
        // TRACE answers with the request itself (RFC 9110 §9.3.8), credentials included; CONNECT is a tunnel past every phase.
        if matches!(request.method, Method::TRACE | Method::CONNECT) {
            return Err(Refusal::Method { method: request.method });
        }
        if request.body.len() > limits::REQUEST_BODY {
            return Err(Refusal::BodyTooLarge { limit: limits::REQUEST_BODY });
        }
        let target = template::target(provider, &request.target)?;
        trace.target(target.url.host_str().unwrap_or_default(), target.shown_path.clone());
        uri_policy::run(provider, &target.url)?;
        resolve::run(&self.parts.client, &target.url)?;
        let prepared = inject::run(provider, request, target)?;
        trace.sent(prepared.body.len());
        let response = forward::run(&self.parts.client, self.parts.clock.as_ref(), provider, prepared).await?;
        redact::run(&provider.masker, response)
    }
}
