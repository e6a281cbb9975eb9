//! A small company's API on loopback: what an agent calls as a provider, with a key that the agent never sees.

#![expect(clippy::disallowed_types, reason = "another's API, whose refusals are its own")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running customer API. Stops when dropped.
#[derive(Debug)]
pub struct CustomerApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// The key of each customer; another key sees nothing.
    keys: Vec<String>,
    received: Mutex<Vec<(String, HeaderMap)>>,
}

impl Drop for CustomerApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl CustomerApi {
    /// Listens on a free port of 127.0.0.1 and knows these keys, one for each customer.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(keys: impl IntoIterator<Item = String>) -> Self {
        Self::start_on(0, keys).await.expect("a port is free")
    }

    /// The same on this port.
    pub async fn start_on(port: u16, keys: impl IntoIterator<Item = String>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { keys: keys.into_iter().collect(), received: Mutex::default() });
        let routes = Router::new()
            .route("/orders/{id}", get(order))
            .route("/refunds", post(refund))
            .route("/reflect", any(reflect))
            .route("/reflect/{*rest}", any(reflect))
            .route("/redirect", any(redirect))
            .route("/catalog/{id}", get(catalog))
            .with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the customer API stopped");
            }
        });
        Ok(Self { address, shared, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far: path and headers.
    pub fn received(&self) -> Vec<(String, HeaderMap)> {
        self.shared.received.lock().expect("no panic while held").clone()
    }
}

impl Shared {
    /// Which customer the key belongs to.
    fn customer(&self, path: &str, headers: &HeaderMap) -> Result<usize, Box<Response>> {
        self.received.lock().expect("no panic while held").push((path.to_owned(), headers.clone()));
        let given = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        let known = given.and_then(|key| self.keys.iter().position(|known| known == key));
        known.ok_or_else(|| Box::new((StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response()))
    }
}

async fn order(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match shared.customer(&format!("/orders/{id}"), &headers) {
        Ok(customer) => Json(json!({ "id": id, "customer": customer, "item": "Analytical Engine, brass", "amount": 129.5, "currency": "EUR", "status": "delivered" })).into_response(),
        Err(refusal) => *refusal,
    }
}

/// Open to everyone: what a tool reads without a connection.
async fn catalog(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    shared.received.lock().expect("no panic while held").push((format!("/catalog/{id}"), headers));
    Json(json!({ "id": id, "item": "Analytical Engine, brass", "price": 129.5 })).into_response()
}

async fn refund(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    match shared.customer("/refunds", &headers) {
        Ok(_) => (StatusCode::CREATED, Json(json!({ "id": "re_1001", "order": body["order"], "status": "accepted" }))).into_response(),
        Err(refusal) => *refusal,
    }
}

/// A badly made endpoint: it answers with the headers it was sent, the credential among them, in its body and in headers.
async fn reflect(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = shared.customer("/reflect", &headers) {
        return *refusal;
    }
    let seen: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes())))).collect();
    let credential = headers["authorization"].clone();
    let mut response = Json(Value::Object(seen)).into_response();
    for name in ["x-reflected", "etag", "set-cookie"] {
        response.headers_mut().insert(name, credential.clone());
    }
    response
}

/// Another: it leads to an address that holds the credential.
async fn redirect(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = shared.customer("/redirect", &headers) {
        return *refusal;
    }
    let credential = headers["authorization"].to_str().unwrap_or_default().trim_start_matches("Bearer ").replace('%', "%25");
    (StatusCode::FOUND, [("location", format!("/reflect/{credential}?key={credential}"))]).into_response()
}
