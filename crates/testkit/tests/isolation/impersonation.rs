//! What a call for an end-user may not do, and end-users for whom nobody may call.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Api;
use testkit::system::System;

use crate::script;

#[tokio::test]
async fn impersonation_is_refused_where_it_must_be() -> anyhow::Result<()> {
    let system = System::start().await?;
    let (acme, rival) = (system.tenant("acme").await?, system.tenant("rival").await?);
    let (agent, _) = script::publish(&system, &acme).await?;
    let (grace, gone, eve) = (acme.customer("grace").await?, acme.customer("gone").await?, rival.customer("eve").await?);
    acme.api.delete(&format!("/api/end-users/{}", gone.id)).await?;

    unknown_end_users_are_one(&acme.api, &[&gone.id, &eve.id]).await?;
    member_routes_are_closed(&grace.api, &acme.app).await?;

    // A key's scopes hold for its end-users, too.
    let narrow = acme.key(&["runs:read"]).await?.with("appstrate-user", &grace.id);
    assert_eq!(narrow.call(Method::GET, "/api/runs", None).await?.0, 200);
    let run = format!("/api/agents/{agent}/run");
    let refusals = [(Method::POST, run.as_str()), (Method::GET, "/api/connections"), (Method::GET, "/api/end-users")];
    for (method, path) in refusals {
        let (status, body) = narrow.call(method, path, Some(&json!({}))).await?;
        assert_eq!((status, &body["code"]), (403, &json!("forbidden")), "{path}: {body}");
    }

    // A session cannot act for an end-user, and the header has one value.
    let (status, body) = acme.session.with("appstrate-user", &grace.id).call(Method::GET, "/api/runs", None).await?;
    assert_eq!(status, 400, "{body}");
    let (status, body) = grace.api.with("appstrate-user", &grace.id).call(Method::GET, "/api/runs", None).await?;
    assert_eq!(status, 400, "{body}");

    // A revoked key is refused at once, for its end-users and for streams as well.
    let created = acme.session.post("/api/api-keys", &json!({ "name": "short-lived" })).await?;
    let secret = created["key"].as_str().unwrap_or_default();
    let short = system.anonymous().with("authorization", &format!("Bearer {secret}")).with("appstrate-user", &grace.id);
    assert_eq!(short.call(Method::GET, "/api/runs", None).await?.0, 200);
    acme.session.delete(&format!("/api/api-keys/{}", created["id"].as_str().unwrap_or_default())).await?;
    assert_eq!(short.call(Method::GET, "/api/runs", None).await?.0, 401);
    let stream = format!("/api/realtime/runs/run_00000000000000000000000000?token={secret}&endUser={}", grace.id);
    assert_eq!(system.anonymous().call(Method::GET, &stream, None).await?.0, 401);

    // A backend that goes on calling for a deleted end-user reads nothing.
    let (status, _) = gone.api.call(Method::GET, "/api/runs", None).await?;
    assert_eq!(status, 403);
    assert!(system.model.received().is_empty(), "no refused call reached a model");
    system.stop().await
}

/// Empty, malformed, unknown, foreign and deleted: one answer, on reads, writes and streams alike.
async fn unknown_end_users_are_one(key: &Api, known: &[&str]) -> anyhow::Result<()> {
    let unknown = known.iter().copied().chain(["", "eu_", "grace", "eu_00000000000000000000000000", "usr_00000000000000000000000000", "*"]);
    let mut answers = std::collections::BTreeSet::new();
    for end_user in unknown {
        let api = key.with("appstrate-user", end_user);
        for (method, path) in [
            (Method::GET, "/api/runs"),
            (Method::GET, "/api/realtime/runs/run_00000000000000000000000000"),
            (Method::POST, "/api/runs/inline"),
        ] {
            let (status, mut body) = api.call(method, path, None).await?;
            assert_eq!(status, 403, "{end_user:?} at {path}: {body}");
            body["requestId"] = Value::Null;
            body["instance"] = Value::Null;
            answers.insert(body.to_string());
        }
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    Ok(())
}

/// What only members and the company's own backend do.
async fn member_routes_are_closed(customer: &Api, app: &str) -> anyhow::Result<()> {
    let routes = [
        (Method::GET, "/api/api-keys".to_owned()),
        (Method::POST, "/api/api-keys".to_owned()),
        (Method::GET, "/api/provider-keys".to_owned()),
        (Method::POST, "/api/provider-keys".to_owned()),
        (Method::POST, "/api/models".to_owned()),
        (Method::POST, "/api/end-users".to_owned()),
        (Method::POST, "/api/packages/agents".to_owned()),
        (Method::POST, "/api/packages/providers".to_owned()),
        (Method::POST, "/api/packages/import".to_owned()),
        (Method::POST, format!("/api/applications/{app}/packages")),
        (Method::POST, "/api/orgs".to_owned()),
    ];
    for (method, path) in routes {
        let (status, body) = customer.call(method.clone(), &path, (method == Method::POST).then_some(&json!({}))).await?;
        assert_eq!(status, 403, "{method} {path}: {body}");
    }
    Ok(())
}
