//! Subresource integrity of archives (W3C SRI §3.2, §3.3.4).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The SHA-256 of an archive, written `sha256-<base64>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integrity([u8; 32]);

/// Why bytes could not be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    #[error("the hash is not sha256-<base64 of 32 bytes>")]
    Malformed,
    #[error("no hash of a known algorithm is given (sha256, sha384 or sha512)")]
    NoKnownHash,
    #[error("the bytes do not have the expected hash")]
    Mismatch,
}

impl Integrity {
    /// Computes the hash of the bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Whether the bytes have this hash.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        *self == Self::of(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Checks bytes against integrity metadata: any hash of the strongest known algorithm must match, weaker and unknown ones are ignored.
///
/// Unlike a browser, metadata without a known algorithm is refused: an archive is never accepted unchecked.
pub fn verify(metadata: &str, bytes: &[u8]) -> Result<(), IntegrityError> {
    let hashes: Vec<(Algorithm, &str)> = metadata.split_ascii_whitespace().filter_map(known_hash).collect();
    let strongest = hashes.iter().map(|(algorithm, _)| *algorithm).max().ok_or(IntegrityError::NoKnownHash)?;
    let actual = strongest.digest(bytes);
    let is_match = hashes.iter().any(|(algorithm, hash)| *algorithm == strongest && *hash == actual);
    if is_match { Ok(()) } else { Err(IntegrityError::Mismatch) }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn digest(self, bytes: &[u8]) -> String {
        match self {
            Self::Sha256 => STANDARD.encode(Sha256::digest(bytes)),
            Self::Sha384 => STANDARD.encode(Sha384::digest(bytes)),
            Self::Sha512 => STANDARD.encode(Sha512::digest(bytes)),
        }
    }
}

/// Splits `sha256-<base64>?options`; options are reserved by the standard and ignored.
fn known_hash(item: &str) -> Option<(Algorithm, &str)> {
    let (name, rest) = item.split_once('-')?;
    let algorithm = match name {
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        _ => return None,
    };
    Some((algorithm, rest.split('?').next().unwrap_or(rest)))
}

impl FromStr for Integrity {
    type Err = IntegrityError;

    fn from_str(text: &str) -> Result<Self, IntegrityError> {
        let encoded = text.strip_prefix("sha256-").ok_or(IntegrityError::Malformed)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| IntegrityError::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| IntegrityError::Malformed)
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256-{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Integrity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Integrity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `printf 'hello world' | openssl dgst -sha256 -binary | base64`, and the same with -sha384.
    const HELLO_256: &str = "sha256-uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";
    const HELLO_384: &str = "sha384-/b2OdaZ/KfcBpOBAOF4uI5hjA+oQI5IRr5B/y7g1eLPkF8txzmRu/QgZ3YwIjeG9";

    #[test]
    fn known_vectors() {
        assert_eq!(Integrity::of(b"hello world").to_string(), HELLO_256);
        assert_eq!(verify(HELLO_256, b"hello world"), Ok(()));
        assert_eq!(verify(HELLO_384, b"hello world"), Ok(()));
        assert_eq!(verify(HELLO_256, b"hello worlD"), Err(IntegrityError::Mismatch));
    }

    #[test]
    fn the_strongest_algorithm_decides() {
        let wrong_256 = Integrity::of(b"something else").to_string();
        assert_eq!(verify(&format!("{wrong_256} {HELLO_384}"), b"hello world"), Ok(()));
        assert_eq!(verify(&format!("{HELLO_256} sha384-AAAA"), b"hello world"), Err(IntegrityError::Mismatch));
        assert_eq!(verify(&format!("{wrong_256} {HELLO_256}?opt"), b"hello world"), Ok(()), "any of the strongest may match");
        assert_eq!(verify(&format!("md5-abc {HELLO_256}"), b"hello world"), Ok(()), "unknown ones are ignored");
        for nothing in ["", "   ", "md5-abc", "sha256"] {
            assert_eq!(verify(nothing, b"hello world"), Err(IntegrityError::NoKnownHash), "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let integrity = Integrity::of(&bytes);
            prop_assert_eq!(integrity.to_string().parse::<Integrity>(), Ok(integrity));
            prop_assert_eq!(verify(&integrity.to_string(), &bytes), Ok(()));
        }

        #[test]
        fn arbitrary_metadata_never_passes(text in ".{0,80}") {
            prop_assert!(verify(&text, b"bytes").is_err());
            prop_assert!(text.parse::<Integrity>().is_err());
        }
    }
}
