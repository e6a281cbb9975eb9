//! A login provider on loopback: Google's OpenID Connect and GitHub's OAuth, as far as a login uses them, with real signatures.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use auth::social::Registration;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

const CLIENT_ID: &str = "appstrate-client";
const CLIENT_SECRET: &str = "provider-secret-1f0e";
const ACCESS_TOKEN: &str = "access-token-77aa";

/// Our registration there.
pub(super) fn registration(base: &str) -> Registration {
    Registration { client_id: CLIENT_ID.to_owned(), client_secret: CLIENT_SECRET.into(), base: base.parse().unwrap() }
}

/// What a person at the provider agrees to.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The query that the browser was sent with.
    pub(crate) asked: HashMap<String, String>,
    /// Claims of the id token, over those that are right.
    pub(crate) claims: Value,
    /// GitHub's account and its addresses.
    pub(crate) account: Value,
    pub(crate) emails: Value,
}

struct Shared {
    url: String,
    signing: Mutex<(EncodingKey, Algorithm, String)>,
    grants: Mutex<HashMap<String, Grant>>,
    now: Mutex<i64>,
    key_reads: Mutex<u32>,
    document_reads: Mutex<u32>,
    is_down: Mutex<bool>,
}

/// The provider; gone with its value.
pub(crate) struct Provider {
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn elliptic_key() -> EncodingKey {
    let random = aws_lc_rs::rand::SystemRandom::new();
    EncodingKey::from_ec_der(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap().as_ref())
}

fn rsa_key() -> EncodingKey {
    let der: Pkcs8V1Der<'_> = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

impl Provider {
    /// Starts it; `now` in seconds since 1970 is what its tokens say.
    pub(crate) async fn start(now: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            url,
            signing: Mutex::new((elliptic_key(), Algorithm::ES256, "key-1".to_owned())),
            grants: Mutex::default(),
            now: Mutex::new(now),
            key_reads: Mutex::default(),
            document_reads: Mutex::default(),
            is_down: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/login/oauth/access_token", post(github_token))
            .route("/api/v3/user", get(github_user))
            .route("/api/v3/user/emails", get(github_emails))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { shared, task }
    }

    pub(crate) fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// Signs with a new RSA key from now on, and shows no other.
    pub(crate) fn rotate_to_rsa(&self, id: &str) {
        *self.shared.signing.lock().unwrap() = (rsa_key(), Algorithm::RS256, id.to_owned());
    }

    /// Signs with the text of the public key as a shared secret, the old trick.
    pub(crate) fn sign_with_shared_secret(&self) {
        let mut signing = self.shared.signing.lock().unwrap();
        let public = serde_json::to_vec(&Jwk::from_encoding_key(&signing.0, signing.1).unwrap()).unwrap();
        *signing = (EncodingKey::from_secret(&public), Algorithm::HS256, "key-1".to_owned());
    }

    pub(crate) fn set_time(&self, now: i64) {
        *self.shared.now.lock().unwrap() = now;
    }

    pub(crate) fn key_reads(&self) -> u32 {
        *self.shared.key_reads.lock().unwrap()
    }

    pub(crate) fn document_reads(&self) -> u32 {
        *self.shared.document_reads.lock().unwrap()
    }

    /// Whether its document cannot be read from now on.
    pub(crate) fn set_down(&self, is_down: bool) {
        *self.shared.is_down.lock().unwrap() = is_down;
    }

    /// The person agrees; the code that the browser brings back.
    pub(crate) fn grant(&self, grant: Grant) -> String {
        let mut grants = self.shared.grants.lock().unwrap();
        let code = format!("code-{}", grants.len());
        grants.insert(code.clone(), grant);
        code
    }
}

async fn document(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, StatusCode> {
    *shared.document_reads.lock().unwrap() += 1;
    if *shared.is_down.lock().unwrap() {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let url = &shared.url;
    Ok(Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys")
    })))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    *shared.key_reads.lock().unwrap() += 1;
    let (key, algorithm, id) = shared.signing.lock().unwrap().clone();
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap();
    jwk["kid"] = id.into();
    // A key of a kind from the future is no reason to believe none of them.
    Json(json!({"keys": [{"kty": "PQ", "kid": "future"}, jwk]}))
}

/// The grant behind the code, if everything about the exchange is right. A code works once.
fn redeem(shared: &Shared, form: &HashMap<String, String>) -> Result<Grant, StatusCode> {
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let grant = shared.grants.lock().unwrap().remove(given("code")).ok_or(StatusCode::BAD_REQUEST)?;
    let asked = |name: &str| grant.asked.get(name).map(String::as_str).unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier").as_bytes()));
    let is_right = given("client_id") == CLIENT_ID
        && given("client_secret") == CLIENT_SECRET
        && given("redirect_uri") == asked("redirect_uri")
        && asked("code_challenge_method") == "S256"
        && challenge == asked("code_challenge");
    if is_right { Ok(grant) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn token(State(shared): State<Arc<Shared>>, Form(form): Form<HashMap<String, String>>) -> Result<Json<Value>, StatusCode> {
    let grant = redeem(&shared, &form)?;
    let now = *shared.now.lock().unwrap();
    let mut claims = json!({
        "iss": shared.url, "aud": CLIENT_ID, "sub": "1001", "iat": now, "exp": now + 3600, "nonce": grant.asked["nonce"],
        "email": "ada@example.com", "email_verified": true, "name": "Ada"
    });
    claims.as_object_mut().unwrap().extend(grant.claims.as_object().unwrap().clone());
    let (key, algorithm, id) = shared.signing.lock().unwrap().clone();
    let header = Header { kid: Some(id), ..Header::new(algorithm) };
    Ok(Json(json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": encode(&header, &claims, &key).unwrap()})))
}

async fn github_token(State(shared): State<Arc<Shared>>, Form(form): Form<HashMap<String, String>>) -> Json<Value> {
    match redeem(&shared, &form) {
        Ok(grant) => {
            shared.grants.lock().unwrap().insert(ACCESS_TOKEN.to_owned(), grant);
            Json(json!({"access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": "user:email"}))
        }
        Err(_) => Json(json!({"error": "bad_verification_code"})),
    }
}

fn granted(shared: &Shared, headers: &HeaderMap) -> Result<Grant, StatusCode> {
    let is_named = headers.get("user-agent").is_some();
    let is_ours = headers.get("authorization").is_some_and(|value| value == format!("Bearer {ACCESS_TOKEN}").as_str());
    let grant = shared.grants.lock().unwrap().get(ACCESS_TOKEN).cloned();
    grant.filter(|_| is_named && is_ours).ok_or(StatusCode::UNAUTHORIZED)
}

async fn github_user(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    Ok(Json(granted(&shared, &headers)?.account))
}

async fn github_emails(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    Ok(Json(granted(&shared, &headers)?.emails))
}
