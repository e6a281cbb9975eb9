//! Two tenants with everything that the walk needs before it begins.

use domain::{AppId, EndUserId, UserId};
use serde_json::json;
use store::TokenPurpose;

use super::operation::Operation;
use super::principal::Principal;
use super::rows::{import, install, publish_agent, publish_provider};
use crate::world::{Actor, KeyPlan, Tenant, World};

/// A text in every row of the foreign tenant that holds text of its own; `canaries.rs` looks. No answer to anybody else may hold it.
pub(crate) const CANARY: &str = "canary";

/// A text in the rows of the sibling application; no answer in another application may hold it.
pub(crate) const OUTSKIRTS: &str = "outskirts";

/// Texts in the rows of the own application's end-users; no answer to the other end-user may hold it.
pub(crate) const GRACE: &str = "grace-herself";
pub(crate) const ALAN: &str = "alan-himself";

/// Two tenants; the own one with a second application and two end-users.
pub(crate) struct Stage<'w> {
    pub(crate) world: &'w World,
    /// A user without an organization.
    walker: UserId,
    pub(crate) own: Tenant<'w>,
    pub(crate) foreign: Tenant<'w>,
    pub(crate) sibling_app: AppId,
    pub(crate) grace: EndUserId,
    pub(crate) alan: EndUserId,
    pub(crate) deleted: EndUserId,
    pub(crate) foreign_end_user: EndUserId,
    /// Whole keys of the own, the sibling and the foreign application.
    pub(crate) key: Actor<'w>,
    pub(crate) sibling_key: Actor<'w>,
    pub(crate) foreign_key: Actor<'w>,
}

/// Where a caller is at home.
pub(crate) struct Home<'s, 'w> {
    pub(crate) tenant: &'s Tenant<'w>,
    /// In the texts of the organization.
    pub(crate) slug: &'static str,
    /// In the texts of the caller's application or end-user.
    pub(crate) mark: &'static str,
    /// An agent that its application has installed.
    pub(crate) agent: String,
}

impl<'w> Stage<'w> {
    pub(crate) async fn set(world: &'w World) -> Self {
        let (own, foreign) = (world.tenant("own").await, world.tenant(CANARY).await);
        let walker = world.proven_user("walker@example.com").await;
        let sibling_app = own.application("Staging").await;
        let (grace, alan, deleted) = (own.end_user(GRACE).await, own.end_user(ALAN).await, own.end_user("Deleted").await);
        own.delete_end_user(deleted).await;
        let foreign_end_user = foreign.end_user(CANARY).await;
        for (tenant, slug) in [(&own, "own"), (&foreign, CANARY)] {
            publish_agent(tenant, &format!("@{slug}/helper")).await;
            publish_agent(tenant, &format!("@{slug}/removable")).await;
            publish_provider(tenant, &format!("@{slug}/shop")).await;
            import(tenant, slug).await;
            install(tenant, tenant.app, &format!("@{slug}/helper")).await;
            let model = json!({"label": slug, "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": slug});
            tenant.post("/api/models", &model).await.is(201);
        }
        let elsewhere = publish_agent(&own, "@own/elsewhere").await;
        install(&own, sibling_app, &elsewhere).await;
        // The foreign tenant's own rows of the audit log hold the text as well.
        let (key, foreign_key) = (own.full_key().await, foreign.full_key().await.with("user-agent", CANARY));
        let scopes = domain::PermissionSet::grantable_to_key(domain::Role::Owner).iter().map(|scope| scope.as_str().to_owned()).collect();
        let sibling_key =
            own.key_of(KeyPlan { app: sibling_app, scopes, name: OUTSKIRTS, ..own.plan(&[]) }).await.1.with("user-agent", OUTSKIRTS);
        Self { world, walker, own, foreign, sibling_app, grace, alan, deleted, foreign_end_user, key, sibling_key, foreign_key }
    }

    /// A secret as it is mailed to the walker.
    pub(crate) async fn mailed(&self, purpose: TokenPurpose) -> String {
        self.world.account_token(self.walker, purpose).await
    }

    /// What no answer to this caller may hold: texts of rows that it may not see, and the ids of tenants that are not its own.
    pub(crate) fn hidden_from(&self, principal: Principal, operation: &Operation) -> Vec<String> {
        let foreign = [CANARY.to_owned(), self.foreign.org.to_string(), self.foreign.app.to_string()];
        let own = [self.own.org.to_string(), self.own.app.to_string()];
        let (outskirts, grace, alan) = (OUTSKIRTS.to_owned(), GRACE.to_owned(), ALAN.to_owned());
        let sibling = self.sibling_app.to_string();
        let mut hidden = Vec::new();
        if principal == Principal::StrangerKey {
            hidden.extend(own);
        } else {
            hidden.extend(foreign);
        }
        if principal != Principal::SiblingKey {
            hidden.push(outskirts);
            // Members manage all applications of their organization.
            if !(principal.is_session() && operation.path.starts_with("/api/applications")) {
                hidden.push(sibling);
            }
        }
        let sees_end_users =
            principal.is_session() || matches!(principal, Principal::FullKey | Principal::DefaultKey | Principal::NarrowKey);
        if !sees_end_users {
            hidden.extend((principal != Principal::EndUser).then_some(grace));
            hidden.extend((principal != Principal::SiblingEndUser).then_some(alan));
        }
        hidden
    }

    pub(crate) fn home(&self, principal: Principal) -> Home<'_, 'w> {
        match principal {
            Principal::StrangerKey => Home { tenant: &self.foreign, slug: CANARY, mark: CANARY, agent: format!("@{CANARY}/helper") },
            Principal::SiblingKey => Home { tenant: &self.own, slug: "own", mark: OUTSKIRTS, agent: "@own/elsewhere".to_owned() },
            Principal::EndUser => Home { tenant: &self.own, slug: "own", mark: GRACE, agent: "@own/helper".to_owned() },
            Principal::SiblingEndUser => Home { tenant: &self.own, slug: "own", mark: ALAN, agent: "@own/helper".to_owned() },
            _ => Home { tenant: &self.own, slug: "own", mark: "own", agent: "@own/helper".to_owned() },
        }
    }
}
