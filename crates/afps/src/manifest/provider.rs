//! What only a provider's manifest has: how to authenticate at a service, and where the credential may go.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use url::Url;

use crate::UriPattern;

/// The provider's part of a manifest: its `definition`, and what a catalogue shows of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    pub definition: Definition,
    /// A URL, or the short slug of a known brand.
    pub icon_url: Option<String>,
    pub docs_url: Option<String>,
    #[serde(default)]
    pub categories: Vec<String>,
    pub setup_guide: Option<SetupGuide>,
}

/// How the provider authenticates, and which URLs may carry its credential.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    pub auth_mode: AuthMode,
    /// Present with [`AuthMode::Oauth2`].
    pub oauth2: Option<OAuth2>,
    /// Present with [`AuthMode::Oauth1`].
    pub oauth1: Option<OAuth1>,
    /// Present with `api_key`, `basic` and `custom`.
    pub credentials: Option<Credentials>,
    pub credential_transform: Option<Transform>,
    /// The header that carries the credential; `None`: no automatic header.
    pub credential_header_name: Option<String>,
    /// What stands before the credential in that header, as written; see [`Definition::header_prefix`].
    pub credential_header_prefix: Option<String>,
    #[serde(default)]
    pub authorized_uris: Vec<UriPattern>,
    #[serde(default)]
    pub allow_all_uris: bool,
    #[serde(default)]
    pub available_scopes: Vec<Scope>,
    /// The form of the client's own id and secret, where it differs from those two fields.
    pub admin_credential_schema: Option<Value>,
    /// Members of the definition that this implementation does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How a service authenticates its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    Oauth2,
    Oauth1,
    ApiKey,
    Basic,
    Custom,
}

impl AuthMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oauth2 => "oauth2",
            Self::Oauth1 => "oauth1",
            Self::ApiKey => "api_key",
            Self::Basic => "basic",
            Self::Custom => "custom",
        }
    }
}

/// The endpoints and habits of an OAuth 2.0 server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    pub authorization_url: Url,
    pub token_url: Url,
    refresh_url: Option<Url>,
    #[serde(default)]
    pub token_auth_method: TokenAuthMethod,
    #[serde(default)]
    pub token_content_type: TokenContentType,
    #[serde(default)]
    pub default_scopes: Vec<String>,
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Whether the authorization uses PKCE (RFC 7636); on unless switched off.
    #[serde(default = "yes")]
    pub pkce_enabled: bool,
    /// Further parameters of the authorization URL.
    #[serde(default)]
    pub authorization_params: BTreeMap<String, String>,
    /// Further parameters of every token request.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
}

impl OAuth2 {
    /// Where tokens are refreshed; the token endpoint unless another is given.
    pub fn refresh_url(&self) -> &Url {
        self.refresh_url.as_ref().unwrap_or(&self.token_url)
    }
}

/// How the client names itself at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAuthMethod {
    #[default]
    ClientSecretPost,
    ClientSecretBasic,
}

/// The body of a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TokenContentType {
    #[default]
    #[serde(rename = "application/x-www-form-urlencoded")]
    Form,
    #[serde(rename = "application/json")]
    Json,
}

/// The endpoints of an OAuth 1.0a server (RFC 5849).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth1 {
    pub request_token_url: Url,
    pub access_token_url: Url,
    pub authorization_url: Option<Url>,
    #[serde(default)]
    pub authorization_params: BTreeMap<String, String>,
}

/// The fields a person fills in to connect.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    pub schema: Value,
    pub field_name: Option<String>,
}

/// A value computed from credential fields, which replaces the field that goes into the header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Transform {
    /// Text with `{{field}}` slots; the result is encoded as standard base64.
    pub template: String,
}

/// A scope that a person may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub value: String,
    /// The value again where the manifest gives none.
    pub label: String,
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Plain(String),
            Labelled { value: String, label: Option<String> },
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Plain(value) => Self { label: value.clone(), value },
            Form::Labelled { value, label } => Self { label: label.unwrap_or_else(|| value.clone()), value },
        })
    }
}

/// How an operator obtains client credentials.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetupGuide {
    pub callback_url_hint: Option<String>,
    #[serde(default)]
    pub steps: Vec<SetupStep>,
}

/// One step of a [`SetupGuide`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SetupStep {
    pub label: String,
    pub url: Option<String>,
}

impl Definition {
    /// The credential field that goes into the header; `None` where nothing is injected automatically from one field
    /// (`basic` joins two, `oauth1` signs, `custom` may name none).
    pub fn header_field(&self) -> Option<&str> {
        let named = self.credentials.as_ref().and_then(|credentials| credentials.field_name.as_deref());
        match self.auth_mode {
            AuthMode::Oauth2 => Some("access_token"),
            AuthMode::ApiKey => Some(named.unwrap_or("api_key")),
            AuthMode::Custom => named,
            AuthMode::Basic | AuthMode::Oauth1 => None,
        }
    }

    /// The header prefix as it goes on the wire: one space follows a prefix that ends in a letter or digit (`Bearer` → `Bearer `).
    pub fn header_prefix(&self) -> String {
        let prefix = self.credential_header_prefix.as_deref().unwrap_or_default();
        if prefix.ends_with(|end: char| end.is_ascii_alphanumeric()) { format!("{prefix} ") } else { prefix.to_owned() }
    }

    /// The credential fields that the manifest declares, by name; for OAuth, none.
    pub fn credential_fields(&self) -> Vec<&str> {
        let properties = self.credentials.as_ref().and_then(|credentials| credentials.schema.get("properties")).and_then(Value::as_object);
        let mut fields: Vec<&str> = properties.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        fields.sort_unstable();
        fields
    }
}

impl Transform {
    /// The fields that the template uses, in their order. `Err` holds what stands in a slot and is no field name.
    pub fn slots(template: &str) -> Result<Vec<&str>, &str> {
        let mut slots = Vec::new();
        let mut rest = template;
        while let Some((_, after)) = rest.split_once("{{") {
            let (slot, tail) = after.split_once("}}").ok_or(after)?;
            let name = slot.trim();
            let is_name = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if !is_name {
                return Err(slot);
            }
            slots.push(name);
            rest = tail;
        }
        Ok(slots)
    }
}

fn space() -> String {
    " ".into()
}

const fn yes() -> bool {
    true
}
