//! A plain HTTP client: what a customer's backend would send.

use anyhow::{Context as _, bail};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// A plain client for loopback.
#[expect(clippy::disallowed_methods, reason = "the demo is a client of the server, outside the product")]
pub fn http() -> reqwest::Client {
    reqwest::Client::builder().build().expect("a client without TLS roots builds")
}

/// Calls the API with fixed headers.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base_url: String,
    headers: Vec<(String, String)>,
}

impl Api {
    pub fn new(base_url: &str) -> Self {
        Self { http: http(), base_url: base_url.to_owned(), headers: Vec::new() }
    }

    /// The same, with one more header on every call.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.push((name.to_owned(), value.to_owned()));
        api
    }

    /// The same caller on another server.
    #[must_use]
    pub fn at(&self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self.clone() }
    }

    /// What every call sends under this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base_url));
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        answer(path, self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        answer(path, self.request(Method::POST, path).header("content-type", "application/json").body(body.to_string())).await
    }

    /// Status and JSON, whatever they are. A body that is not JSON comes as text.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, Value)> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let response = request.send().await.with_context(|| format!("could not call {path}"))?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Ok((status, value))
    }

    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        answer(path, self.request(Method::PUT, path).header("content-type", "application/json").body(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        answer(path, self.request(Method::DELETE, path)).await
    }
}

/// The JSON of a successful answer.
pub async fn answer(what: &str, request: RequestBuilder) -> anyhow::Result<Value> {
    let response = request.send().await.with_context(|| format!("could not call {what}"))?;
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{what} answered {status}: {text}");
    }
    if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
}
