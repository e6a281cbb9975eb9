//! Language models behind [`agent::Model`]: one adapter per wire protocol, over one exchange. See ADR-0003.
//!
//! | module | owns |
//! |---|---|
//! | [`transport`] | the trait of the HTTP client below |
//! | `exchange` | one call: post, classify, idle timeout, stream to events |
//! | `sse` | the parser of `text/event-stream` |
//! | `draft` | the message while it arrives, and its order for replay |
//! | `error` | status codes and error events → kinds of errors |
//! | `openai_completions`, `openai_responses`, `anthropic` | request bodies and event readers |

mod anthropic;
mod draft;
mod error;
mod exchange;
mod openai_completions;
mod openai_responses;
mod sse;
pub mod transport;

use std::sync::Arc;
use std::time::Duration;

use agent::{DeltaSink, Model, ModelError, Timer, Turn, TurnRequest};
use async_trait::async_trait;
use domain::Secret;
use wire::run_spec::{ModelProtocol, ModelSpec};

use self::exchange::{Call, Reader};
use self::transport::Transport;

/// A stream that stays silent for so long is given up.
const IDLE_TIMEOUT: Duration = Duration::from_mins(2);

/// Builds the client of a run's model. `key` is `None` for a server that wants none.
pub fn client(spec: &ModelSpec, key: Option<Secret>, transport: Arc<dyn Transport>, timer: Arc<dyn Timer>) -> Box<dyn Model> {
    Box::new(Client { spec: spec.clone(), key, transport, timer })
}

struct Client {
    spec: ModelSpec,
    key: Option<Secret>,
    transport: Arc<dyn Transport>,
    timer: Arc<dyn Timer>,
}

#[async_trait]
impl Model for Client {
    async fn turn(&self, request: &TurnRequest<'_>, deltas: &dyn DeltaSink) -> Result<Turn, ModelError> {
        let (call, mut reader) = self.prepare(request)?;
        let exchange =
            exchange::Exchange { transport: &*self.transport, timer: &*self.timer, idle_timeout: IDLE_TIMEOUT, key: self.key.as_ref() };
        exchange.run(call, &mut *reader, deltas).await
    }
}

impl Client {
    fn prepare(&self, request: &TurnRequest<'_>) -> Result<(Call, Box<dyn Reader>), ModelError> {
        let key = self.key.as_ref();
        let call = |path: &str, headers, body| Call { url: under(&self.spec.base_url, path), headers, body };
        Ok(match self.spec.protocol {
            ModelProtocol::OpenAiCompletions => {
                let body = openai_completions::request::body(&self.spec, request);
                (call("chat/completions", exchange::bearer(key)?, body), Box::new(openai_completions::reader::ChunkReader::default()))
            }
            ModelProtocol::OpenAiResponses => {
                let body = openai_responses::request::body(&self.spec, request);
                (call("responses", exchange::bearer(key)?, body), Box::new(openai_responses::reader::ItemReader::default()))
            }
            ModelProtocol::AnthropicMessages => {
                let body = anthropic::request::body(&self.spec, request);
                // Both `https://api.anthropic.com` and `https://api.anthropic.com/v1` are in use as base URLs.
                let has_version = self.spec.base_url.path().trim_end_matches('/').ends_with("/v1");
                let path = if has_version { "messages" } else { "v1/messages" };
                (call(path, anthropic::request::headers(key)?, body), Box::new(anthropic::reader::BlockReader::default()))
            }
        })
    }
}

/// Appends a path to a base URL, whose query (Azure's `api-version`) stays.
fn under(base: &url::Url, path: &str) -> url::Url {
    let mut url = base.clone();
    let joined = format!("{}/{path}", base.path().trim_end_matches('/'));
    url.set_path(&joined);
    url
}

#[cfg(test)]
mod tests;
