//! Two tenants with everything that the walk needs before it begins.

use domain::{AppId, EndUserId, UserId};
use serde_json::json;
use store::TokenPurpose;

use super::principal::Principal;
use super::rows::{import, install, publish_agent, publish_provider};
use crate::world::{Actor, KeyPlan, Tenant, World};

/// A text in every row of the foreign tenant that holds text. No answer to anybody else may hold it.
pub(crate) const CANARY: &str = "canary";

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
    pub(crate) slug: &'static str,
    /// An agent that its application has installed.
    pub(crate) agent: String,
}

impl<'w> Stage<'w> {
    pub(crate) async fn set(world: &'w World) -> Self {
        let (own, foreign) = (world.tenant("own").await, world.tenant(CANARY).await);
        let walker = world.proven_user("walker@example.com").await;
        let sibling_app = own.application("Staging").await;
        let (grace, alan, deleted) = (own.end_user("Grace").await, own.end_user("Alan").await, own.end_user("Deleted").await);
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
        let sibling_key = own.key_of(KeyPlan { app: sibling_app, scopes, ..own.plan(&[]) }).await.1;
        Self { world, walker, own, foreign, sibling_app, grace, alan, deleted, foreign_end_user, key, sibling_key, foreign_key }
    }

    /// A secret as it is mailed to the walker.
    pub(crate) async fn mailed(&self, purpose: TokenPurpose) -> String {
        self.world.account_token(self.walker, purpose).await
    }

    pub(crate) fn home(&self, principal: Principal) -> Home<'_, 'w> {
        match principal {
            Principal::StrangerKey => Home { tenant: &self.foreign, slug: CANARY, agent: format!("@{CANARY}/helper") },
            Principal::SiblingKey => Home { tenant: &self.own, slug: "own", agent: "@own/elsewhere".to_owned() },
            _ => Home { tenant: &self.own, slug: "own", agent: "@own/helper".to_owned() },
        }
    }
}
