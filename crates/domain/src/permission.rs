//! The permission table: one row per permission, one place that says who may hold it.
//!
//! Roles are columns, and so are the two narrower holders: an API key (grantable at all, and whether it is in the default
//! set) and an end-user. The reference page, the OpenAPI document and the audit text are generated from it.

use crate::principal::Role;

/// Which level of scope a permission yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Organization,
    Application,
}

/// How an API key may come to hold a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyGrant {
    /// Never; not even by name.
    Never,
    /// Only when the key's scopes name it: organization-wide writes.
    ByName,
    /// Also part of the set that a key gets when no scopes are listed.
    Default,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub name: &'static str,
    pub level: Level,
    roles: &'static [Role],
    pub key: KeyGrant,
    pub end_user: bool,
}

const ALL: &[Role] = &[Role::Owner, Role::Admin, Role::Member, Role::Viewer];
const MEMBER: &[Role] = &[Role::Owner, Role::Admin, Role::Member];
const ADMIN: &[Role] = &[Role::Owner, Role::Admin];
const OWNER: &[Role] = &[Role::Owner];

macro_rules! permissions {
    ($($variant:ident = $name:literal, $level:ident, $roles:ident, $key:ident, $end_user:literal;)+) => {
        /// Something a caller may do, `resource:action`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission { $($variant),+ }

        impl Permission {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// This permission's row.
            pub const fn rule(self) -> Rule {
                match self {
                    $(Self::$variant => Rule { name: $name, level: Level::$level, roles: $roles, key: KeyGrant::$key, end_user: $end_user }),+
                }
            }
        }
    };
}

permissions! {
    OrgRead = "org:read", Organization, ALL, Never, false;
    OrgUpdate = "org:update", Organization, ADMIN, Never, false;
    OrgDelete = "org:delete", Organization, OWNER, Never, false;
    OrgLeave = "org:leave", Organization, ALL, Never, false;
    MembersRead = "members:read", Organization, ALL, Never, false;
    MembersInvite = "members:invite", Organization, ADMIN, Never, false;
    MembersRemove = "members:remove", Organization, ADMIN, Never, false;
    MembersChangeRole = "members:change-role", Organization, OWNER, Never, false;
    AgentsRead = "agents:read", Application, ALL, Default, true;
    AgentsRun = "agents:run", Application, MEMBER, Default, true;
    AgentsConfigure = "agents:configure", Application, ADMIN, Default, false;
    AgentsWrite = "agents:write", Organization, ADMIN, ByName, false;
    AgentsDelete = "agents:delete", Organization, ADMIN, ByName, false;
    SkillsRead = "skills:read", Application, ALL, Default, true;
    SkillsWrite = "skills:write", Organization, ADMIN, ByName, false;
    SkillsDelete = "skills:delete", Organization, ADMIN, ByName, false;
    ToolsRead = "tools:read", Application, ALL, Default, true;
    ToolsWrite = "tools:write", Organization, ADMIN, ByName, false;
    ToolsDelete = "tools:delete", Organization, ADMIN, ByName, false;
    ProvidersRead = "providers:read", Application, ALL, Default, true;
    ProvidersWrite = "providers:write", Organization, ADMIN, ByName, false;
    ProvidersDelete = "providers:delete", Organization, ADMIN, ByName, false;
    RunsRead = "runs:read", Application, ALL, Default, true;
    RunsCancel = "runs:cancel", Application, MEMBER, Default, true;
    RunsDelete = "runs:delete", Application, ADMIN, Default, false;
    SchedulesRead = "schedules:read", Application, ALL, Default, true;
    SchedulesWrite = "schedules:write", Application, MEMBER, Default, true;
    SchedulesDelete = "schedules:delete", Application, MEMBER, Default, true;
    MemoriesRead = "memories:read", Application, ALL, Default, true;
    MemoriesDelete = "memories:delete", Application, ADMIN, Default, true;
    NotificationsRead = "notifications:read", Application, ALL, Default, true;
    NotificationsWrite = "notifications:write", Application, ALL, Default, true;
    UploadsRead = "uploads:read", Application, ALL, Default, true;
    UploadsWrite = "uploads:write", Application, MEMBER, Default, true;
    ConnectionsRead = "connections:read", Application, ALL, Default, true;
    ConnectionsConnect = "connections:connect", Application, MEMBER, Default, true;
    ConnectionsDisconnect = "connections:disconnect", Application, MEMBER, Default, true;
    ProfilesRead = "profiles:read", Application, ALL, Default, true;
    ProfilesWrite = "profiles:write", Application, MEMBER, Default, true;
    ProfilesDelete = "profiles:delete", Application, MEMBER, Default, true;
    AppProfilesRead = "app-profiles:read", Application, ALL, Default, false;
    AppProfilesBind = "app-profiles:bind", Application, MEMBER, Default, false;
    AppProfilesWrite = "app-profiles:write", Application, ADMIN, Default, false;
    AppProfilesDelete = "app-profiles:delete", Application, ADMIN, Default, false;
    ModelsRead = "models:read", Organization, ALL, Default, true;
    ModelsWrite = "models:write", Organization, ADMIN, ByName, false;
    ModelsDelete = "models:delete", Organization, ADMIN, ByName, false;
    ProxiesRead = "proxies:read", Organization, ALL, Default, true;
    ProxiesWrite = "proxies:write", Organization, ADMIN, ByName, false;
    ProxiesDelete = "proxies:delete", Organization, ADMIN, ByName, false;
    ProviderKeysRead = "provider-keys:read", Organization, ADMIN, Never, false;
    ProviderKeysWrite = "provider-keys:write", Organization, ADMIN, Never, false;
    ProviderKeysDelete = "provider-keys:delete", Organization, ADMIN, Never, false;
    ApiKeysRead = "api-keys:read", Application, ADMIN, Never, false;
    ApiKeysCreate = "api-keys:create", Application, ADMIN, Never, false;
    ApiKeysRevoke = "api-keys:revoke", Application, ADMIN, Never, false;
    ApplicationsRead = "applications:read", Organization, ALL, Default, true;
    ApplicationsWrite = "applications:write", Organization, MEMBER, Default, false;
    ApplicationsDelete = "applications:delete", Organization, ADMIN, ByName, false;
    EndUsersRead = "end-users:read", Application, ALL, Default, true;
    EndUsersWrite = "end-users:write", Application, MEMBER, Default, false;
    EndUsersDelete = "end-users:delete", Application, ADMIN, Default, false;
    WebhooksRead = "webhooks:read", Application, ADMIN, Default, true;
    WebhooksWrite = "webhooks:write", Application, ADMIN, Default, false;
    WebhooksDelete = "webhooks:delete", Application, ADMIN, Default, false;
    OauthClientsRead = "oauth-clients:read", Organization, ADMIN, ByName, false;
    OauthClientsWrite = "oauth-clients:write", Organization, ADMIN, ByName, false;
    OauthClientsDelete = "oauth-clients:delete", Organization, ADMIN, ByName, false;
    AuditLogRead = "audit-log:read", Organization, ADMIN, ByName, false;
}

impl Permission {
    pub const fn as_str(self) -> &'static str {
        self.rule().name
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text)
    }

    /// Whether a member with `role` holds this permission.
    pub fn is_held_by(self, role: Role) -> bool {
        self.rule().roles.contains(&role)
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u128);

impl PermissionSet {
    pub const EMPTY: Self = Self(0);

    /// What a signed-in member with `role` may do.
    pub fn of_role(role: Role) -> Self {
        Permission::ALL.iter().copied().filter(|permission| permission.is_held_by(role)).collect()
    }

    /// What a key gets when its creator, with `role`, lists no scopes.
    pub fn default_for_key(role: Role) -> Self {
        Self::of_role(role).filter(|permission| permission.rule().key == KeyGrant::Default)
    }

    /// What a key of a creator with `role` may be given by name.
    pub fn grantable_to_key(role: Role) -> Self {
        Self::of_role(role).filter(|permission| permission.rule().key != KeyGrant::Never)
    }

    /// What a call made as an end-user may do at most.
    pub fn end_user() -> Self {
        Permission::ALL.iter().copied().filter(|permission| permission.rule().end_user).collect()
    }

    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u64) != 0
    }

    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }

    fn filter(self, keep: impl Fn(Permission) -> bool) -> Self {
        self.iter().filter(|permission| keep(*permission)).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u64))
    }
}

impl std::fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_holds_the_whole_table() {
        assert!(Permission::ALL.len() <= 128, "PermissionSet is 128 bits wide");
        assert!(Permission::ALL.iter().all(|permission| Permission::parse(permission.as_str()) == Some(*permission)));
    }

    #[test]
    fn organization_wide_writes_are_never_in_a_default_key() {
        let default = PermissionSet::default_for_key(Role::Owner);
        for scope in
            ["models:write", "agents:write", "providers:write", "models:delete", "proxies:write", "applications:delete", "audit-log:read"]
        {
            assert!(!default.contains(Permission::parse(scope).expect("known")), "{scope}");
        }
    }

    #[test]
    fn an_end_user_never_holds_what_no_key_may_hold() {
        assert!(PermissionSet::end_user().iter().all(|permission| permission.rule().key != KeyGrant::Never));
    }

    #[test]
    fn members_may_write_applications_and_viewers_may_not() {
        assert!(Permission::ApplicationsWrite.is_held_by(Role::Member));
        assert!(!Permission::ApplicationsWrite.is_held_by(Role::Viewer));
    }
}
