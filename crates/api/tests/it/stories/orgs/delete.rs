use domain::{Code, Role};
use serde_json::json;

use crate::walk::{Kind, Stage, Target};
use crate::world::World;

#[tokio::test]
async fn an_organization_goes_with_everything_in_it() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let key = ada.full_key().await;
        let path = format!("/api/orgs/{}", ada.org);
        for role in [Role::Admin, Role::Member, Role::Viewer] {
            ada.member(role).await.delete(&path).await.refused(Code::Forbidden);
        }
        bob.delete(&path).await.refused(Code::NotFound);
        ada.delete(&path).await.is(204);
        key.get("/api/runs").await.refused(Code::Unauthorized);
        ada.get(&path).await.refused(Code::Forbidden);
        let left = ada.without("x-org-id").without("x-app-id").get("/api/orgs").await.is(200);
        assert_eq!(left.at("/data"), json!([]));
        bob.get(&format!("/api/orgs/{}", bob.org)).await.is(200);
    }
}

#[tokio::test]
async fn runs_are_not_pulled_out_from_under_a_worker() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = Kind::Run.make(&stage, Target::Own).await.id;
        let path = format!("/api/orgs/{}", stage.own.org);
        stage.own.delete(&path).await.refused(Code::RunInProgress);
        stage.own.get(&format!("/api/runs/{run}")).await.is(200);
        stage.own.send(axum::http::Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
        stage.own.delete(&path).await.is(204);
    }
}
