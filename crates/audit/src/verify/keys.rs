//! The public keys, and whether they are ours.

use std::collections::BTreeMap;

use serde::Serialize;
use store::{AuditArchive, Sealer};

use crate::AuditError;
use crate::signing::{SigningKey, verifies};

/// How far the signing keys can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyTrust {
    /// The master key has sealed each of them that has signed.
    Confirmed,
    /// The database says so: no master key was at hand. A pin still holds.
    Unconfirmed,
}

/// The public keys that signatures are checked with, by id.
pub(super) struct Keys {
    public: BTreeMap<String, String>,
    trust: KeyTrust,
}

/// What a signature turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Good,
    Bad,
    /// No key of ours has this id.
    UnknownKey,
}

impl Keys {
    /// With the master key, only keys that it has sealed count: another one was put there by somebody else.
    pub(super) async fn load(archive: &AuditArchive, masters: Option<&dyn Sealer>) -> Result<Self, AuditError> {
        let stored = archive.keys().await?;
        let ours = stored.into_iter().filter(|key| masters.is_none_or(|masters| SigningKey::open(key, masters).is_ok()));
        let trust = if masters.is_some() { KeyTrust::Confirmed } else { KeyTrust::Unconfirmed };
        Ok(Self { public: ours.map(|key| (key.id, key.public_key)).collect(), trust })
    }

    pub(super) fn trust(&self) -> KeyTrust {
        self.trust
    }

    pub(super) fn check(&self, key: &str, digest: &[u8], signature: &str) -> Signature {
        match self.public.get(key) {
            None => Signature::UnknownKey,
            Some(public) if verifies(public, digest, signature) => Signature::Good,
            Some(_) => Signature::Bad,
        }
    }
}
