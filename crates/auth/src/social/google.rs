//! Google, or any other issuer of OpenID Connect: discovery, code, id token.

use chrono::TimeDelta;
use domain::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::exchange::{failed, get, post};
use super::flow::Flow;
use super::id_token::{Expected, Keys, check};
use super::{Exchange, Identity, LoginError, Registration};

pub(super) const NAME: &str = "google";

/// How long a discovery document and its keys are used.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// An unknown key is looked for at most so often: whoever sends tokens must not make us ask without end.
const REFETCHED_EVERY: TimeDelta = TimeDelta::minutes(1);
/// An issuer that did not answer is left alone for so long: asking it takes long, and those who wait meanwhile need no answer of their
/// own.
const RETRIED_EVERY: TimeDelta = TimeDelta::seconds(30);
/// How long what was read last is still used while the issuer does not answer. Keys are withdrawn by no longer being shown, so not for
/// ever.
const STALE: TimeDelta = TimeDelta::hours(24);

#[derive(Debug)]
pub(super) struct Google {
    registration: Registration,
    known: Mutex<Known>,
}

/// What came of asking the issuer.
#[derive(Debug, Default)]
struct Known {
    cached: Option<Cached>,
    /// The last try, if it failed.
    failed: Option<(Timestamp, Failure)>,
}

/// As [`LoginError::Provider`], for everyone who would ask again too soon.
#[derive(Clone, Debug)]
struct Failure {
    step: &'static str,
    message: String,
}

#[derive(Clone, Debug)]
struct Cached {
    document: Document,
    keys: Keys,
    fetched_at: Timestamp,
}

/// OpenID Connect Discovery 1.0 §3, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

impl Google {
    pub(super) fn new(registration: Registration) -> Self {
        Self { registration, known: Mutex::default() }
    }

    pub(super) async fn authorize_url(
        &self,
        client: &net::Client,
        flow: &Flow,
        redirect_uri: &Url,
        now: Timestamp,
    ) -> Result<Url, LoginError> {
        let mut url = self.discover(client, now, FRESH).await?.document.authorization_endpoint;
        url.query_pairs_mut()
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email profile")
            .append_pair("state", &flow.state)
            .append_pair("nonce", &flow.nonce)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    pub(super) async fn identity(&self, exchange: Exchange<'_>) -> Result<Identity, LoginError> {
        let Exchange { client, code, redirect_uri, flow, now } = exchange;
        let mut found = self.discover(client, now, FRESH).await?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", self.registration.client_id.as_str()),
            ("client_secret", self.registration.client_secret.expose()),
            ("code", code),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_verifier", &flow.verifier),
        ];
        let tokens: Tokens = post(client, "exchange the code", found.document.token_endpoint.clone(), &fields).await?;
        if !found.keys.has_key_of(&tokens.id_token) {
            found = self.discover(client, now, REFETCHED_EVERY).await?;
        }
        let expected = Expected { issuer: &found.document.issuer, audience: &self.registration.client_id, nonce: &flow.nonce, now };
        let claims = check(&found.keys, &tokens.id_token, &expected).map_err(|error| failed("check the id token", &error))?;
        let email = claims.email.ok_or(LoginError::UnverifiedEmail)?;
        Ok(Identity {
            provider: NAME,
            subject: claims.sub,
            name: claims.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| email.clone()),
            email,
            email_verified: claims.email_verified,
        })
    }

    /// The issuer's document and keys, no older than this; older ones as long as it does not answer.
    async fn discover(&self, client: &net::Client, now: Timestamp, max_age: TimeDelta) -> Result<Cached, LoginError> {
        // Held over the calls: those who wait need the same answer, also when it is that there is none.
        let mut known = self.known.lock().await;
        if let Some(cached) = known.cached.as_ref().filter(|cached| now - cached.fetched_at < max_age) {
            return Ok(cached.clone());
        }
        let failure = match known.failed.clone().filter(|(at, _)| now - *at < RETRIED_EVERY) {
            Some((_, failure)) => failure,
            None => match self.fetch(client, now).await {
                Ok(fresh) => {
                    *known = Known { cached: Some(fresh.clone()), failed: None };
                    return Ok(fresh);
                }
                Err(LoginError::Provider { step, message }) => {
                    tracing::warn!(step, message, "the login provider's document could not be read");
                    let failure = Failure { step, message };
                    known.failed = Some((now, failure.clone()));
                    failure
                }
                Err(other) => return Err(other),
            },
        };
        match known.cached.as_ref().filter(|cached| now - cached.fetched_at < STALE) {
            Some(stale) => Ok(stale.clone()),
            None => Err(LoginError::Provider { step: failure.step, message: failure.message }),
        }
    }

    async fn fetch(&self, client: &net::Client, now: Timestamp) -> Result<Cached, LoginError> {
        let issuer = self.registration.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{issuer}/.well-known/openid-configuration")).map_err(|error| failed("read the issuer", &error))?;
        let document: Document = get(client, "read the issuer's document", url, None).await?;
        // Discovery 1.0 §4.3: exactly the issuer that was asked for.
        if document.issuer.trim_end_matches('/') != issuer {
            return Err(failed("read the issuer's document", &"it names another issuer"));
        }
        let keys = Keys::parse(get(client, "read the issuer's keys", document.jwks_uri.clone(), None).await?);
        Ok(Cached { document, keys, fetched_at: now })
    }
}
