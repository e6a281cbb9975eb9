//! One marker type for each permission that a route names, and for the three openings.

use domain::Permission;

use super::caller::Caller;
use super::requirement::{self, AppAccess, OrgAccess, Requirement, UserAccess};
use crate::problem::Problem;

/// Anyone, without credentials.
#[derive(Debug)]
pub struct Public;

impl Requirement for Public {
    type Access = ();
    const NAME: &'static str = "public";
    const LEVEL: &'static str = "none";
    fn grant(_: &Caller) -> Result<(), Problem> {
        Ok(())
    }
}

/// A signed-in user; no API key.
#[derive(Debug)]
pub struct SignedIn;

impl Requirement for SignedIn {
    type Access = UserAccess;
    const NAME: &'static str = "signed-in";
    const LEVEL: &'static str = "user";
    fn grant(caller: &Caller) -> Result<UserAccess, Problem> {
        requirement::signed_in(caller)
    }
}

/// Any member of the organization and any of its keys.
#[derive(Debug)]
pub struct Member;

impl Requirement for Member {
    type Access = OrgAccess;
    const NAME: &'static str = "member";
    const LEVEL: &'static str = "organization";
    fn grant(caller: &Caller) -> Result<OrgAccess, Problem> {
        requirement::member(caller)
    }
}

macro_rules! permissions {
    ($access:ident, $grant:ident, $level:literal: $($name:ident)+) => {$(
        #[doc = concat!("The permission `", stringify!($name), "`.")]
        #[derive(Debug)]
        pub struct $name;

        impl Requirement for $name {
            type Access = $access;
            const NAME: &'static str = Permission::$name.as_str();
            const LEVEL: &'static str = $level;
            fn grant(caller: &Caller) -> Result<$access, Problem> {
                requirement::$grant(caller, Permission::$name)
            }
        }
    )+};
}

permissions!(OrgAccess, organization, "organization":
    OrgRead OrgUpdate OrgDelete OrgLeave MembersRead MembersInvite MembersRemove MembersChangeRole
    AgentsWrite SkillsWrite ToolsWrite ProvidersWrite ModelsRead ModelsWrite ModelsDelete ProxiesRead ProxiesWrite ProxiesDelete
    ProviderKeysRead ProviderKeysWrite ProviderKeysDelete ApplicationsRead ApplicationsWrite ApplicationsDelete AuditLogRead);

permissions!(AppAccess, application, "application":
    AgentsRead AgentsRun AgentsConfigure SkillsRead ToolsRead ProvidersRead RunsRead RunsCancel MemoriesRead MemoriesDelete
    NotificationsRead NotificationsWrite
    ConnectionsRead ConnectionsConnect ConnectionsDisconnect ApiKeysRead ApiKeysCreate ApiKeysRevoke
    EndUsersRead EndUsersWrite EndUsersDelete);
