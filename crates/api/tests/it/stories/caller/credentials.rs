use std::time::Duration;

use domain::{Code, Role};

use crate::world::{KeyPlan, World};

#[tokio::test]
async fn a_bad_key_is_final_also_beside_a_good_cookie() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.get("/api/end-users").await.is(200);
    let unknown = format!("Bearer ask_{}", "0".repeat(48));
    for bad in [unknown.as_str(), "Bearer ask_", "Bearer", "Bearer sk_123", "Basic YTpi", "", "ask_123", "Bearer  ask_x"] {
        let reply = ada.with("authorization", bad).get("/api/end-users").await.refused(Code::Unauthorized);
        assert!(!reply.text.contains("ask_0"), "{reply}");
    }
    ada.with("authorization", b"Bearer ask_\xff\xfe").get("/api/end-users").await.refused(Code::Unauthorized);
}

#[tokio::test]
async fn revoked_expired_and_orphaned_keys_read_as_unknown_ones() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let (revoked_id, revoked) = ada.key_of(ada.plan(&["end-users:read"])).await;
    let expires_at = Some(world.store.clock().now() + chrono::TimeDelta::seconds(60));
    let (_, expired) = ada.key_of(KeyPlan { expires_at, ..ada.plan(&["end-users:read"]) }).await;
    let creator = ada.joined(Role::Admin).await;
    let (_, orphaned) = ada.key_of(KeyPlan { creator, ..ada.plan(&["end-users:read"]) }).await;
    for key in [&revoked, &expired, &orphaned] {
        key.get("/api/end-users").await.is(200);
    }

    ada.revoke(revoked_id).await;
    world.clock.advance(Duration::from_mins(1));
    ada.leave(creator).await;

    let unknown = world.anonymous().with_key("ask_unknown").get("/api/end-users").await.refused(Code::Unauthorized);
    for key in [&revoked, &expired, &orphaned] {
        let reply = key.get("/api/end-users").await.refused(Code::Unauthorized);
        assert_eq!(reply.stable(&[]), unknown.stable(&[]));
    }
}

#[tokio::test]
async fn who_leaves_or_falls_in_rank_feels_it_with_the_next_request() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let user = ada.joined(Role::Admin).await;
    let session = world.session(user).await;
    let bob = ada.instead("cookie", format!("appstrate_session={}", session.token.expose()));
    bob.get("/api/api-keys").await.is(200);
    let write = world.store.write(&ada.scope, store::WriteContext::internal()).await.unwrap();
    write.members().set_role(user, Role::Member).await.unwrap();
    write.commit().await.unwrap();
    bob.get("/api/api-keys").await.refused(Code::Forbidden);
    ada.leave(user).await;
    bob.get("/api/end-users").await.refused(Code::Forbidden);
}

#[tokio::test]
async fn duplicate_headers_are_an_error_and_not_a_choice() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    let grace = ada.end_user("Grace").await;
    let twice = [
        (key.with_key("ask_2"), "Authorization"),
        (ada.with("x-org-id", ada.org.to_string()), "X-Org-Id"),
        (ada.with("x-app-id", ada.app.to_string()), "X-App-Id"),
        (key.as_user(grace).as_user(grace), "Appstrate-User"),
    ];
    for (caller, name) in twice {
        assert_eq!(caller.get("/api/end-users").await.refused(Code::InvalidRequest).at("/param"), name);
    }
}
