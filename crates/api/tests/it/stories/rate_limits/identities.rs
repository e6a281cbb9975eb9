use axum::http::Method;
use domain::{Code, Role};
use serde_json::json;

use super::world;

const TWO_READS: &str = r#"{"read": {"limit": 2}, "write": {"limit": 1000}, "auth": {"limit": 2}, "create": {"limit": 2}}"#;

#[tokio::test]
async fn a_key_a_user_and_an_address_have_budgets_of_their_own() {
    let world = world(TWO_READS).await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let key = ada.full_key().await;
    for _ in 0..2 {
        key.get("/api/runs").await.is(200);
    }
    key.get("/api/runs").await.refused(Code::RateLimited);
    // Another key of the same creator, the creator's session, another member, another tenant: all from one address.
    for caller in [&ada.full_key().await, &*ada, &ada.member(Role::Admin).await, &bob.full_key().await, &*bob] {
        assert_eq!(caller.get("/api/runs").await.is(200).budget().remaining, 1);
    }
    // From wherever it comes, it is the same key.
    key.with("x-forwarded-for", "198.51.100.1").get("/api/runs").await.refused(Code::RateLimited);
}

#[tokio::test]
async fn all_sessions_of_a_user_share_a_budget_in_every_organization() {
    let world = world(TWO_READS).await;
    let ada = world.tenant("ada").await;
    let user = ada.joined(Role::Member).await;
    let (first, second) = (world.session(user).await, world.session(user).await);
    let sessions = [first, second].map(|session| ada.instead("cookie", format!("appstrate_session={}", session.token.expose())));
    assert_eq!(sessions[0].get("/api/orgs").await.is(200).budget().remaining, 1);
    assert_eq!(sessions[1].get("/api/orgs").await.is(200).budget().remaining, 0);
    sessions[0].without("x-org-id").without("x-app-id").get("/api/orgs").await.refused(Code::RateLimited);
}

#[tokio::test]
async fn the_end_users_of_a_key_share_its_budget() {
    let world = world(TWO_READS).await;
    let ada = world.tenant("ada").await;
    let (grace, alan) = (ada.end_user("Grace").await, ada.end_user("Alan").await);
    let key = ada.full_key().await;
    assert_eq!(key.as_user(grace).get("/api/runs").await.is(200).budget().remaining, 1);
    assert_eq!(key.as_user(alan).get("/api/runs").await.is(200).budget().remaining, 0);
    key.as_user(grace).get("/api/runs").await.refused(Code::RateLimited);
    key.get("/api/runs").await.refused(Code::RateLimited);
}

#[tokio::test]
async fn a_good_credential_that_is_refused_pays_for_itself() {
    let world = world(r#"{"read": {"limit": 2}, "public": {"limit": 1}}"#).await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let strangers = bob.end_user("Stranger").await;
    let key = ada.full_key().await;
    let refused = [
        (key.as_user(strangers), "/api/end-users", Code::InvalidEndUser),
        (ada.full_key().await.with("x-org-id", bob.org.to_string()), "/api/applications", Code::Forbidden),
        (ada.instead("x-org-id", bob.org.to_string()), "/api/models", Code::Forbidden),
        (ada.key(&["end-users:read"]).await, "/api/runs", Code::Forbidden),
        (ada.full_key().await, "/api/runs/run_nothing", Code::NotFound),
    ];
    for (caller, path, code) in refused {
        for remaining in [1, 0] {
            assert_eq!(caller.get(path).await.refused(code).budget().remaining, remaining, "{path}");
        }
        caller.get(path).await.refused(Code::RateLimited);
    }
    assert_eq!(world.anonymous().get("/api/runs").await.refused(Code::Unauthorized).budget().remaining, 0, "the address has not paid");
}

#[tokio::test]
async fn a_malformed_request_of_a_good_credential_pays_for_itself() {
    let world = world(r#"{"read": {"limit": 2}, "create": {"limit": 2}, "public": {"limit": 1}}"#).await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let key = async || ada.full_key().await;
    let app = ada.app.to_string();
    let member = async || ada.member(Role::Admin).await;
    let refused = [
        (key().await.with("appstrate-version", "latest"), Method::GET, Code::InvalidApiVersion),
        (key().await.as_user(grace).with("appstrate-version", "1999-01-01"), Method::GET, Code::UnsupportedApiVersion),
        (key().await.with("x-app-id", &app).with("x-app-id", &app), Method::GET, Code::InvalidRequest),
        (key().await.with_key("ask_2"), Method::GET, Code::InvalidRequest),
        (key().await.as_user(grace).as_user(grace), Method::GET, Code::InvalidRequest),
        (member().await.with("x-org-id", ada.org.to_string()), Method::GET, Code::InvalidRequest),
        (member().await.as_user(grace), Method::GET, Code::HeaderNotAllowed),
        (member().await.with("origin", "https://evil.example"), Method::POST, Code::Forbidden),
        (member().await.with("sec-fetch-site", "cross-site"), Method::POST, Code::Forbidden),
    ];
    for (caller, method, code) in refused {
        for remaining in [1, 0] {
            let reply = caller.send(method.clone(), "/api/end-users", None).await.refused(code);
            assert_eq!(reply.budget().remaining, remaining, "{reply}");
        }
        caller.send(method, "/api/end-users", None).await.refused(Code::RateLimited);
    }
    let stranger = world.anonymous().with_key("ask_unknown");
    assert_eq!(stranger.get("/api/runs").await.refused(Code::Unauthorized).budget().remaining, 0, "the address has not paid");
    ada.full_key().await.get("/api/runs").await.refused(Code::RateLimited);
}

#[tokio::test]
async fn a_bad_key_is_told_before_anything_else_that_is_wrong() {
    let world = world(TWO_READS).await;
    let ada = world.tenant("ada").await;
    let bad = world.anonymous().with_key("ask_unknown").with("cookie", ada.cookie());
    for caller in [
        bad.with("appstrate-version", "latest"),
        bad.with("x-app-id", "a").with("x-app-id", "b"),
        bad.with("appstrate-user", "eu_1").with("appstrate-user", "eu_2"),
    ] {
        caller.get("/api/runs").await.refused(Code::Unauthorized);
    }
}

#[tokio::test]
async fn routes_without_credentials_count_by_address_whoever_calls() {
    let world = world(TWO_READS).await;
    let ada = world.tenant("ada").await;
    let body = json!({"email": "ada@example.com", "password": "wrong horse"});
    let from = |address: &str| world.anonymous().with("x-forwarded-for", address);
    let sign_in = "/api/auth/sign-in/email";
    from("198.51.100.1").post(sign_in, &body).await.refused(Code::InvalidCredentials);
    from("198.51.100.1").post(sign_in, &body).await.refused(Code::InvalidCredentials);
    from("198.51.100.1").post(sign_in, &body).await.refused(Code::RateLimited);
    // A session or what the client itself writes before the proxy's word makes nobody another address.
    ada.with("x-forwarded-for", "198.51.100.1").post(sign_in, &body).await.refused(Code::RateLimited);
    from("203.0.113.5, 198.51.100.1").post(sign_in, &body).await.refused(Code::RateLimited);
    from("[2001:db8::1]:4711").post(sign_in, &body).await.refused(Code::InvalidCredentials);
    from("2001:db8::ffff").post(sign_in, &body).await.refused(Code::InvalidCredentials);
    from("2001:db8:0:0:1::").post(sign_in, &body).await.refused(Code::RateLimited);
    from("2001:db8:0:1::1").post(sign_in, &body).await.refused(Code::InvalidCredentials);
    // Each route for itself.
    from("198.51.100.1").post("/api/auth/sign-up/email", &json!({})).await.refused(Code::ValidationError);
}
