//! Who calls: every role, every state of a key, end-users, strangers, nobody.

use chrono::TimeDelta;
use domain::{Permission, PermissionSet, Role};

use super::operation::Operation;
use super::stage::{OUTSKIRTS, Stage};
use crate::world::{Actor, KeyPlan};

/// A caller of the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    Nobody,
    Session(Role),
    /// The owner of another organization, who names this one.
    StrangerSession,
    FullKey,
    DefaultKey,
    /// A key with every scope but the one that is asked for.
    NarrowKey,
    UnknownKey,
    RevokedKey,
    ExpiredKey,
    /// A key whose creator has left.
    OrphanedKey,
    /// A key of another application of the organization.
    SiblingKey,
    /// A key of another organization.
    StrangerKey,
    /// A full key on behalf of an end-user.
    EndUser,
    /// The same on behalf of the other end-user of the application.
    SiblingEndUser,
    DeletedEndUser,
    /// On behalf of another organization's end-user.
    StrangersEndUser,
}

impl Principal {
    pub(crate) const ALL: [Self; 19] = [
        Self::Nobody,
        Self::Session(Role::Owner),
        Self::Session(Role::Admin),
        Self::Session(Role::Member),
        Self::Session(Role::Viewer),
        Self::StrangerSession,
        Self::FullKey,
        Self::DefaultKey,
        Self::NarrowKey,
        Self::UnknownKey,
        Self::RevokedKey,
        Self::ExpiredKey,
        Self::OrphanedKey,
        Self::SiblingKey,
        Self::StrangerKey,
        Self::EndUser,
        Self::SiblingEndUser,
        Self::DeletedEndUser,
        Self::StrangersEndUser,
    ];

    /// What the caller may do at most.
    pub(crate) fn permissions(self, operation: &Operation) -> PermissionSet {
        let full = PermissionSet::grantable_to_key(Role::Owner);
        match self {
            Self::Session(role) => PermissionSet::of_role(role),
            Self::FullKey | Self::SiblingKey | Self::StrangerKey => full,
            Self::DefaultKey => PermissionSet::default_for_key(Role::Owner),
            Self::NarrowKey => full.iter().filter(|permission| permission.as_str() != operation.permission).collect(),
            Self::EndUser | Self::SiblingEndUser => full.intersection(PermissionSet::end_user()),
            Self::Nobody
            | Self::StrangerSession
            | Self::UnknownKey
            | Self::RevokedKey
            | Self::ExpiredKey
            | Self::OrphanedKey
            | Self::DeletedEndUser
            | Self::StrangersEndUser => PermissionSet::EMPTY,
        }
    }

    /// Whether a good key names an end-user, rightly or not.
    pub(crate) fn is_impersonation(self) -> bool {
        matches!(self, Self::EndUser | Self::SiblingEndUser | Self::DeletedEndUser | Self::StrangersEndUser)
    }

    pub(crate) fn is_session(self) -> bool {
        matches!(self, Self::Session(_))
    }

    /// The caller, with the headers that the operation's level asks for. A session is fresh: the operation may end it.
    pub(crate) async fn actor<'w>(self, stage: &Stage<'w>, operation: &Operation) -> Actor<'w> {
        let own = &stage.own;
        let full: Vec<_> = PermissionSet::grantable_to_key(Role::Owner).iter().map(Permission::as_str).collect();
        let named: Vec<_> = self.permissions(operation).iter().map(Permission::as_str).collect();
        match self {
            Self::Nobody => stage.world.anonymous(),
            Self::Session(role) => {
                // Neither another test's session nor the stage's own membership may end.
                let is_shared = role == Role::Owner && !matches!(operation.id.as_str(), "revokeOtherSessions" | "leaveOrganization");
                let user = if is_shared { own.owner } else { own.joined(role).await };
                self.signed_in(stage, user, operation).await
            }
            Self::StrangerSession => self.signed_in(stage, stage.foreign.owner, operation).await.instead("x-org-id", own.org.to_string()),
            Self::FullKey | Self::DefaultKey | Self::NarrowKey => own.key(&named).await,
            Self::UnknownKey => stage.world.anonymous().with_key(&format!("ask_{}", "0".repeat(48))),
            Self::RevokedKey => {
                let (id, key) = own.key_of(own.plan(&full)).await;
                own.revoke(id).await;
                key
            }
            Self::ExpiredKey => {
                let expires_at = Some(stage.world.store.clock().now() - TimeDelta::seconds(1));
                own.key_of(KeyPlan { expires_at, ..own.plan(&full) }).await.1
            }
            Self::OrphanedKey => {
                let creator = own.joined(Role::Admin).await;
                let (_, key) = own.key_of(KeyPlan { creator, ..own.plan(&full) }).await;
                own.leave(creator).await;
                key
            }
            Self::SiblingKey => own.key_of(KeyPlan { app: stage.sibling_app, name: OUTSKIRTS, ..own.plan(&full) }).await.1,
            Self::StrangerKey => stage.foreign.full_key().await,
            Self::EndUser => own.full_key().await.as_user(stage.grace),
            Self::SiblingEndUser => own.full_key().await.as_user(stage.alan),
            Self::DeletedEndUser => own.full_key().await.as_user(stage.deleted),
            Self::StrangersEndUser => own.full_key().await.as_user(stage.foreign_end_user),
        }
    }

    async fn signed_in<'w>(self, stage: &Stage<'w>, user: domain::UserId, operation: &Operation) -> Actor<'w> {
        let session = stage.world.session(user).await;
        let mut actor = stage.world.anonymous().with_cookie(session.token.expose());
        if matches!(operation.level.as_str(), "organization" | "application") {
            actor = actor.with("x-org-id", stage.own.org.to_string());
        }
        if operation.level == "application" {
            actor = actor.with("x-app-id", stage.own.app.to_string());
        }
        actor
    }
}
