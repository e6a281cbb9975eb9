//! The authenticated caller of a request: credential, organization, application, end-user, and what all that allows.

use domain::{AppId, EndUserId, PermissionSet, Role, UserId};
use store::{AppScope, KeyLogin, OrgScope, SessionLogin};

/// What proved the call.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    Key(Box<KeyLogin>),
    Session(Box<SessionLogin>),
}

/// The organization of the call.
#[derive(Clone, Debug)]
pub struct CallerOrg {
    pub scope: OrgScope,
    pub role: Role,
    /// The member, or the key's creator.
    pub user: UserId,
}

/// Who calls. Made by [`crate::chain::authenticate`], once for a request, and never kept longer.
#[derive(Clone, Debug)]
pub struct Caller {
    pub credential: Credential,
    pub org: Option<CallerOrg>,
    pub app: Option<AppScope>,
    /// `Appstrate-User`: from here on the caller is this end-user.
    pub end_user: Option<EndUserId>,
    /// role ∩ key scopes ∩ (for an end-user) the end-user set.
    pub permissions: PermissionSet,
}

impl Caller {
    /// A caller without credentials.
    pub fn anonymous() -> Self {
        Self { credential: Credential::None, org: None, app: None, end_user: None, permissions: PermissionSet::EMPTY }
    }

    /// The one application that a key reaches.
    pub fn key_app(&self) -> Option<AppId> {
        match &self.credential {
            Credential::Key(login) => Some(login.app),
            Credential::None | Credential::Session(_) => None,
        }
    }
}

/// The signed-in user of a route that is open to others too.
#[derive(Clone, Copy, Debug)]
pub struct CurrentSession(pub Option<UserId>);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for CurrentSession {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Caller>().and_then(|caller| match &caller.credential {
            Credential::Session(login) => Some(login.user.id),
            Credential::None | Credential::Key(_) => None,
        })))
    }
}
