//! AES-256-GCM with a random nonce, and the text form of what it seals.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::Secret;

use super::VaultError;

/// 256 bits of key.
pub(super) type KeyBytes = [u8; 32];

/// Seals `plain` under `key`, bound to `place`. Returns nonce ‖ ciphertext ‖ tag.
pub(super) fn seal(key: &KeyBytes, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Cipher)?;
    let mut sealed = plain.to_vec();
    let nonce = cipher.seal_in_place_append_tag(Aad::from(place), &mut sealed).map_err(|_| VaultError::Cipher)?;
    let mut bytes = nonce.as_ref().to_vec();
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

/// Opens what [`seal`] made, if key and place are the same.
pub(super) fn open(key: &KeyBytes, place: &[u8], sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Cipher)?;
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(VaultError::Malformed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Malformed)?;
    let mut body = body.to_vec();
    let length = cipher.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| VaultError::Refused)?.len();
    body.truncate(length);
    Ok(Secret::new(body))
}

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Result<Vec<u8>, VaultError> {
    STANDARD_NO_PAD.decode(text).map_err(|_| VaultError::Malformed)
}
