use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn another_sites_form_cannot_use_the_session() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for origin in
        ["https://evil.example", "null", "http://localhost:3001", "https://localhost:3000", "http://localhost:3000.evil.example", ""]
    {
        let foreign = ada.with("origin", origin);
        let reply = foreign.post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
        assert_eq!(reply.at("/param"), "Origin");
        foreign
            .delete(&format!("/api/end-users/{}", ada.end_user(&format!("Eu{}", crate::world::unique())).await))
            .await
            .refused(Code::Forbidden);
        foreign.get("/api/end-users").await.is(200);
    }
    for origin in ["http://localhost:3000", "https://console.example"] {
        ada.with("origin", origin).post("/api/end-users", &json!({})).await.is(201);
    }
    ada.post("/api/end-users", &json!({})).await.is(201);
}

#[tokio::test]
async fn a_key_is_no_browsers_and_may_come_from_anywhere() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.full_key().await.with("origin", "https://evil.example").post("/api/end-users", &json!({})).await.is(201);
}

#[tokio::test]
async fn where_a_browser_leaves_the_origin_out_its_other_header_speaks() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for site in ["cross-site", "same-site", "", "nonsense"] {
        let reply = ada.with("sec-fetch-site", site).post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
        assert_eq!(reply.at("/param"), "Sec-Fetch-Site");
        ada.with("sec-fetch-site", site).get("/api/end-users").await.is(200);
    }
    for site in ["same-origin", "none"] {
        ada.with("sec-fetch-site", site).post("/api/end-users", &json!({})).await.is(201);
    }
    let trusted = ada.with("origin", "https://console.example").with("sec-fetch-site", "cross-site");
    trusted.post("/api/end-users", &json!({})).await.is(201);
    let twice = ada.with("origin", "http://localhost:3000").with("origin", "https://evil.example");
    twice.post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
}

#[tokio::test]
async fn another_site_cannot_sign_its_visitors_in() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    let sign_in = json!({"email": "ada@example.com", "password": "correct horse"});
    let sign_up = json!({"name": "Eve", "email": "eve@example.com", "password": "correct horse"});
    let foreign = [world.anonymous().with("origin", "https://evil.example"), world.anonymous().with("sec-fetch-site", "cross-site")];
    for caller in foreign {
        let reply = caller.post("/api/auth/sign-in/email", &sign_in).await.refused(Code::Forbidden);
        assert!(reply.header("set-cookie").is_none());
        caller.post("/api/auth/sign-up/email", &sign_up).await.refused(Code::Forbidden);
    }
    world.anonymous().with("origin", "http://localhost:3000").post("/api/auth/sign-in/email", &sign_in).await.is(200);
    world.anonymous().post("/api/auth/sign-in/email", &sign_in).await.is(200);
}

#[tokio::test]
async fn over_https_a_cookie_that_a_neighbor_may_have_set_is_none() {
    let world = World::with(|options| options.app_url = "https://agents.example".parse().unwrap()).await;
    let session = world.session(world.user("eve@example.com").await).await;
    let token = session.token.expose();
    world.anonymous().with("cookie", format!("appstrate_session={token}")).get("/api/orgs").await.refused(Code::Unauthorized);
    world.anonymous().with("cookie", format!("__Host-appstrate_session={token}")).get("/api/orgs").await.is(200);
}
