//! Somebody who sends requests: a set of headers and the server that they go to.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, header};
use domain::EndUserId;
use serde_json::Value;

use super::{Reply, World};

/// A caller. Cheap to clone and to vary.
#[derive(Clone)]
pub(crate) struct Actor<'w> {
    world: &'w World,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl<'w> Actor<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, headers: Vec::new() }
    }

    /// The same caller before another server.
    pub(crate) fn on<'o>(&self, world: &'o World) -> Actor<'o> {
        Actor { world, headers: self.headers.clone() }
    }

    /// The same caller with one more header; a name given before is then sent twice.
    pub(crate) fn with(&self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let mut actor = self.clone();
        actor.headers.push((name.parse().unwrap(), HeaderValue::from_bytes(value.as_ref()).unwrap()));
        actor
    }

    /// The same caller without a header.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut actor = self.clone();
        actor.headers.retain(|(known, _)| known != name);
        actor
    }

    /// The same caller with another value of a header.
    pub(crate) fn instead(&self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).with(name, value)
    }

    pub(crate) fn with_key(&self, secret: &str) -> Self {
        self.with("authorization", format!("Bearer {secret}"))
    }

    pub(crate) fn with_cookie(&self, token: &str) -> Self {
        self.with("cookie", format!("appstrate_session={token}"))
    }

    /// The same caller on behalf of an end-user.
    pub(crate) fn as_user(&self, end_user: EndUserId) -> Self {
        self.with("appstrate-user", end_user.to_string())
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        match body {
            Some(body) => self.with_type("application/json").send_bytes(method, path, body.to_string()).await,
            None => self.send_bytes(method, path, Body::empty()).await,
        }
    }

    /// The same caller, whose bodies are of this type if they say no other.
    fn with_type(&self, media_type: &str) -> Self {
        if self.headers.iter().any(|(name, _)| name == header::CONTENT_TYPE) { self.clone() } else { self.with("content-type", media_type) }
    }

    pub(crate) async fn send_bytes(&self, method: Method, path: &str, body: impl Into<Body>) -> Reply {
        self.world.send(self.request(method, path, body)).await
    }

    pub(super) fn world(&self) -> &'w World {
        self.world
    }

    pub(super) fn request(&self, method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        request
    }
}
