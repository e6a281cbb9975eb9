//! Another's id must read exactly like an id that does not exist.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Api;

use crate::customers::World;

/// The ids of what one caller has.
pub(crate) struct Owned {
    pub run: String,
    pub memory: String,
    pub connection: String,
}

/// An id of the same form that nobody has.
pub(crate) fn nobodys(id: &str) -> String {
    let (start, end) = id.split_at(id.len() - 6);
    format!("{start}{}", if end == "zzzzzz" { "yyyyyy" } else { "zzzzzz" })
}

/// Everything that takes an id, for each caller that must not know it; then all that was asked for is still there.
pub(crate) async fn ids_read_like_none(world: &World, owned: &[Owned]) -> anyhow::Result<()> {
    let [grace, alan, application, eve] = &world.callers;
    let outsiders = [("session", &world.rival.session), ("key", &world.rival.api), ("key and end-user", &eve.customer.api)];
    for victim in [grace, application] {
        for (who, api) in outsiders.into_iter().chain([("sibling", &alan.customer.api)]) {
            for agent in &world.agents {
                probe(who, api, agent, &owned[victim.number]).await?;
            }
        }
    }
    let insiders = [("session", &world.acme.session), ("key", &world.acme.api), ("key and end-user", &grace.customer.api)];
    for (who, api) in insiders {
        probe(who, api, &world.agents[1], &owned[eve.number]).await?;
    }
    for (who, api, of) in
        [("sibling", &alan.customer.api, grace), ("outsider", &eve.customer.api, grace), ("insider", &grace.customer.api, eve)]
    {
        same_as_nobodys(who, api, &Method::GET, |id| format!("/api/end-users/{id}"), &of.customer.id).await?;
    }

    for caller in &world.callers {
        let (api, owned) = (&caller.customer.api, &owned[caller.number]);
        let memories = api.get(&format!("/api/agents/{}/memories", world.agent(caller))).await?;
        let connections = api.get("/api/connections").await?;
        assert!(memories.to_string().contains(&owned.memory) && connections.to_string().contains(&owned.connection));
        let run = api.get(&format!("/api/runs/{}", owned.run)).await?;
        assert_eq!((&run["status"], &run["cancelRequestedAt"]), (&json!("success"), &Value::Null));
    }
    Ok(())
}

/// A request about something that is named in its path or its body.
type Request = fn(&str) -> (String, Value);

/// What another tenant has by name or in a body reads like what nobody has.
pub(crate) async fn names_read_like_none(world: &World) -> anyhow::Result<()> {
    let models = world.rival.session.get("/api/models").await?;
    let model = models["data"][0]["id"].as_str().expect("every tenant has a model");
    let (agent, provider, app) = ("@rival/triage", "@rival/orders", world.rival.app.as_str());
    let requests: [(Method, &str, Request); 8] = [
        (Method::POST, agent, |name| ("/api/runs".to_owned(), json!({ "agentId": name }))),
        (Method::POST, agent, |name| (format!("/api/agents/{name}/run"), json!({}))),
        (Method::GET, agent, |name| (format!("/api/agents/{name}/memories"), Value::Null)),
        (Method::GET, agent, |name| (format!("/api/packages/agents/{name}"), Value::Null)),
        (Method::POST, provider, |name| (format!("/api/connections/connect/{name}/api-key"), json!({ "apiKey": "some key" }))),
        (Method::POST, model, |name| ("/api/runs".to_owned(), json!({ "agentId": "@acme/triage", "modelId": name }))),
        (Method::GET, app, |name| (format!("/api/applications/{name}"), Value::Null)),
        (Method::GET, app, |name| (format!("/api/applications/{name}/packages"), Value::Null)),
    ];
    let grace = &world.callers[0];
    for (who, api) in [("session", &world.acme.session), ("key", &world.acme.api), ("key and end-user", &grace.customer.api)] {
        for (method, name, request) in &requests {
            let absent = if name.starts_with('@') { "@rival/absent".to_owned() } else { nobodys(name) };
            let mut answers = Vec::new();
            for name in [name, absent.as_str()] {
                let (path, body) = request(name);
                let (status, mut answer) = api.call(method.clone(), &path, (!body.is_null()).then_some(&body)).await?;
                answer["requestId"] = Value::Null;
                answers.push((status, answer.to_string().replace(name, "<name>")));
            }
            assert_eq!(answers[0], answers[1], "{who}: {method} {}", request(name).0);
            let (status, text) = &answers[0];
            let is_refused = matches!(status, 403 | 404 | 422);
            assert!(is_refused || text.contains("\"total\":0"), "{who}: {method} {}: {status} {text}", request(name).0);
        }
    }
    Ok(())
}

async fn probe(who: &str, api: &Api, agent: &str, owned: &Owned) -> anyhow::Result<()> {
    let Owned { run, memory, connection } = owned;
    same_as_nobodys(who, api, &Method::GET, |id| format!("/api/runs/{id}"), run).await?;
    same_as_nobodys(who, api, &Method::GET, |id| format!("/api/runs/{id}/logs"), run).await?;
    same_as_nobodys(who, api, &Method::POST, |id| format!("/api/runs/{id}/cancel"), run).await?;
    same_as_nobodys(who, api, &Method::GET, |id| format!("/api/realtime/runs/{id}"), run).await?;
    same_as_nobodys(who, api, &Method::DELETE, |id| format!("/api/agents/{agent}/memories/{id}"), memory).await?;
    same_as_nobodys(who, api, &Method::DELETE, |id| format!("/api/connections/{id}"), connection).await
}

/// Status and body are those of an id that nobody has, but for the id itself and the request's.
async fn same_as_nobodys(who: &str, api: &Api, method: &Method, path: impl Fn(&str) -> String, id: &str) -> anyhow::Result<()> {
    let mut answers = Vec::new();
    for id in [id.to_owned(), nobodys(id)] {
        let (status, mut body) = api.call(method.clone(), &path(&id), None).await?;
        assert_eq!(status, 404, "{who}: {method} {}: {body}", path(&id));
        let object = body.as_object_mut().expect("a problem is an object");
        assert!(object.remove("requestId").is_some(), "{who}: a problem names its request");
        answers.push(body.to_string().replace(&id, "<id>"));
    }
    assert_eq!(answers[0], answers[1], "{who}: {method}");
    Ok(())
}

/// A running run is not stopped by a sibling or another tenant; by its own customer it is.
pub(crate) async fn runs_are_not_cancelled(world: &World) -> anyhow::Result<()> {
    let [grace, alan, _, eve] = &world.callers;
    let run = world.start(alan, "hang").await?;
    let path = format!("/api/runs/{run}/cancel");
    for api in [&grace.customer.api, &eve.customer.api, &world.rival.api, &world.rival.session] {
        assert_eq!(api.call(Method::POST, &path, None).await?.0, 404);
    }
    let seen = alan.customer.api.get(&format!("/api/runs/{run}")).await?;
    assert_eq!(seen["cancelRequestedAt"], Value::Null, "{seen:#}");
    assert!(!testkit::system::is_ended(&seen), "{seen:#}");
    assert_eq!(alan.customer.api.call(Method::POST, &path, None).await?.0, 200);
    assert_eq!(alan.customer.ended(&run).await?["status"], "cancelled");
    Ok(())
}
