//! Scoped package names: `@scope/name`.

use std::fmt;
use std::str::FromStr;

/// The name of a package, `@scope/name`; both parts match `[a-z0-9]([a-z0-9-]*[a-z0-9])?` (AFPS 1.3), at most 64 characters each.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(String);

/// A text that is not a package name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a package name looks like @scope/name, in lower-case letters, digits and inner dashes")]
pub struct InvalidPackageName;

const MAX_SLUG: usize = 64;

/// Whether `text` may be a scope or a package's own name.
pub fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= MAX_SLUG && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

impl PackageName {
    /// Builds the name from its parts, neither with `@`.
    pub fn from_parts(scope: &str, name: &str) -> Result<Self, InvalidPackageName> {
        if is_slug(scope) && is_slug(name) { Ok(Self(format!("@{scope}/{name}"))) } else { Err(InvalidPackageName) }
    }

    /// The scope, without `@`.
    pub fn scope(&self) -> &str {
        self.0[1..].split_once('/').map_or("", |(scope, _)| scope)
    }

    /// The part behind the slash.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageName {
    type Err = InvalidPackageName;

    fn from_str(text: &str) -> Result<Self, InvalidPackageName> {
        let (scope, name) = text.strip_prefix('@').and_then(|rest| rest.split_once('/')).ok_or(InvalidPackageName)?;
        Self::from_parts(scope, name)
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for PackageName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for PackageName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for PackageName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^@[a-z0-9]([a-z0-9-]*[a-z0-9])?/[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))
            .examples(["@acme/refund-triage"])
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for PackageName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_parts() {
        let name: PackageName = "@acme/refund-triage".parse().expect("valid");
        assert_eq!((name.scope(), name.name()), ("acme", "refund-triage"));
        for bad in ["acme/x", "@acme", "@acme/", "@/x", "@Acme/x", "@acme/-x", "@acme/x-", "@acme/x/y", "@a b/c", ""] {
            assert_eq!(bad.parse::<PackageName>(), Err(InvalidPackageName), "{bad}");
        }
    }
}
