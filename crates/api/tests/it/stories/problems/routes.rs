use axum::http::Method;
use domain::Code;

use crate::world::World;

#[tokio::test]
async fn an_unknown_route_is_a_problem() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/end-users/",
        "/nothing",
        "/api//end-users",
        "/api/end-users/%2e%2e/orgs",
        "/api/%F0%9F%98%80",
        "/API/end-users",
    ] {
        ada.get(path).await.refused(Code::NotFound);
        world.anonymous().delete(path).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::start().await;
    for (method, path, allowed) in [
        (Method::PUT, "/api/end-users", ["GET", "POST"]),
        (Method::POST, "/api/end-users/eu_x", ["GET", "PATCH"]),
        (Method::DELETE, "/api/applications", ["GET", "HEAD"]),
        (Method::POST, "/health", ["GET", "HEAD"]),
        (Method::OPTIONS, "/api/orgs", ["GET", "POST"]),
    ] {
        let reply = world.anonymous().send(method, path, None).await.refused(Code::MethodNotAllowed);
        let allow = reply.header("allow").unwrap_or_else(|| panic!("no Allow: {reply}")).to_owned();
        assert!(allowed.iter().all(|method| allow.contains(method)), "{allow}");
    }
}

#[tokio::test]
async fn a_head_request_gets_the_headers_without_the_body() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    assert_eq!(ada.send(Method::HEAD, "/api/end-users", None).await.is(200).text, "");
    assert_eq!(world.anonymous().send(Method::HEAD, "/api/end-users", None).await.is(401).text, "");
}

#[tokio::test]
async fn a_request_id_of_the_client_is_not_taken_over() {
    let world = World::start().await;
    let claimed = "req_01jd9xq3e8f2t8v0k3m5n7p9r1";
    let reply = world.anonymous().with("request-id", claimed).get("/health").await.is(200);
    assert_ne!(reply.header("request-id"), Some(claimed));
}
