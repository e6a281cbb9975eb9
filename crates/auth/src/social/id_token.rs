//! Checking an id token: OpenID Connect Core 1.0 §3.1.3.7.

use domain::Timestamp;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Google's issuer, and the name without scheme that it may write into its tokens.
const GOOGLE: (&str, &str) = ("https://accounts.google.com", "accounts.google.com");

/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 60;

/// An issuer's keys. Those of kinds that we do not know are left out.
#[derive(Clone, Debug)]
pub(super) struct Keys(Vec<Jwk>);

/// A key set as it comes.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Value>,
}

/// What the token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// What the token says.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    exp: i64,
    iat: i64,
    nonce: String,
    azp: Option<String>,
    aud: Audience,
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "boolean")]
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Some issuers write `"true"`.
fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == Value::Bool(true) || value == "true")
}

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("it is signed with an algorithm that is not taken")]
    Algorithm,
    #[error("it is signed with a key that the issuer does not show")]
    UnknownKey,
    #[error("it expired, or comes from the future")]
    Time,
    #[error("it belongs to another login")]
    Nonce,
    #[error("it was issued for another party")]
    Party,
    #[error("{0}")]
    Token(String),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error.kind() {
            // The text would quote the token.
            ErrorKind::Json(_) | ErrorKind::Utf8(_) | ErrorKind::Base64(_) => Self::Token("it is not a token".to_owned()),
            _ => Self::Token(error.to_string()),
        }
    }
}

impl Keys {
    pub(super) fn parse(set: KeySet) -> Self {
        Self(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    fn find(&self, id: &str) -> Option<&Jwk> {
        self.0.iter().find(|key| key.common.key_id.as_deref() == Some(id))
    }

    /// Whether the token names a key of these.
    pub(super) fn has_key_of(&self, token: &str) -> bool {
        decode_header(token).ok().and_then(|header| header.kid).is_some_and(|id| self.find(&id).is_some())
    }
}

/// The claims of a token that is signed by the issuer, for us, for this login, and still good.
pub(super) fn check(keys: &Keys, token: &str, expected: &Expected<'_>) -> Result<Claims, Refused> {
    let header = decode_header(token)?;
    // Asymmetric ones only: a public key must never be taken for a shared secret.
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
        return Err(Refused::Algorithm);
    }
    let key = header.kid.as_deref().and_then(|id| keys.find(id)).ok_or(Refused::UnknownKey)?;
    let mut validation = Validation::new(header.alg);
    let alias = if expected.issuer == GOOGLE.0 { GOOGLE.1 } else { expected.issuer };
    validation.set_issuer(&[expected.issuer, alias]);
    validation.set_audience(&[expected.audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    // Time is ours to tell, below.
    validation.validate_exp = false;
    let claims: Claims = decode(token, &DecodingKey::from_jwk(key)?, &validation)?.claims;
    let now = expected.now.timestamp();
    if claims.exp <= now - LEEWAY || claims.iat > now + LEEWAY {
        return Err(Refused::Time);
    }
    if claims.nonce != expected.nonce {
        return Err(Refused::Nonce);
    }
    let is_for_others = matches!(&claims.aud, Audience::Many(all) if all.len() > 1);
    let is_ours = claims.azp.as_deref().map_or(!is_for_others, |party| party == expected.audience);
    if !is_ours || matches!(&claims.aud, Audience::One(one) if one != expected.audience) {
        return Err(Refused::Party);
    }
    Ok(claims)
}
