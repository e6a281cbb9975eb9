//! Prefixed ids: `run_` + 26 characters of Crockford base32 over a UUIDv7 (TypeID 0.3).
//!
//! Ids sort by creation time, are TEXT in both database engines, and parse strictly: a wrong prefix, length or letter is
//! no id at all, so a malformed id behaves exactly like one that does not exist.

use std::fmt;

use uuid::Uuid;

/// Makes the random part of ids. Tests pass a seeded one.
pub trait IdSource: Send + Sync + fmt::Debug {
    /// A fresh UUIDv7.
    fn uuid(&self) -> Uuid;
    /// `N` unpredictable bytes, for secrets and tokens.
    fn fill(&self, bytes: &mut [u8]);
}

/// Ids and randomness of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

/// A text that is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0} id")]
pub struct InvalidId(pub &'static str);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn encode(uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    // 26 letters hold 130 bits; the first letter carries only 3 of them.
    (0..26u32).rev().map(|i| ALPHABET[usize::try_from((bits >> (i * 5)) & 31).unwrap_or(0)] as char).collect()
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != 26 || text.as_bytes()[0] > b'7' {
        return None;
    }
    let mut bits = 0u128;
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|&known| known == letter)?;
        bits = (bits << 5) | value as u128;
    }
    Some(Uuid::from_u128(bits))
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const PREFIX: &'static str = $prefix;
            pub fn new(ids: &dyn IdSource) -> Self { Self(ids.uuid()) }
            pub const fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            pub const fn uuid(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!($prefix, "_{}"), encode(self.0)) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_")).and_then(decode).map(Self).ok_or(InvalidId($prefix))
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> { serializer.collect_str(self) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::id::schema_of($prefix)
            }
        }
        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {}
    )+};
}

#[cfg(feature = "schema")]
fn schema_of(prefix: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
        .examples([format!("{prefix}_01jd9xq3e8f2t8v0k3m5n7p9r1")])
        .into()
}

id! {
    /// An organization.
    OrgId = "org";
    /// An application of an organization.
    AppId = "app";
    /// A customer of the embedding company, inside one application.
    EndUserId = "eu";
    /// A platform user, who signs in.
    UserId = "usr";
    /// A signed-in session.
    SessionId = "ses";
    /// An API key.
    KeyId = "key";
    /// One execution of an agent.
    RunId = "run";
    /// A published version of a package.
    VersionId = "ver";
    /// A row of the `events` table.
    EventId = "evt";
    /// A row of the `jobs` table.
    JobId = "job";
    /// Stored credentials for a provider.
    ConnectionId = "conn";
    /// The owner of connections.
    ProfileId = "prof";
    /// One remembered text.
    MemoryId = "mem";
    /// A configured language model.
    ModelId = "mod";
    /// A stored model provider API key.
    ProviderKeyId = "pk";
    /// An outbound proxy.
    ProxyId = "prx";
    /// An invitation into an organization.
    InvitationId = "inv";
    /// A row of the audit log.
    AuditId = "aud";
    /// One HTTP request.
    RequestId = "req";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_wire() {
        let id = RunId::new(&RandomIds);
        let text = id.to_string();
        assert_eq!(text.len(), "run_".len() + 26);
        assert_eq!(text.parse::<RunId>(), Ok(id));
        assert!(text.parse::<AppId>().is_err());
    }

    #[test]
    fn the_typeid_specification_example_holds() {
        // https://github.com/jetify-com/typeid: prefix_01h455vb4pex5vsknk084sn02q
        let uuid = decode("01h455vb4pex5vsknk084sn02q").expect("valid suffix");
        assert_eq!(uuid.to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
        assert_eq!(encode(uuid), "01h455vb4pex5vsknk084sn02q");
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses_or_is_refused_without_panicking(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<OrgId>() {
                assert_eq!(id.to_string(), text);
            }
        }
    }
}
