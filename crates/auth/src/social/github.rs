//! GitHub: plain OAuth 2.0; who the user is, is asked of its API.

use serde::Deserialize;
use url::Url;

use super::exchange::{failed, get, post};
use super::flow::Flow;
use super::{Exchange, Identity, LoginError, Registration};

pub(super) const NAME: &str = "github";

/// Where github.com has its API; an Enterprise server has it below its own address.
const PUBLIC_HOST: &str = "github.com";
const PUBLIC_API: &str = "https://api.github.com";

#[derive(Debug)]
pub(super) struct GitHub {
    registration: Registration,
    api: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    /// GitHub refuses with a status of success.
    error: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    #[serde(rename = "email")]
    address: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    pub(super) fn new(registration: Registration) -> Self {
        let base = registration.base.as_str().trim_end_matches('/');
        let api = if registration.base.host_str() == Some(PUBLIC_HOST) { PUBLIC_API.to_owned() } else { format!("{base}/api/v3") };
        Self { registration, api }
    }

    fn web(&self, path: &str) -> Url {
        let mut url = self.registration.base.clone();
        url.set_path(&format!("{}{path}", self.registration.base.path().trim_end_matches('/')));
        url
    }

    pub(super) fn authorize_url(&self, flow: &Flow, redirect_uri: &Url) -> Url {
        let mut url = self.web("/login/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("response_type", "code")
            .append_pair("scope", "read:user user:email")
            .append_pair("state", &flow.state)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        url
    }

    pub(super) async fn identity(&self, exchange: Exchange<'_>) -> Result<Identity, LoginError> {
        let fields = [
            ("client_id", self.registration.client_id.as_str()),
            ("client_secret", self.registration.client_secret.expose()),
            ("code", exchange.code),
            ("redirect_uri", exchange.redirect_uri.as_str()),
            ("code_verifier", &exchange.flow.verifier),
        ];
        let client = exchange.client;
        let tokens: Tokens = post(client, "exchange the code", self.web("/login/oauth/access_token"), &fields).await?;
        let Some(access_token) = tokens.access_token else {
            let error = tokens.error.unwrap_or_else(|| "nothing".to_owned());
            // Mostly the operator's: a wrong secret, or a callback address that is not the registered one.
            tracing::warn!(login.provider = NAME, error = ?error, "the login provider refuses the exchange of a code");
            return Err(LoginError::Denied(error));
        };
        let account: Account = self.ask(client, "read the account", "/user", &access_token).await?;
        let emails: Vec<Email> = self.ask(client, "read the e-mail addresses", "/user/emails", &access_token).await?;
        // Only the primary address: who may add one to an account is not who owns the account here.
        let primary = emails.into_iter().find(|email| email.primary).ok_or(LoginError::UnverifiedEmail)?;
        Ok(Identity {
            provider: NAME,
            subject: account.id.to_string(),
            email: primary.address,
            email_verified: primary.verified,
            name: account.name.filter(|name| !name.trim().is_empty()).unwrap_or(account.login),
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        client: &net::Client,
        step: &'static str,
        path: &str,
        access_token: &str,
    ) -> Result<T, LoginError> {
        let url = Url::parse(&format!("{}{path}", self.api)).map_err(|error| failed(step, &error))?;
        get(client, step, url, Some(access_token)).await
    }
}
