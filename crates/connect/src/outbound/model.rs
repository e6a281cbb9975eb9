//! Whether a model answers: one short request in its protocol, streamed, of which only the beginning is waited for.

use domain::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use net::{Client, Purpose, Request, Response, Timeouts};
use serde_json::{Value, json};
use url::Url;
use wire::api::probe::TestError;
use wire::run_spec::ModelProtocol;

use super::origin::is_same_origin;
use super::outcome::TestFailure;

/// Enough of a refusal to quote it.
const QUOTED_BODY: usize = 64 * 1024;
const QUOTED_TEXT: usize = 300;
/// The least that all protocols accept.
const OUTPUT_TOKENS: u64 = 16;

/// A model to be tried.
#[derive(Clone, Debug)]
pub struct ModelTest {
    pub protocol: ModelProtocol,
    /// Up to the version segment.
    pub base_url: Url,
    /// The vendor's name of it.
    pub model: String,
    /// `None`: a server that wants no key.
    pub key: Option<VendorKey>,
}

/// A vendor's key, with the address that it was stored for.
#[derive(Clone, Debug)]
pub struct VendorKey {
    pub secret: Secret,
    pub base_url: String,
}

pub(super) async fn run(client: &Client, test: &ModelTest) -> Result<(), TestFailure> {
    // Asked here as well as when a model is stored, because this is where the secret would leave.
    if test.key.as_ref().is_some_and(|key| !is_same_origin(&key.base_url, test.base_url.as_str())) {
        return Err(TestFailure::new(TestError::BlockedUrl, "the model's key is for another origin, and goes to no other"));
    }
    let request = Request::new(Method::POST, endpoint(test))
        .headers(headers(test)?)
        .body(body(test).to_string())
        .timeouts(Timeouts { response: None, idle: None });
    let response = client.send(Purpose::Models, request).await.map_err(|error| TestFailure::of_net(&error))?;
    let kind = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    // Dropped here, the stream is cut, and the vendor stops writing.
    if response.status.is_success() && (kind.is_empty() || kind.starts_with("text/event-stream")) {
        return Ok(());
    }
    let status = response.status;
    let said = said(response, test.key.as_ref().map(|key| &key.secret)).await?;
    match status {
        // A server that does not stream.
        _ if status.is_success() && said.is_answer => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(TestFailure::new(TestError::AuthFailed, format!("the key was refused with status {}: {}", status.as_u16(), said.text)))
        }
        _ => Err(TestFailure::new(TestError::ProviderError, format!("the server answered with status {}: {}", status.as_u16(), said.text))),
    }
}

/// What a response without a stream says.
struct Said {
    is_answer: bool,
    text: String,
}

async fn said(response: Response, key: Option<&Secret>) -> Result<Said, TestFailure> {
    let bytes = match response.bytes(QUOTED_BODY).await {
        Ok(bytes) => bytes,
        Err(net::Error::TooLarge { .. }) => return Ok(Said { is_answer: false, text: "a long text that is no model's answer".to_owned() }),
        Err(error) => return Err(TestFailure::of_net(&error)),
    };
    let parsed: Option<Value> = serde_json::from_slice(&bytes).ok().filter(Value::is_object);
    let error = parsed.as_ref().and_then(|body| body.get("error")).filter(|error| !error.is_null());
    let message = error.and_then(|error| error.get("message").or(Some(error))).and_then(Value::as_str);
    let mut text = message.map_or_else(|| String::from_utf8_lossy(&bytes).into_owned(), str::to_owned);
    // Before it is cut, so that no part of the key is left over.
    if let Some(key) = key.map(Secret::expose).filter(|key| !key.is_empty()) {
        text = text.replace(key.as_str(), "[redacted]");
    }
    let text = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(QUOTED_TEXT).collect();
    Ok(Said { is_answer: parsed.is_some() && error.is_none(), text })
}

/// The path of a model's protocol below its base URL, which has no query: none is accepted when a model is stored.
fn endpoint(test: &ModelTest) -> Url {
    let base = test.base_url.path().trim_end_matches('/');
    let path = match test.protocol {
        ModelProtocol::OpenAiCompletions => "chat/completions",
        ModelProtocol::OpenAiResponses => "responses",
        // With and without the version, both are in use.
        ModelProtocol::AnthropicMessages if base.ends_with("/v1") => "messages",
        ModelProtocol::AnthropicMessages => "v1/messages",
    };
    let joined = format!("{base}/{path}");
    let mut url = test.base_url.clone();
    url.set_path(&joined);
    url
}

fn headers(test: &ModelTest) -> Result<HeaderMap, TestFailure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    let is_anthropic = test.protocol == ModelProtocol::AnthropicMessages;
    if is_anthropic {
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));
    }
    if let Some(VendorKey { secret: key, .. }) = &test.key {
        let (name, value) = if is_anthropic {
            (HeaderName::from_static("x-api-key"), HeaderValue::from_str(key.expose()))
        } else {
            (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", key.expose())))
        };
        let mut value = value.map_err(|_| TestFailure::new(TestError::AuthFailed, "the key holds characters that no header can carry"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn body(test: &ModelTest) -> Value {
    let messages = json!([{ "role": "user", "content": "Answer with the one word ok." }]);
    match test.protocol {
        // Without a limit: servers disagree about its name, and the stream is cut anyway.
        ModelProtocol::OpenAiCompletions => json!({ "model": test.model, "messages": messages, "stream": true }),
        ModelProtocol::OpenAiResponses => {
            json!({ "model": test.model, "input": messages, "stream": true, "store": false, "max_output_tokens": OUTPUT_TOKENS })
        }
        ModelProtocol::AnthropicMessages => {
            json!({ "model": test.model, "messages": messages, "stream": true, "max_tokens": OUTPUT_TOKENS })
        }
    }
}
