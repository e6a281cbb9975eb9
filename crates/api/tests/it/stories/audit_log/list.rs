use axum::http::Method;
use domain::Code;
use serde_json::{Value, json};

use crate::walk::Stage;
use crate::world::{Actor, World};

const LOG: &str = "/api/audit-log";

/// One member of each row of a page.
async fn column(caller: &Actor<'_>, query: &str, member: &str) -> Vec<Value> {
    let page = caller.get(&format!("{LOG}?{query}")).await.is(200);
    page.at("/data").as_array().unwrap().iter().map(|row| row[member].clone()).collect()
}

#[tokio::test]
async fn each_application_and_each_organization_reads_its_own() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let staging = ada.application("Staging").await;
        let (_, in_staging) = ada.key_of(crate::world::KeyPlan { app: staging, ..ada.plan(&["end-users:write", "audit-log:read"]) }).await;
        let body = json!({"name": "Eve"});
        ada.post("/api/end-users", &body).await.is(201);
        in_staging.post("/api/end-users", &body).await.is(201);
        bob.post("/api/end-users", &body).await.is(201);
        // Belongs to no application.
        ada.patch(&format!("/api/orgs/{}", ada.org), &json!({"name": "Ada's own"})).await.is(200);

        let of_organization = ada.without("x-app-id");
        assert_eq!(column(&ada, "", "applicationId").await, [json!(ada.app)]);
        assert_eq!(column(&in_staging, "", "applicationId").await, [json!(staging)]);
        assert_eq!(column(&ada.instead("x-app-id", staging.to_string()), "", "applicationId").await, [json!(staging)]);
        assert_eq!(column(&of_organization, "", "route").await, [json!("/api/orgs/{id}")]);
        assert_eq!(column(&of_organization, "", "applicationId").await, [Value::Null]);
        assert_eq!(column(&bob, "", "organizationId").await, [json!(bob.org)]);
        ada.instead("x-app-id", bob.app.to_string()).get(LOG).await.refused(Code::NotFound);
        ada.instead("x-org-id", bob.org.to_string()).get(LOG).await.refused(Code::Forbidden);
    }
}

#[tokio::test]
async fn the_log_of_a_deleted_application_stays_readable_for_its_organization() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let gone = ada.application("Gone").await;
        let of_gone = ada.instead("x-app-id", gone.to_string());
        of_gone.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);
        ada.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);
        world.seal().await;
        let alone = ada.without("x-app-id");
        alone.delete(&format!("/api/applications/{gone}")).await.is(204);
        of_gone.get(LOG).await.refused(Code::NotFound);

        let of = |path: &str| format!("{path}?applicationId={gone}");
        let page = alone.get(&of(LOG)).await.is(200);
        assert_eq!((page.at("/pagination/total"), page.at("/data/0/applicationId")), (json!(1), json!(gone)));
        let lines = alone.get(&format!("{}&format=jsonl", of(LOG))).await.is(200);
        assert_eq!((lines.text.lines().count(), lines.text.contains(&gone.to_string())), (1, true));
        let seals = alone.get(&of("/api/audit-log/seals")).await.is(200);
        assert_eq!((seals.at("/pagination/total"), seals.at("/data/0/chain")), (json!(1), json!(gone)));
        assert_eq!(column(&alone, "", "route").await, [json!("/api/applications/{id}")], "its own chain without the name");

        // Neither another organization nor another application of the same one sees it.
        let key = ada.key(&["audit-log:read"]).await;
        for caller in [&bob.without("x-app-id"), &*bob, &*ada, &key] {
            for path in [LOG, "/api/audit-log/seals"] {
                let page = caller.get(&of(path)).await.is(200);
                assert_eq!((page.at("/pagination/total"), page.at("/data")), (json!(0), json!([])));
            }
            assert_eq!(caller.get(&format!("{}&format=jsonl", of(LOG))).await.is(200).text, "");
        }
        for path in [LOG, "/api/audit-log/seals"] {
            alone.get(&format!("{path}?applicationId=org_1")).await.invalid_at("/applicationId");
        }
    }
}

/// The total of a whole chain is not counted row by row; it has to say the same.
#[tokio::test]
async fn a_total_is_what_the_export_holds_with_and_without_seals() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let alone = ada.without("x-app-id");
        for round in 1..=3 {
            for tenant in [&ada, &bob] {
                tenant.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);
            }
            ada.patch(&format!("/api/orgs/{}", ada.org), &json!({"name": format!("Ada {round}")})).await.is(200);
            for (caller, query) in [(&*ada, String::new()), (&alone, String::new()), (&alone, format!("&applicationId={}", ada.app))] {
                let page = caller.get(&format!("{LOG}?pageSize=2{query}")).await.is(200);
                let lines = caller.get(&format!("{LOG}?format=jsonl{query}")).await.is(200).text.lines().count();
                assert_eq!((page.at("/pagination/total"), lines), (json!(round), round));
                assert_eq!(page.at("/data").as_array().unwrap().len(), round.min(2));
            }
            if round == 2 {
                world.seal().await;
            }
        }
    }
}

#[tokio::test]
async fn a_row_tells_who_did_what_for_whom() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let (key, caller) = ada.key_of(ada.plan(&["end-users:read"])).await;
    let caller = caller.as_user(grace).with("user-agent", "story/1").with("x-forwarded-for", "192.0.2.7");
    let path = format!("/api/end-users/{grace}");
    let reply = caller.get(&path).await.is(200);
    let row = ada.get(LOG).await.is(200).at("/data/0");
    let request = reply.header("request-id").unwrap();
    let expected = json!({
        "object": "audit_entry", "id": row["id"], "organizationId": ada.org, "applicationId": ada.app, "endUserId": grace,
        "requestId": request, "apiKeyId": key, "userId": ada.owner, "permission": "end-users:read", "decision": "allowed",
        "method": "GET", "route": "/api/end-users/{id}", "path": path, "ip": "192.0.2.7", "userAgent": "story/1", "subject": grace,
        "detail": null, "status": 200, "code": null, "createdAt": row["createdAt"], "chain": null, "seal": null, "position": null
    });
    assert_eq!(row, expected);
    world.seal().await;
    let row = ada.get(LOG).await.is(200).at("/data/0");
    assert_eq!((&row["chain"], &row["seal"], &row["position"]), (&json!(ada.app), &json!(1), &json!(1)));
}

#[tokio::test]
async fn an_end_user_is_refused_and_the_refusal_is_a_row() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace);
        for path in [LOG, "/api/audit-log?format=jsonl", "/api/audit-log/seals", "/api/audit-log/public-keys"] {
            let refused = grace.get(path).await.refused(Code::Forbidden);
            let query = format!("requestId={}", refused.header("request-id").unwrap());
            let page = stage.key.get(&format!("{LOG}?{query}")).await.is(200);
            assert_eq!(page.at("/pagination/total"), 1, "{page}");
            assert_eq!((page.at("/data/0/decision"), page.at("/data/0/code")), (json!("denied"), json!("forbidden")));
            assert_eq!((page.at("/data/0/endUserId"), page.at("/data/0/status")), (json!(stage.grace), json!(403)));
            assert_eq!(page.at("/data/0/permission"), "audit-log:read");
        }
    }
}

#[tokio::test]
async fn filters_narrow_together() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (grace, alan) = (ada.end_user("Grace").await, ada.end_user("Alan").await);
        let (first, first_key) = ada.key_of(ada.plan(&["end-users:read", "end-users:write"])).await;
        let (_, second_key) = ada.key_of(ada.plan(&["end-users:read"])).await;
        let own = format!("/api/end-users/{grace}");
        first_key.as_user(grace).get(&own).await.is(200);
        first_key.as_user(grace).get("/api/api-keys").await.is(403);
        first_key.patch(&own, &json!({"name": "Grace H."})).await.is(200);
        world.clock.advance(std::time::Duration::from_mins(1));
        let later = second_key.as_user(alan).get(&own).await.is(404);
        let later = later.header("request-id").unwrap();
        let total = async |query: &str| ada.get(&format!("{LOG}?{query}")).await.is(200).at("/pagination/total").as_u64().unwrap();

        assert_eq!(total("").await, 4);
        for (query, expected) in [
            (format!("endUserId={grace}"), 2),
            (format!("endUserId={alan}"), 1),
            (format!("apiKeyId={first}"), 3),
            (format!("userId={}", ada.owner), 4),
            ("permission=end-users:read".to_owned(), 2),
            ("method=PATCH".to_owned(), 1),
            ("decision=denied".to_owned(), 1),
            ("decision=allowed".to_owned(), 3),
            ("status=404".to_owned(), 1),
            (format!("subject={grace}"), 3),
            (format!("requestId={later}"), 1),
            (format!("apiKeyId={first}&decision=allowed&method=GET"), 1),
            (format!("endUserId={grace}&status=404"), 0),
            ("endUserId=&status=".to_owned(), 4),
        ] {
            assert_eq!(total(&query).await, expected, "{query}");
        }
        let moments = column(&ada, "", "createdAt").await;
        let newest = moments[0].as_str().unwrap();
        assert_eq!((total(&format!("from={newest}")).await, total(&format!("to={newest}")).await), (1, 3));
        assert!(moments.is_sorted_by(|one, next| one.as_str() >= next.as_str()), "newest first: {moments:?}");

        // What changed, by the names of its members: the values are a person's.
        let changed = ada.get(&format!("{LOG}?method=PATCH")).await.is(200);
        assert_eq!(changed.at("/data/0/detail/fields"), json!(["name"]));
        assert!(!changed.text.contains("Grace H."), "{changed}");
    }
}

#[tokio::test]
async fn bad_filters_are_named() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let long = "x".repeat(300);
    for (name, value) in [
        ("from", "yesterday"),
        ("to", "2026-13-01T00:00:00Z"),
        ("endUserId", "usr_1"),
        ("apiKeyId", "nonsense"),
        ("userId", "%00"),
        ("permission", &long),
        ("method", &long),
        ("decision", "maybe"),
        ("status", "99"),
        ("subject", &long),
        ("requestId", "req_"),
        ("format", "csv"),
    ] {
        ada.get(&format!("{LOG}?{name}={value}")).await.invalid_at(&format!("/{name}"));
    }
    ada.get(&format!("{LOG}?status=200&status=404")).await.invalid_at("/status");
    ada.get(&format!("{LOG}?pageSize=101")).await.refused(Code::ValidationError);
}

#[tokio::test]
async fn the_log_is_not_written_through_the_api() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for path in [LOG, "/api/audit-log/seals", "/api/audit-log/public-keys"] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            ada.send(method, path, Some(&json!({}))).await.refused(Code::MethodNotAllowed);
        }
    }
}
