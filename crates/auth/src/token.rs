//! Secrets that clients hold: API keys and session tokens. Only their SHA-256 is stored.
//!
//! They are random to 192 bits and more, so a plain hash suffices and a unique index can find them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{IdSource, Secret};
use sha2::{Digest, Sha256};

/// What an API key begins with.
pub const KEY_PREFIX: &str = "ask_";

/// What a stream's ticket begins with.
pub const TICKET_PREFIX: &str = "tkt_";

/// How many characters of a key are kept to recognize it by: `ask_` and four more.
const SHOWN_CHARACTERS: usize = 8;

/// The SHA-256 of a secret, as it is stored and looked up.
pub type TokenHash = [u8; 32];

/// A fresh API key: `ask_` and 48 hexadecimal digits (192 bits).
pub fn new_api_key(ids: &dyn IdSource) -> Secret {
    prefixed(KEY_PREFIX, ids)
}

/// A fresh ticket: `tkt_` and 48 hexadecimal digits.
pub fn new_stream_ticket(ids: &dyn IdSource) -> Secret {
    prefixed(TICKET_PREFIX, ids)
}

fn prefixed(prefix: &str, ids: &dyn IdSource) -> Secret {
    let mut bytes = [0; 24];
    ids.fill(&mut bytes);
    Secret::new(format!("{prefix}{}", hex::encode(bytes)))
}

/// A fresh session token: 43 characters of base64url (256 bits).
pub fn new_session_token(ids: &dyn IdSource) -> Secret {
    let mut bytes = [0; 32];
    ids.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// A fresh invitation token, in the form of a session token.
pub fn new_invitation_token(ids: &dyn IdSource) -> Secret {
    new_session_token(ids)
}

/// Whether a text could be such a token at all.
pub fn is_invitation_token(text: &str) -> bool {
    is_account_token(text)
}

/// Whether a text could be a secret that was mailed to a user; they have the form of session tokens.
pub fn is_account_token(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The stored form of a secret.
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// The part of a key that lists may show.
pub fn shown_prefix(key: &Secret) -> String {
    key.expose().chars().take(SHOWN_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use domain::RandomIds;

    use super::*;

    #[test]
    fn keys_look_like_the_documentation() {
        let key = new_api_key(&RandomIds);
        assert_eq!(key.expose().len(), 52);
        assert!(key.expose().starts_with("ask_"));
        assert_eq!(shown_prefix(&key).len(), 8);
        assert_ne!(new_session_token(&RandomIds).expose(), new_session_token(&RandomIds).expose());
        assert!(is_invitation_token(new_invitation_token(&RandomIds).expose()));
    }
}
