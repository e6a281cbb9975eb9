//! An organization as stories need it: an owner who is signed in, the default application, keys, members and end-users on demand.

use std::sync::atomic::{AtomicU32, Ordering};

use auth::sign_in::{Opened, Origin};
use domain::{AppId, EndUserId, InvitationId, KeyId, OrgId, Permission, PermissionSet, Role, Secret, Timestamp, UserId};
use serde_json::{Map, json};
use store::{
    AppScope, AuditRow, Delivery, NewAccountToken, NewApiKey, NewApplication, NewEndUser, NewInvitation, NewOrganization, NewUser,
    OrgScope, Page, TokenPurpose, WriteContext,
};

use super::{Actor, World};

/// An organization. As an actor it is its owner's session, in the default application.
pub(crate) struct Tenant<'w> {
    world: &'w World,
    name: String,
    pub(crate) org: OrgId,
    pub(crate) app: AppId,
    pub(crate) owner: UserId,
    pub(crate) scope: OrgScope,
    owner_session: Opened,
    actor: Actor<'w>,
}

impl<'w> std::ops::Deref for Tenant<'w> {
    type Target = Actor<'w>;

    fn deref(&self) -> &Actor<'w> {
        &self.actor
    }
}

/// A number that no other call in this process gets.
pub(crate) fn unique() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    COUNT.fetch_add(1, Ordering::SeqCst)
}

impl World {
    /// An organization of its own.
    pub(crate) async fn tenant(&self, name: &str) -> Tenant<'_> {
        self.pinned_tenant(name, Some("2026-03-21")).await
    }

    /// The same, whose organization is pinned to this version.
    pub(crate) async fn pinned_tenant(&self, name: &str, pin: Option<&str>) -> Tenant<'_> {
        let write = self.store.system().write(WriteContext::internal()).await.unwrap();
        let owner = write.users().create(self.new_user(&format!("{name}@example.com")).await).await.unwrap().id;
        let settings = pin.map(|pin| ("apiVersion".to_owned(), json!(pin))).into_iter().collect::<Map<_, _>>();
        let application = format!("{name}'s application");
        let new = NewOrganization { name: format!("{name}'s organization"), slug: name.to_owned(), settings, owner, application };
        let (organization, application) = write.create_organization(new).await.unwrap();
        write.commit().await.unwrap();
        let owner_session = self.session(owner).await;
        let system = self.store.system();
        let login = system.session_by_hash(&auth::token::hash(owner_session.token.expose())).await.unwrap().unwrap();
        let scope = system.membership(&login, organization.id).await.unwrap().unwrap().scope;
        let (org, app) = (organization.id, application.id);
        let actor = self.anonymous().with_cookie(owner_session.token.expose());
        let actor = actor.with("x-org-id", org.to_string()).with("x-app-id", app.to_string());
        Tenant { world: self, name: name.to_owned(), org, app, owner, scope, owner_session, actor }
    }

    /// A user with the password "correct horse", whose address was not proven.
    pub(crate) async fn user(&self, email: &str) -> UserId {
        let write = self.store.system().write(WriteContext::internal()).await.unwrap();
        let user = write.users().create(self.new_user(email).await).await.unwrap();
        write.commit().await.unwrap();
        user.id
    }

    /// The same, with a proven address.
    pub(crate) async fn proven_user(&self, email: &str) -> UserId {
        let user = self.user(email).await;
        let write = self.store.system().write(WriteContext::internal()).await.unwrap();
        assert!(write.users().set_email_verified(user).await.unwrap());
        write.commit().await.unwrap();
        user
    }

    /// A secret as it is mailed to the user.
    pub(crate) async fn account_token(&self, user: UserId, purpose: TokenPurpose) -> String {
        let secret = auth::token::new_session_token(self.store.ids());
        let token_hash = auth::token::hash(secret.expose());
        let expires_at = self.store.clock().now() + chrono::TimeDelta::hours(1);
        let write = self.store.system().write(WriteContext::internal()).await.unwrap();
        write.account_tokens().create(NewAccountToken { user, purpose, token_hash, expires_at }).await.unwrap();
        write.commit().await.unwrap();
        secret.expose().clone()
    }

    async fn new_user(&self, email: &str) -> NewUser {
        NewUser {
            realm: auth::sign_up::PLATFORM_REALM.to_owned(),
            email: email.to_owned(),
            name: email.to_owned(),
            email_verified: false,
            password_hash: Some(self.passwords.hash("correct horse".into()).await.unwrap().into()),
        }
    }

    pub(crate) async fn session(&self, user: UserId) -> Opened {
        auth::sign_in::open(&self.store, user, Origin::default(), WriteContext::internal()).await.unwrap()
    }
}

/// What a key is made with.
pub(crate) struct KeyPlan<'n> {
    /// The beginning of its name.
    pub(crate) name: &'n str,
    pub(crate) app: AppId,
    pub(crate) scopes: Vec<String>,
    pub(crate) creator: UserId,
    pub(crate) expires_at: Option<Timestamp>,
}

impl<'w> Tenant<'w> {
    /// The owner's session, as a `Cookie` header.
    pub(crate) fn cookie(&self) -> String {
        format!("appstrate_session={}", self.owner_session.token.expose())
    }

    /// What the organization's own administrators may reach: one application, whole.
    pub(crate) async fn app_scope(&self, app: AppId) -> AppScope {
        let system = self.world.store.system();
        let login = system.session_by_hash(&auth::token::hash(self.owner_session.token.expose())).await.unwrap().unwrap();
        system.application_scope(&self.scope, app, &login).await.unwrap().unwrap()
    }

    /// Another application of the organization.
    pub(crate) async fn application(&self, name: &str) -> AppId {
        let write = self.world.store.write(&self.scope, WriteContext::internal()).await.unwrap();
        let new = NewApplication { name: name.to_owned(), settings: Map::new(), created_by: self.owner };
        let application = write.create_application(new).await.unwrap();
        write.commit().await.unwrap();
        application.id
    }

    /// Another user, with this role, not signed in.
    pub(crate) async fn joined(&self, role: Role) -> UserId {
        let user = self.world.user(&format!("{}-{}@{}.example.com", role.as_str(), unique(), self.name)).await;
        let write = self.world.store.write(&self.scope, WriteContext::internal()).await.unwrap();
        write.members().add(user, role).await.unwrap();
        write.commit().await.unwrap();
        user
    }

    /// An open invitation for this address, and the secret of its link.
    pub(crate) async fn invited(&self, email: &str) -> (InvitationId, String) {
        let token = auth::token::new_invitation_token(self.world.store.ids());
        let new = NewInvitation {
            email: email.to_owned(),
            role: Role::Viewer,
            token_hash: auth::token::hash(token.expose()),
            delivery: Delivery::Link,
            invited_by: self.owner,
            expires_at: self.world.store.clock().now() + auth::invitation::VALID_FOR,
        };
        let write = self.world.store.write(&self.scope, WriteContext::internal()).await.unwrap();
        let invitation = write.invitations().create(new).await.unwrap();
        write.commit().await.unwrap();
        (invitation.id, token.expose().clone())
    }

    pub(crate) async fn leave(&self, user: UserId) {
        let write = self.world.store.write(&self.scope, WriteContext::internal()).await.unwrap();
        assert!(write.members().remove(user).await.unwrap());
        write.commit().await.unwrap();
    }

    /// The session of another member with this role, in the default application.
    pub(crate) async fn member(&self, role: Role) -> Actor<'w> {
        let user = self.joined(role).await;
        let session = self.world.session(user).await;
        self.actor.instead("cookie", format!("appstrate_session={}", session.token.expose()))
    }

    /// A key with these scopes.
    pub(crate) async fn key(&self, scopes: &[&str]) -> Actor<'w> {
        self.key_of(self.plan(scopes)).await.1
    }

    /// A key with everything that a key may be given.
    pub(crate) async fn full_key(&self) -> Actor<'w> {
        let scopes: Vec<_> = PermissionSet::grantable_to_key(Role::Owner).iter().map(Permission::as_str).collect();
        self.key(&scopes).await
    }

    pub(crate) fn plan(&self, scopes: &[&str]) -> KeyPlan<'_> {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        KeyPlan { name: &self.name, app: self.app, scopes, creator: self.owner, expires_at: None }
    }

    pub(crate) async fn key_of(&self, plan: KeyPlan<'_>) -> (KeyId, Actor<'w>) {
        let (id, secret) = self.key_secret(plan).await;
        (id, self.world.anonymous().with_key(secret.expose()))
    }

    pub(crate) async fn key_secret(&self, plan: KeyPlan<'_>) -> (KeyId, Secret) {
        let secret = auth::token::new_api_key(self.world.store.ids());
        let new = NewApiKey {
            name: format!("{} key {}", plan.name, unique()),
            hash: auth::token::hash(secret.expose()),
            prefix: auth::token::shown_prefix(&secret),
            scopes: plan.scopes,
            created_by: plan.creator,
            expires_at: plan.expires_at,
        };
        let write = self.world.store.write(&self.app_scope(plan.app).await, WriteContext::internal()).await.unwrap();
        let key = write.api_keys().create(new).await.unwrap();
        write.commit().await.unwrap();
        (key.id, secret)
    }

    pub(crate) async fn revoke(&self, key: KeyId) {
        let write = self.world.store.write(&self.app_scope(self.app).await, WriteContext::internal()).await.unwrap();
        assert!(write.api_keys().revoke(key).await.unwrap());
        write.commit().await.unwrap();
    }

    /// An end-user of the default application; the name is its external id too.
    pub(crate) async fn end_user(&self, name: &str) -> EndUserId {
        self.end_user_of(self.app, name).await
    }

    pub(crate) async fn end_user_of(&self, app: AppId, name: &str) -> EndUserId {
        let write = self.world.store.write(&self.app_scope(app).await, WriteContext::internal()).await.unwrap();
        let new = NewEndUser {
            external_id: Some(name.to_owned()),
            name: Some(name.to_owned()),
            email: Some(format!("{}@customer.example", name.to_lowercase())),
            metadata: Map::from_iter([("note".to_owned(), json!(name))]),
        };
        let end_user = write.end_users().create(new).await.unwrap();
        write.commit().await.unwrap();
        end_user.id
    }

    pub(crate) async fn delete_end_user(&self, end_user: EndUserId) {
        let write = self.world.store.write(&self.app_scope(self.app).await, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(end_user).await.unwrap());
        write.commit().await.unwrap();
    }

    /// The organization's audit rows, newest first.
    pub(crate) async fn audit(&self) -> Vec<AuditRow> {
        let read = self.world.store.read(&self.scope).await.unwrap();
        read.audit_log(Page { page: 1, size: 100 }).await.unwrap().items
    }
}
