//! Calls to a login provider: through `net`, bounded in size and time, JSON only.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method};
use net::{Client, Purpose, Request, Timeouts};
use serde::de::DeserializeOwned;
use url::Url;

use super::LoginError;

/// Discovery documents and key sets have a few kilobytes.
const MAX_BYTES: usize = 256 * 1024;
const TIMEOUTS: Timeouts = Timeouts { response: Some(Duration::from_secs(10)), idle: Some(Duration::from_secs(10)) };

/// Reads a document; `bearer` is an access token.
pub(super) async fn get<T: DeserializeOwned>(client: &Client, step: &'static str, url: Url, bearer: Option<&str>) -> Result<T, LoginError> {
    let mut request = Request::new(Method::GET, url);
    if let Some(bearer) = bearer {
        let value = HeaderValue::try_from(format!("Bearer {bearer}")).map_err(|error| failed(step, &error))?;
        request = request.header(AUTHORIZATION, value);
    }
    send(client, step, request).await
}

/// Sends a form.
pub(super) async fn post<T: DeserializeOwned>(
    client: &Client,
    step: &'static str,
    url: Url,
    fields: &[(&str, &str)],
) -> Result<T, LoginError> {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::new(Method::POST, url);
    let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")).body(form);
    send(client, step, request).await
}

async fn send<T: DeserializeOwned>(client: &Client, step: &'static str, request: Request) -> Result<T, LoginError> {
    let request = request.header(ACCEPT, HeaderValue::from_static("application/json")).timeouts(TIMEOUTS);
    // GitHub answers nobody without a name.
    let request = request.header(USER_AGENT, HeaderValue::from_static("appstrate"));
    let response = client.send(Purpose::Platform, request).await.map_err(|error| failed(step, &error))?;
    if !response.status.is_success() {
        return Err(failed(step, &format!("the provider answered {}", response.status)));
    }
    let bytes = response.bytes(MAX_BYTES).await.map_err(|error| failed(step, &error))?;
    // What is wrong with the document may be quoted in the error, and the document may hold a token.
    serde_json::from_slice(&bytes).map_err(|error| failed(step, &format!("unexpected document at column {}", error.column())))
}

pub(super) fn failed(step: &'static str, error: &impl ToString) -> LoginError {
    LoginError::Provider { step, message: error.to_string() }
}
