//! What describes the API and needs no credentials.

use domain::Code;

use crate::world::World;

#[tokio::test]
async fn the_document_is_served_as_it_is_committed() {
    let world = World::start().await;
    let reply = world.anonymous().get("/api/openapi.json").await.is(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.text, *api::openapi::DOCUMENT);
    assert_eq!(reply.at("/openapi"), "3.1.0");
}

#[tokio::test]
async fn swagger_comes_from_this_server_alone() {
    let world = World::start().await;
    let reply = world.anonymous().get("/api/docs").await.is(307);
    let index = world.anonymous().get(reply.header("location").unwrap()).await.is(200);
    for line in index.text.lines().filter(|line| line.contains("src=") || line.contains("href=")) {
        assert!(!line.contains("http://") && !line.contains("https://") && !line.contains("=\"//"), "{line}");
    }
    world.anonymous().get("/api/docs/swagger-ui.css").await.is(200);
    let script = world.anonymous().get("/api/docs/swagger-initializer.js").await.is(200);
    assert!(script.text.contains("/api/openapi.json"));
    // Otherwise the page tells a validator on the Internet where this server is.
    assert!(script.text.contains("\"validatorUrl\": \"none\""), "{}", script.text);
    for page in [&index, &script] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'; img-src 'self' data:;") && !policy.contains("http"), "{policy}");
    }
    world.anonymous().get("/api/docs/nothing.js").await.refused(Code::NotFound);
    world.anonymous().get("/api/docs/..%2f..%2fCargo.toml").await.refused(Code::NotFound);
}

#[tokio::test]
async fn paths_that_are_no_text_lead_nowhere() {
    let world = World::start().await;
    for path in ["/docs/errors/%ff", "/invite/%ff", "/api/docs/%ff"] {
        world.anonymous().get(path).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn every_page_is_counted_by_itself() {
    let world = World::with(|options| options.rate_limits = r#"{"public": {"limit": 1}}"#.parse().unwrap()).await;
    for (path, _) in api::routes::docs::PAGES {
        let path = path.replace("{code}", "forbidden").replace("{*file}", "index.html").replace("{token}", "x");
        let first = world.anonymous().get(&path).await;
        assert!(first.status != 429, "{first}");
        world.anonymous().get(&path).await.refused(Code::RateLimited);
    }
}

#[tokio::test]
async fn every_code_has_a_page() {
    let world = World::start().await;
    for code in Code::ALL {
        let page = world.anonymous().get(&format!("/docs/errors/{}", code.slug())).await.is(200);
        assert!(page.text.contains(code.title()) && page.text.contains(code.as_str()));
        assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    }
    world.anonymous().get("/docs/errors/nothing").await.refused(Code::NotFound);
    world.anonymous().get("/docs/errors/%3Cscript%3E").await.refused(Code::NotFound);
}

#[tokio::test]
async fn the_front_page_shows_the_next_steps() {
    let world = World::start().await;
    let page = world.anonymous().get("/").await.is(200);
    assert!(page.text.contains("curl -c cookies.txt -X POST http://localhost:3000/api/auth/sign-up/email"));
    let world = World::with_mail().await;
    let page = world.anonymous().get("/").await.is(200);
    assert!(page.text.contains("curl -X POST http://localhost:3000/api/auth/sign-up/email"), "the link comes first: {page}");
    assert!(page.text.contains("curl -c cookies.txt -X POST http://localhost:3000/api/auth/sign-in/email"));
}

#[tokio::test]
async fn health_tells_what_works() {
    let world = World::start().await;
    let reply = world.anonymous().get("/health").await.is(200);
    assert_eq!(reply.at("/status"), "healthy");
    assert_eq!(reply.at("/checks/limits"), serde_json::json!({"status": "healthy", "engine": "memory", "outages": 0}));
    let world = World::with(|options| options.sandbox_unavailable = Some("user namespaces are disabled".to_owned())).await;
    let reply = world.anonymous().get("/health").await.is(200);
    assert_eq!(
        (reply.at("/status").as_str(), reply.at("/checks/sandbox/reason").as_str()),
        (Some("degraded"), Some("user namespaces are disabled"))
    );
}

#[tokio::test]
async fn the_reference_is_one_page_from_this_server_alone() {
    let world = World::start().await;
    let page = world.anonymous().get("/docs/api-reference").await.is(200);
    assert!(
        page.text.contains("<section id=\"createEndUser\">") && page.text.contains("Needs the permission <code>end-users:write</code>")
    );
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    assert!(!page.text.contains("<script") && !page.text.contains("src="), "nothing but text");
}

#[tokio::test]
async fn the_reference_calls_as_those_can_who_may() {
    let world = World::start().await;
    let page = world.anonymous().get("/docs/api-reference").await.is(200);
    let section = |id: &str| {
        let (_, rest) = page.text.split_once(&format!("<section id=\"{id}\">")).unwrap();
        rest.split_once("</section>").unwrap().0.to_owned()
    };
    for (operation, told) in [
        ("createInvitation", "-b cookies.txt -H &quot;X-Org-Id: $ORG&quot;"),
        ("createApplication", "-b cookies.txt -H &quot;X-Org-Id: $ORG&quot;"),
        ("createEndUser", "-H &quot;Authorization: Bearer $KEY&quot;"),
        ("getMe", "-b cookies.txt"),
    ] {
        assert!(section(operation).contains(told), "{operation}: {}", section(operation));
    }
    assert!(!section("createInvitation").contains("Bearer") && !section("createApplication").contains("Bearer"));
    assert!(page.text.contains("<code>Idempotency-Key</code> makes a change safe to repeat"));
    let document: serde_json::Value = serde_json::from_str(&api::openapi::DOCUMENT).unwrap();
    let security = |path: &str| document["paths"][path]["post"]["security"].clone();
    assert_eq!(security("/api/orgs/{id}/invitations"), serde_json::json!([{ "session": [] }]));
    assert_eq!(security("/api/applications"), serde_json::json!([{ "session": [] }]));
    assert_eq!(security("/api/end-users"), serde_json::json!([{ "apiKey": [] }, { "session": [] }]));
}
