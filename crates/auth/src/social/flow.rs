//! What a browser carries from the beginning of a login to its end, sealed with the server's key in a cookie.
//!
//! It binds the end to the browser that began: the state against forged ends, the nonce against a foreign id token, the verifier of
//! PKCE against a stolen code.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{SealError, Store};

use super::FLOW_SECONDS;
use crate::token;

/// A seal for this use opens for no other.
const ASSOCIATED: &[u8] = b"login flow|cookie";

#[derive(Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) provider: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) redirect_to: String,
    /// Milliseconds since 1970.
    ends_at: i64,
}

impl Flow {
    pub(super) fn new(store: &Store, provider: &str, redirect_to: String) -> Self {
        let random = || token::new_session_token(store.ids()).expose().clone();
        let ends_at = store.clock().now() + TimeDelta::seconds(FLOW_SECONDS);
        Self {
            provider: provider.to_owned(),
            state: random(),
            nonce: random(),
            verifier: random(),
            redirect_to,
            ends_at: ends_at.timestamp_millis(),
        }
    }

    /// The challenge of PKCE, method S256.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    pub(super) fn seal(&self, store: &Store) -> Result<Secret, SealError> {
        let plain = serde_json::to_vec(self).expect("texts and a number are JSON");
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(store.sealer().seal(&plain, ASSOCIATED)?)))
    }

    /// `None`: not sealed here, changed, or too old.
    pub(super) fn open(store: &Store, carried: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(carried).ok()?;
        let plain = store.sealer().open(&sealed, ASSOCIATED).ok()?;
        let flow: Self = serde_json::from_slice(&plain).ok()?;
        (flow.ends_at > store.clock().now().timestamp_millis()).then_some(flow)
    }
}
