//! How a request, an application or an organization names the outbound proxy that it wants.

use std::fmt;
use std::str::FromStr;

use crate::id::ProxyId;

/// The name of a proxy that the operator has configured (`SYSTEM_PROXIES`).
///
/// 1 to 64 letters, digits, `.`, `_` and `-`, the first a letter or digit. Never one of the words that mean something else, and
/// never in the form of an id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuiltInProxy(String);

/// A proxy: one that the organization has stored, or one of the operator's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ProxyRef {
    Own(ProxyId),
    BuiltIn(BuiltInProxy),
}

/// What stands where a proxy may be chosen. The word `none` chooses a direct connection, whatever the defaults are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ProxyChoice {
    Direct,
    Through(ProxyRef),
}

/// A text that names no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid proxy id")]
pub struct InvalidProxy;

const DIRECT: &str = "none";
/// `default` is a path beside the ids.
const RESERVED: [&str; 2] = [DIRECT, "default"];

impl BuiltInProxy {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProxyChoice {
    /// The proxy that was chosen.
    pub const fn proxy(&self) -> Option<&ProxyRef> {
        match self {
            Self::Direct => None,
            Self::Through(proxy) => Some(proxy),
        }
    }
}

impl fmt::Display for BuiltInProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ProxyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(id) => id.fmt(f),
            Self::BuiltIn(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str(DIRECT),
            Self::Through(proxy) => proxy.fmt(f),
        }
    }
}

impl FromStr for BuiltInProxy {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let is_well_formed = (1..=64).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        let looks_like_an_id = text.starts_with(ProxyId::PREFIX) && text.as_bytes().get(ProxyId::PREFIX.len()) == Some(&b'_');
        if is_well_formed && !looks_like_an_id && !RESERVED.contains(&text) { Ok(Self(text.to_owned())) } else { Err(InvalidProxy) }
    }
}

impl FromStr for ProxyRef {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        text.parse().map(Self::Own).or_else(|_| text.parse().map(Self::BuiltIn))
    }
}

impl FromStr for ProxyChoice {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        if text == DIRECT { Ok(Self::Direct) } else { text.parse().map(Self::Through) }
    }
}

macro_rules! as_text {
    ($($name:ident $example:literal),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
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
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))
                    .examples([$example])
                    .into()
            }
        }
        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {}
    )+};
}

as_text!(BuiltInProxy "eu-exit", ProxyRef "prx_01jd9xq3e8f2t8v0k3m5n7p9r1", ProxyChoice "prx_01jd9xq3e8f2t8v0k3m5n7p9r1");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ids_and_the_word_none_are_told_apart() {
        let id = "prx_01jd9xq3e8f2t8v0k3m5n7p9r1";
        assert!(matches!(id.parse(), Ok(ProxyRef::Own(_))));
        assert!(matches!("eu-exit".parse(), Ok(ProxyRef::BuiltIn(_))));
        assert_eq!("none".parse(), Ok(ProxyChoice::Direct));
        for text in [id, "eu-exit", "EU.2_b", "none"] {
            let choice: ProxyChoice = text.parse().expect("a choice");
            assert_eq!(choice.to_string(), text);
            assert_eq!(serde_json::from_str::<ProxyChoice>(&serde_json::to_string(&choice).expect("text")).expect("text"), choice);
        }
    }

    #[test]
    fn what_could_be_mistaken_is_no_name() {
        let too_long = "x".repeat(65);
        for text in ["", "none", "default", "prx_", "prx_nonsense", "-a", ".a", "a b", "a/b", "ä", "a\0", too_long.as_str()] {
            assert_eq!(text.parse::<ProxyRef>(), Err(InvalidProxy), "{text:?}");
        }
        assert!("prxy".parse::<BuiltInProxy>().is_ok());
    }
}
