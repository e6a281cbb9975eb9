use domain::{Code, Role};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn members_see_each_other_and_nobody_elses() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let path = format!("/api/orgs/{}/members", ada.org);
    let viewer = ada.member(Role::Viewer).await;
    let page = viewer.get(&path).await.is(200);
    assert_eq!(page.at("/pagination/total"), 2);
    assert_eq!((page.text_at("/data/0/role"), page.text_at("/data/1/email")), ("viewer".to_owned(), "ada@example.com".to_owned()));
    bob.get(&path).await.refused(Code::NotFound);
    ada.full_key().await.get(&path).await.refused(Code::Forbidden);
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on_also_for_keys() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let (admin, session) = (ada.joined(Role::Admin).await, ada.member(Role::Admin).await);
    let (_, key) = ada.key_of(crate::world::KeyPlan { creator: admin, ..ada.plan(&["end-users:write", "end-users:read"]) }).await;
    key.post("/api/end-users", &json!({})).await.is(201);
    let path = format!("/api/orgs/{}/members/{admin}", ada.org);
    session.patch(&path, &json!({"role": "viewer"})).await.refused(Code::Forbidden);
    assert_eq!(ada.patch(&path, &json!({"role": "viewer"})).await.is(200).text_at("/role"), "viewer");
    key.post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
    key.get("/api/end-users").await.is(200);
    for body in [json!({"role": "god"}), json!({"role": null}), json!({})] {
        ada.patch(&path, &body).await.invalid_at("/role");
    }
    let own = format!("/api/orgs/{}/members/{}", ada.org, ada.owner);
    ada.patch(&own, &json!({"role": "viewer"})).await.refused(Code::OperationNotAllowed);
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_with_keys_and_invitations() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let admin = ada.joined(Role::Admin).await;
        let session = world.session(admin).await;
        let theirs = ada.instead("cookie", format!("appstrate_session={}", session.token.expose()));
        let (_, key) = ada.key_of(crate::world::KeyPlan { creator: admin, ..ada.plan(&["runs:read"]) }).await;
        let invitations = format!("/api/orgs/{}/invitations", ada.org);
        theirs.post(&invitations, &json!({"email": "carol@example.com"})).await.is(201);
        key.get("/api/runs").await.is(200);

        ada.delete(&format!("/api/orgs/{}/members/{admin}", ada.org)).await.is(204);
        theirs.get("/api/runs").await.refused(Code::Forbidden);
        key.get("/api/runs").await.refused(Code::Unauthorized);
        assert_eq!(ada.get(&invitations).await.is(200).at("/pagination/total"), 0);
        ada.delete(&format!("/api/orgs/{}/members/{admin}", ada.org)).await.refused(Code::NotFound);
        // A key does not come back with its maker.
        let write = world.store.write(&ada.scope, store::WriteContext::internal()).await.unwrap();
        write.members().add(admin, Role::Admin).await.unwrap();
        write.commit().await.unwrap();
        key.get("/api/runs").await.refused(Code::Unauthorized);
    }
}

#[tokio::test]
async fn an_organization_keeps_an_owner() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (admin, second) = (ada.member(Role::Admin).await, ada.joined(Role::Owner).await);
        let of = |user| format!("/api/orgs/{}/members/{user}", ada.org);
        admin.delete(&of(second)).await.refused(Code::OperationNotAllowed);
        let session = world.session(second).await;
        let theirs = ada.instead("cookie", format!("appstrate_session={}", session.token.expose()));
        // Two owners who remove each other at once: one stays.
        let (mine, yours) = (of(second), of(ada.owner));
        let (first, other) = tokio::join!(ada.delete(&mine), theirs.delete(&yours));
        let statuses = [first.status, other.status];
        assert!(statuses.contains(&204) && statuses.iter().any(|status| matches!(status, 403 | 404 | 409)), "{statuses:?}");
        let left = admin.get(&format!("/api/orgs/{}/members", ada.org)).await.is(200);
        let owners = left.json()["data"].as_array().unwrap().iter().filter(|member| member["role"] == "owner").count();
        assert_eq!(owners, 1);
        let last = if first.status == 204 { &ada.owner } else { &second };
        let caller = if first.status == 204 { (*ada).clone() } else { theirs };
        caller.delete(&of(*last)).await.refused(Code::LastOwner);
    }
}

#[tokio::test]
async fn whoever_is_no_last_owner_leaves_alone() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let path = format!("/api/orgs/{}/leave", ada.org);
        ada.post(&path, &json!({})).await.refused(Code::LastOwner);
        for role in [Role::Viewer, Role::Member, Role::Admin, Role::Owner] {
            let user = ada.joined(role).await;
            let session = world.session(user).await;
            let theirs = ada.instead("cookie", format!("appstrate_session={}", session.token.expose()));
            let (_, key) = ada.key_of(crate::world::KeyPlan { creator: user, ..ada.plan(&["runs:read"]) }).await;
            key.get("/api/runs").await.is(200);
            key.post(&path, &json!({})).await.refused(Code::Forbidden);

            theirs.post(&path, &json!({})).await.is(204);
            theirs.get("/api/runs").await.refused(Code::Forbidden);
            theirs.post(&path, &json!({})).await.refused(Code::Forbidden);
            key.get("/api/runs").await.refused(Code::Unauthorized);
        }
        assert_eq!(ada.get(&format!("/api/orgs/{}/members", ada.org)).await.is(200).at("/pagination/total"), 1);
        let bob = world.tenant("bob").await;
        bob.post(&path, &json!({})).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn who_may_invite_no_more_has_no_invitations_open() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let admin = ada.joined(Role::Admin).await;
        let session = world.session(admin).await;
        let theirs = ada.instead("cookie", format!("appstrate_session={}", session.token.expose()));
        let (invitations, member) = (format!("/api/orgs/{}/invitations", ada.org), format!("/api/orgs/{}/members/{admin}", ada.org));
        theirs.post(&invitations, &json!({"email": "carol@example.com"})).await.is(201);
        ada.post(&invitations, &json!({"email": "dan@example.com"})).await.is(201);

        ada.patch(&member, &json!({"role": "owner"})).await.is(200);
        assert_eq!(ada.get(&invitations).await.at("/pagination/total"), 2, "an owner may invite");
        ada.patch(&member, &json!({"role": "member"})).await.is(200);

        let left = ada.get(&invitations).await.is(200);
        assert_eq!((left.at("/pagination/total"), left.at("/data/0/email")), (json!(1), json!("dan@example.com")));
        let rows = ada.audit().await;
        assert_eq!(rows[0].detail, json!({"role": {"from": "owner", "to": "member"}, "invitationsCancelled": 1}));
    }
}

/// Whichever of two requests comes first: an invitation under way does not outlive the right to make it.
#[tokio::test]
async fn an_invitation_under_way_does_not_outlive_the_right_to_invite() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let invitations = format!("/api/orgs/{}/invitations", ada.org);
        for round in 0..12 {
            let admin = ada.joined(Role::Admin).await;
            let session = world.session(admin).await;
            let theirs = ada.instead("cookie", format!("appstrate_session={}", session.token.expose()));
            let member = format!("/api/orgs/{}/members/{admin}", ada.org);
            let ends = async {
                if round % 2 == 0 {
                    ada.delete(&member).await.is(204)
                } else {
                    ada.patch(&member, &json!({"role": "viewer"})).await.is(200)
                }
            };
            let email = json!({"email": format!("guest{round}@example.com")});
            let (invited, _) = tokio::join!(theirs.post(&invitations, &email), ends);
            assert!(matches!(invited.status, 201 | 403), "{invited}");
            assert_eq!(ada.get(&invitations).await.is(200).at("/pagination/total"), 0, "round {round}: {invited}");
        }
    }
}
