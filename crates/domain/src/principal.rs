//! Who calls, by what authority, and how far that reaches.

use serde::{Deserialize, Serialize};

use crate::id::{AppId, EndUserId, KeyId, OrgId, SessionId, UserId};
use crate::permission::PermissionSet;

/// The role of a user in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// On whose behalf a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A signed-in member of an organization.
    Member(UserId),
    /// The application itself, through one of its keys.
    Application(AppId),
    /// One customer of the application (`Appstrate-User`).
    EndUser(EndUserId),
}

/// What proves the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authority {
    Session(SessionId),
    /// `creator` is the member who made the key; the key never exceeds that member's role.
    Key {
        key: KeyId,
        creator: UserId,
    },
}

/// An authenticated caller inside one organization, with the permissions that hold for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub subject: Subject,
    pub authority: Authority,
    pub org: OrgId,
    /// The role of the member, or of the key's creator now.
    pub role: Role,
    /// role ∩ key scopes ∩ (for an end-user) the end-user set.
    pub permissions: PermissionSet,
}

/// How far into an application a scope sees. There is no variant that means "unfiltered by accident":
/// `Application` is what a key without `Appstrate-User` and the platform's own worker hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every row of the application.
    Application,
    /// Every row of the application; profiles, connections and notifications narrowed to this user.
    Member(UserId),
    /// Shared settings, and of private rows only this end-user's own.
    EndUser(EndUserId),
}

impl Reach {
    /// The end-user whose private rows are visible, if the reach is one end-user.
    pub const fn end_user(self) -> Option<EndUserId> {
        match self {
            Self::EndUser(id) => Some(id),
            Self::Application | Self::Member(_) => None,
        }
    }
}
