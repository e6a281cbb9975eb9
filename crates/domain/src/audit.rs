//! Words of the audit log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{AppId, InvalidId, OrgId};

/// Whether the caller got past the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The request went to its route, whatever came of it there.
    Allowed,
    /// The caller was stopped: no such end-user, no permission, or a limit.
    Denied,
}

impl Decision {
    pub const ALL: [Self; 2] = [Self::Allowed, Self::Denied];

    /// The decision behind an answer with this status.
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 | 403 | 429 => Self::Denied,
            _ => Self::Allowed,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == text)
    }
}

/// One sequence of audit rows, sealed apart from the others: an application's; an organization's, of what belongs to no application;
/// the platform's, of what belongs to no organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditChain {
    Platform,
    Organization(OrgId),
    Application(AppId),
}

impl fmt::Display for AuditChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Organization(id) => id.fmt(f),
            Self::Application(id) => id.fmt(f),
        }
    }
}

impl FromStr for AuditChain {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == "platform" {
            return Ok(Self::Platform);
        }
        text.parse().map(Self::Application).or_else(|_| text.parse().map(Self::Organization))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RandomIds;

    #[test]
    fn a_chain_survives_its_text() {
        let (org, app) = (OrgId::new(&RandomIds), AppId::new(&RandomIds));
        for chain in [AuditChain::Platform, AuditChain::Organization(org), AuditChain::Application(app)] {
            assert_eq!(chain.to_string().parse(), Ok(chain));
        }
        assert!("eu_01jd9xq3e8f2t8v0k3m5n7p9r1".parse::<AuditChain>().is_err());
    }

    #[test]
    fn refusals_are_denied_and_misses_are_not() {
        assert!([401, 403, 429].into_iter().all(|status| Decision::of_status(status) == Decision::Denied));
        assert!([200, 404, 409, 422, 500].into_iter().all(|status| Decision::of_status(status) == Decision::Allowed));
        assert!(Decision::ALL.into_iter().all(|decision| Decision::parse(decision.as_str()) == Some(decision)));
    }
}
