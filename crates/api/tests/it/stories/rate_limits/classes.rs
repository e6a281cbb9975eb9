use std::time::Duration;

use axum::http::Method;
use domain::Code;
use serde_json::{Value, json};

use super::world;
use crate::world::{Actor, Reply, World, unique};

/// Sends the request until it is refused, checking what each answer tells, and lets the window pass. Gives how many were allowed.
async fn exhaust(world: &World, caller: &Actor<'_>, (method, path, body): (Method, &str, fn() -> Option<Value>)) -> u64 {
    let mut allowed = 0;
    loop {
        let reply = caller.send(method.clone(), path, body().as_ref()).await;
        let budget = reply.budget();
        if reply.status == 429 {
            let reply = reply.refused(Code::RateLimited);
            assert_eq!(reply.header("retry-after"), Some(budget.reset.to_string().as_str()), "{reply}");
            // A second before it may not, then it may.
            world.clock.advance(Duration::from_secs(budget.reset - 1));
            caller.send(method.clone(), path, body().as_ref()).await.refused(Code::RateLimited);
            world.clock.advance(Duration::from_secs(1));
            let again = caller.send(method, path, body().as_ref()).await;
            assert_eq!(again.budget().remaining, budget.limit - 1, "{again}");
            return allowed;
        }
        allowed += 1;
        assert_eq!(budget.remaining, budget.limit - allowed, "{reply}");
        assert!(allowed < 1000, "no end: {reply}");
        world.clock.advance(Duration::from_millis(7));
    }
}

fn nothing() -> Option<Value> {
    None
}

/// The quota of each class, met and told in this version of the API.
async fn quotas(version: &str) {
    let world = world("{}").await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await.with("appstrate-version", version);
    let nobody = world.anonymous().with("appstrate-version", version);
    let end_user = ada.end_user("Grace").await;
    let one = format!("/api/end-users/{end_user}");
    let patch = || Some(json!({"name": "Grace"}));
    let create = || Some(json!({"externalId": format!("e-{}", unique())}));
    let run = || Some(json!({"agentId": "@ada/nothing"}));
    let inline = || Some(json!({"manifest": {}, "prompt": ""}));
    let sign_in = || Some(json!({}));

    assert_eq!(exhaust(&world, &key, (Method::GET, "/api/end-users", nothing)).await, 300, "read");
    assert_eq!(exhaust(&world, &key, (Method::PATCH, &one, patch)).await, 60, "write");
    assert_eq!(exhaust(&world, &key, (Method::POST, "/api/end-users", create)).await, 10, "create");
    assert_eq!(exhaust(&world, &key, (Method::POST, "/api/packages/import", nothing)).await, 10, "import");
    assert_eq!(exhaust(&world, &key, (Method::POST, "/api/runs", run)).await, 20, "run");
    assert_eq!(exhaust(&world, &key, (Method::POST, "/api/runs/inline", inline)).await, 20, "run");
    assert_eq!(exhaust(&world, &key, (Method::POST, "/api/agents/@ada/nothing/run", nothing)).await, 20, "run");
    assert_eq!(exhaust(&world, &nobody, (Method::POST, "/api/auth/sign-in/email", sign_in)).await, 20, "auth");
    assert_eq!(exhaust(&world, &nobody, (Method::GET, "/api/openapi.json", nothing)).await, 60, "public");
    assert_eq!(exhaust(&world, &nobody, (Method::GET, "/nothing", nothing)).await, 60, "public");
    assert_eq!(exhaust(&world, &nobody, (Method::GET, "/health", nothing)).await, 300, "read");
}

#[tokio::test]
async fn each_class_has_the_quota_that_the_reference_promises() {
    quotas("2026-03-21").await;
}

/// Every answer, the 429 with its `Retry-After` too, is read by the parser of structured fields in `world/reply.rs`.
#[tokio::test]
async fn each_class_tells_the_same_quota_in_structured_fields() {
    quotas("2026-11-21").await;
}

#[tokio::test]
async fn reads_and_writes_count_by_route_and_the_rest_by_path() {
    let world = world(r#"{"read": {"limit": 2}, "write": {"limit": 2}, "run": {"limit": 2}, "create": {"limit": 1}}"#).await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    let (grace, alan) = (ada.end_user("Grace").await, ada.end_user("Alan").await);
    let one = |id: &domain::EndUserId| format!("/api/end-users/{id}");

    key.get(&one(&grace)).await.is(200);
    assert_eq!(key.get(&one(&alan)).await.is(200).budget().remaining, 0);
    key.get("/api/end-users/eu_nothing").await.refused(Code::RateLimited);
    assert_eq!(key.send(Method::HEAD, &one(&grace), None).await.status, 429, "HEAD counts with GET");
    assert_eq!(key.patch(&one(&grace), &json!({"name": "G"})).await.is(200).budget().remaining, 1, "another method");
    assert_eq!(key.get("/api/end-users").await.is(200).budget().remaining, 1, "another route");

    for path in ["/api/agents/@ada/one/run", "/api/agents/@ada/two/run"] {
        for remaining in [1, 0] {
            assert_eq!(key.post(path, &json!({})).await.refused(Code::AgentNotFound).budget().remaining, remaining);
        }
    }
    for spelling in ["/api/agents/@ada/one/run", "/api/agents/%40ada/one/run", "/api/agents/@ada/%6f%6Ee/run"] {
        key.post(spelling, &json!({})).await.refused(Code::RateLimited);
    }
    key.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);
    key.post("/api/end-users", &json!({"name": "Eve"})).await.refused(Code::RateLimited);
    assert_eq!(key.get("/api/end-users").await.is(200).at("/pagination/total"), 3, "what was refused has made nothing");
}

#[tokio::test]
async fn many_paths_meet_the_ceiling_which_is_then_told() {
    for version in ["2026-03-21", "2026-11-21"] {
        let world = world(r#"{"run": {"limit": 3, "ceiling": 5}}"#).await;
        let ada = world.tenant("ada").await;
        let key = ada.full_key().await.with("appstrate-version", version);
        let start = async |number: u32| key.post(&format!("/api/agents/@ada/agent-{number}/run"), &json!({})).await;
        let told = |reply: &Reply| (reply.budget().limit, reply.budget().remaining, reply.policy());

        let (run, ceiling) = if version == "2026-11-21" { (Some("run"), Some("run-ceiling")) } else { (None, None) };
        let (run, ceiling) = (run.map(str::to_owned), ceiling.map(str::to_owned));
        assert_eq!(told(&start(1).await), (3, 2, run.clone()));
        assert_eq!(told(&start(1).await), (3, 1, run.clone()));
        assert_eq!(told(&start(1).await), (3, 0, run));
        assert_eq!(told(&start(2).await), (5, 1, ceiling.clone()), "the ceiling is tighter now");
        assert_eq!(told(&start(3).await), (5, 0, ceiling.clone()));
        assert_eq!(told(&start(4).await.refused(Code::RateLimited)), (5, 0, ceiling));
        // Also on the other ways to start a run, and for nobody else.
        key.post("/api/runs", &json!({"agentId": "@ada/one"})).await.refused(Code::RateLimited);
        key.get("/api/runs").await.is(200);
        ada.full_key().await.post("/api/agents/@ada/agent-1/run", &json!({})).await.refused(Code::AgentNotFound);
    }
}

#[tokio::test]
async fn a_route_s_class_is_in_the_document_and_in_its_text() {
    let classes: std::collections::HashMap<_, _> = crate::walk::operations()
        .into_iter()
        .map(|operation| (operation.id.clone(), operation.value["x-rate-limit"].as_str().unwrap_or_default().to_owned()))
        .collect();
    for (operation, class) in [
        ("runAgent", "run"),
        ("createRun", "run"),
        ("createInlineRun", "run"),
        ("importPackage", "import"),
        ("createEndUser", "create"),
        ("createOrganization", "create"),
        ("installPackage", "create"),
        ("listRuns", "read"),
        ("streamRun", "read"),
        ("createStreamTicket", "read"),
        ("getSession", "read"),
        ("cancelRun", "write"),
        ("signOut", "write"),
        ("configurePackage", "write"),
        ("signUp", "auth"),
        ("signIn", "auth"),
    ] {
        assert_eq!(classes[operation], class, "{operation}");
    }
    for operation in crate::walk::operations() {
        let description = operation.value["description"].as_str().unwrap();
        assert!(description.contains(&format!("count it as `{}`", classes[&operation.id])), "{operation}: {description}");
    }
}
