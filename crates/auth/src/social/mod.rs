//! Signing in with Google or GitHub: OAuth 2.0 code flow with PKCE (RFC 7636), OpenID Connect where the provider speaks it.
//!
//! | file | owns |
//! |---|---|
//! | `flow.rs` | what a browser carries from the beginning to the end, sealed |
//! | `exchange.rs` | calls to a provider, bounded |
//! | `google.rs`, `github.rs` | the two providers: a code becomes an [`Identity`] |
//! | `id_token.rs` | checking what OpenID Connect signs |
//! | `account.rs` | an identity becomes a user |

mod account;
mod exchange;
mod flow;
mod github;
mod google;
mod id_token;

use domain::{Secret, Timestamp};
use store::{SealError, Store, StoreError};
use url::Url;

pub use self::account::resolve;
use self::flow::Flow;
use self::github::GitHub;
use self::google::Google;

/// How long a browser may stay at the provider, in seconds.
pub const FLOW_SECONDS: i64 = 600;

/// Our registration at a provider.
#[derive(Clone, Debug)]
pub struct Registration {
    pub client_id: String,
    pub client_secret: Secret,
    /// Google: the issuer. GitHub: the web address of github.com or of an Enterprise server.
    pub base: Url,
}

/// The providers that users may sign in with.
#[derive(Debug)]
pub struct Logins {
    google: Option<Google>,
    github: Option<GitHub>,
    client: net::Client,
    callback_base: Url,
}

/// Whom a provider has vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub provider: &'static str,
    /// What the provider calls the account for good.
    pub subject: String,
    pub email: String,
    pub email_verified: bool,
    pub name: String,
}

/// The way to the provider, and what the browser must bring back from it.
#[derive(Debug)]
pub struct Begun {
    pub authorize_url: Url,
    /// The sealed flow, for a cookie.
    pub carried: Secret,
}

/// What the provider sent the browser back with.
#[derive(Clone, Debug, Default)]
pub struct Returned {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error("there is no such login provider")]
    UnknownProvider,
    /// The browser did not begin this flow, or too long ago.
    #[error("the login was not begun in this browser, or too long ago")]
    ForeignFlow,
    #[error("the provider says {0}")]
    Denied(String),
    #[error("the provider does not vouch for an e-mail address")]
    UnverifiedEmail,
    #[error("an account with this e-mail exists whose address was never proven")]
    NotLinked,
    /// Another login of the same person came first.
    #[error("another login came in between")]
    Raced,
    #[error("could not {step}: {message}")]
    Provider { step: &'static str, message: String },
    #[error("could not seal the flow")]
    Seal(#[from] SealError),
    #[error("could not reach the store")]
    Store(#[from] StoreError),
}

/// What both providers need for the exchange of a code.
struct Exchange<'a> {
    client: &'a net::Client,
    code: &'a str,
    redirect_uri: &'a Url,
    flow: &'a Flow,
    now: Timestamp,
}

impl Logins {
    /// `app_url`: the public base of the API, to which providers send browsers back.
    pub fn new(client: net::Client, app_url: Url, google: Option<Registration>, github: Option<Registration>) -> Self {
        Self { google: google.map(Google::new), github: github.map(GitHub::new), client, callback_base: app_url }
    }

    /// The providers that are configured: their names, and what people call them.
    pub fn offered(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let google = self.google.as_ref().map(|_| (google::NAME, "Google"));
        google.into_iter().chain(self.github.as_ref().map(|_| (github::NAME, "GitHub")))
    }

    fn redirect_uri(&self, provider: &str) -> Url {
        let mut url = self.callback_base.clone();
        url.set_path(&format!("{}/api/auth/callback/{provider}", self.callback_base.path().trim_end_matches('/')));
        url.set_query(None);
        url.set_fragment(None);
        url
    }

    /// Begins a login. `redirect_to`: a path of ours to end at, checked by the caller.
    ///
    /// # Errors
    /// [`LoginError::UnknownProvider`]: unknown or not configured.
    pub async fn begin(&self, store: &Store, provider: &str, redirect_to: String) -> Result<Begun, LoginError> {
        let flow = Flow::new(store, provider, redirect_to);
        let redirect_uri = self.redirect_uri(provider);
        let authorize_url = match (provider, &self.google, &self.github) {
            (google::NAME, Some(google), _) => google.authorize_url(&self.client, &flow, &redirect_uri, store.clock().now()).await?,
            (github::NAME, _, Some(github)) => github.authorize_url(&flow, &redirect_uri),
            _ => return Err(LoginError::UnknownProvider),
        };
        Ok(Begun { authorize_url, carried: flow.seal(store)? })
    }

    /// Ends a login: whom the provider vouches for, and the path to end at.
    ///
    /// # Errors
    /// [`LoginError::ForeignFlow`] before anything is asked of the provider.
    pub async fn finish(
        &self,
        store: &Store,
        provider: &str,
        returned: Returned,
        carried: Option<&str>,
    ) -> Result<(Identity, String), LoginError> {
        if !matches!((provider, &self.google, &self.github), (google::NAME, Some(_), _) | (github::NAME, _, Some(_))) {
            return Err(LoginError::UnknownProvider);
        }
        let flow = carried.and_then(|carried| Flow::open(store, carried)).ok_or(LoginError::ForeignFlow)?;
        if flow.provider != provider || returned.state.as_deref() != Some(flow.state.as_str()) {
            return Err(LoginError::ForeignFlow);
        }
        if let Some(error) = returned.error {
            return Err(LoginError::Denied(error));
        }
        let Some(code) = returned.code else { return Err(LoginError::Denied("nothing".to_owned())) };
        let redirect_uri = self.redirect_uri(provider);
        let exchange = Exchange { client: &self.client, code: &code, redirect_uri: &redirect_uri, flow: &flow, now: store.clock().now() };
        let identity = match (provider, &self.google, &self.github) {
            (google::NAME, Some(google), _) => google.identity(exchange).await?,
            (github::NAME, _, Some(github)) => github.identity(exchange).await?,
            _ => return Err(LoginError::UnknownProvider),
        };
        Ok((identity, flow.redirect_to))
    }
}
