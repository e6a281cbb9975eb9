//! What a handler may demand of its caller, as types: a permission, or one of the three openings that the product names.
//!
//! A requirement decides at once over credential, scope and permission, and yields the access that the handler works with.

use domain::{AppId, Code, OrgId, Permission, Role, UserId};
use store::{AppScope, OrgScope, SessionLogin};

use super::caller::{Caller, Credential};
use crate::problem::Problem;

/// A demand on the caller. Implemented in [`crate::extract::perm`] only.
pub trait Requirement: Send + Sync + 'static {
    /// What the handler gets.
    type Access: Send + Sync;
    /// The permission's name, or `public`, `signed-in`, `member`.
    const NAME: &'static str;
    /// `none`, `user`, `organization` or `application`.
    const LEVEL: &'static str;

    /// Decides.
    ///
    /// # Errors
    /// 401 without a credential, 400 without the headers that the level needs, 403 without the permission.
    fn grant(caller: &Caller) -> Result<Self::Access, Problem>;
}

/// A signed-in user, outside any organization.
#[derive(Clone, Debug)]
pub struct UserAccess {
    pub login: Box<SessionLogin>,
}

/// A member of an organization, or a key of one of its applications.
#[derive(Clone, Debug)]
pub struct OrgAccess {
    pub scope: OrgScope,
    pub role: Role,
    /// The member, or the key's creator.
    pub user: UserId,
    /// The one application that a key reaches; `None` for a session, which reaches them all.
    pub only_app: Option<AppId>,
    /// The scope of the caller's application, where the request names one: as narrow as the caller.
    pub app: Option<AppScope>,
    /// The session, unless a key calls.
    pub session: Option<Box<SessionLogin>>,
}

impl OrgAccess {
    pub fn org(&self) -> OrgId {
        self.scope.org()
    }
}

/// A caller inside one application.
#[derive(Clone, Debug)]
pub struct AppAccess {
    pub scope: AppScope,
    pub role: Role,
    /// The member, or the key's creator.
    pub user: UserId,
}

fn unauthorized() -> Problem {
    Problem::new(Code::Unauthorized, "Authenticate with an API key or a session.")
}

/// A signed-in user. Keys act for applications, not for people.
pub(super) fn signed_in(caller: &Caller) -> Result<UserAccess, Problem> {
    match &caller.credential {
        Credential::None => Err(unauthorized()),
        Credential::Key(_) => Err(Problem::new(Code::Forbidden, "This route is for signed-in users; API keys cannot use it.")),
        Credential::Session(login) => Ok(UserAccess { login: login.clone() }),
    }
}

/// Anyone who belongs to the organization.
pub(super) fn member(caller: &Caller) -> Result<OrgAccess, Problem> {
    if matches!(caller.credential, Credential::None) {
        return Err(unauthorized());
    }
    let Some(org) = &caller.org else {
        return Err(Problem::new(Code::InvalidRequest, "The X-Org-Id header is required.").param("X-Org-Id"));
    };
    let session = match &caller.credential {
        Credential::Session(login) => Some(login.clone()),
        Credential::None | Credential::Key(_) => None,
    };
    Ok(OrgAccess { scope: org.scope, role: org.role, user: org.user, only_app: caller.key_app(), app: caller.app, session })
}

/// A permission at the level of the organization.
pub(super) fn organization(caller: &Caller, permission: Permission) -> Result<OrgAccess, Problem> {
    let access = member(caller)?;
    check(caller, permission)?;
    Ok(access)
}

/// A permission inside one application.
pub(super) fn application(caller: &Caller, permission: Permission) -> Result<AppAccess, Problem> {
    let member = member(caller)?;
    let Some(scope) = &caller.app else {
        return Err(Problem::new(Code::InvalidRequest, "The X-App-Id header is required.").param("X-App-Id"));
    };
    check(caller, permission)?;
    Ok(AppAccess { scope: *scope, role: member.role, user: member.user })
}

fn check(caller: &Caller, permission: Permission) -> Result<(), Problem> {
    if caller.permissions.contains(permission) {
        return Ok(());
    }
    let who = if caller.end_user.is_some() { "A call as an end-user" } else { "The caller" };
    Err(Problem::new(Code::Forbidden, format!("{who} lacks the permission {}.", permission.as_str())))
}
