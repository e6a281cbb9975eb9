//! The demo tenant, made over HTTP as a new customer would. A second start finds what the first one made.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::{CUSTOMER_KEYS, Options, script};
use crate::client::{Api, answer};
use crate::scripted_model::ScriptedModel;

const EMAIL: &str = "ada@acme-demo.example";
const PASSWORD: &str = "analytical-engine";
pub(super) const AGENT: &str = "@acme-demo/refund-triage";

/// What the seeding made or found.
pub(super) struct Tenant {
    pub organization: Value,
    pub application: Value,
    pub end_users: Vec<Value>,
    pub api_key: String,
    /// Calls with the key, as the company's backend.
    pub api: Api,
}

/// Makes the tenant, or finds it.
pub(super) async fn tenant(options: &Options, model: &ScriptedModel) -> anyhow::Result<Tenant> {
    let anonymous = Api::new(&options.base_url());
    let session = anonymous.with("cookie", &session(&anonymous).await?);
    let organization = find_or(
        &session,
        "/api/orgs",
        |org| org["slug"] == "acme-demo",
        || async { session.post("/api/orgs", &json!({ "name": "Acme Demo", "slug": "acme-demo" })).await },
    )
    .await?;
    let session = session.with("x-org-id", id(&organization)?);
    let application = find_or(
        &session,
        "/api/applications",
        |app| app["isDefault"] == true,
        || async { bail!("an organization has a default application") },
    )
    .await?;
    let session = session.with("x-app-id", id(&application)?);

    packages(options, &session, id(&application)?).await?;
    configure_model(options, &session, model).await?;
    let api_key = fresh_key(&session).await?;
    let api = anonymous.with("authorization", &format!("Bearer {api_key}"));

    let mut end_users = Vec::new();
    for (name, external_id, key) in
        [("Grace Hopper", "customer-grace", CUSTOMER_KEYS[0]), ("Alan Turing", "customer-alan", CUSTOMER_KEYS[1])]
    {
        let end_user = find_or(
            &api,
            "/api/end-users",
            |user| user["externalId"] == external_id,
            || async {
                api.post("/api/end-users", &json!({ "name": name, "externalId": external_id, "metadata": { "plan": "pro" } })).await
            },
        )
        .await?;
        let as_customer = api.with("appstrate-user", id(&end_user)?);
        find_or(
            &as_customer,
            "/api/connections",
            |connection| connection["provider"] == "@acme-demo/orders",
            || async { as_customer.post("/api/connections/connect/@acme-demo/orders/api-key", &json!({ "apiKey": key })).await },
        )
        .await?;
        end_users.push(end_user);
    }
    Ok(Tenant { organization, application, end_users, api_key, api })
}

/// Makes the demo run for the first end-user and waits for its end. On a fresh tenant a run before it leaves the previous state.
pub(super) async fn first_run(tenant: &Tenant) -> anyhow::Result<Value> {
    let api = tenant.api.with("appstrate-user", id(&tenant.end_users[0])?);
    if api.get("/api/runs").await?["pagination"]["total"] == 0 {
        run(&api).await?;
    }
    run(&api).await
}

async fn run(api: &Api) -> anyhow::Result<Value> {
    let started = api.post(&format!("/api/agents/{AGENT}/run"), &json!({ "input": { "order_id": "ord_42" } })).await?;
    let path = format!("/api/runs/{}", started["runId"].as_str().context("a started run has an id")?);
    // The agent's own timeout is 120 s.
    for _ in 0..1300 {
        let run = api.get(&path).await?;
        match run["status"].as_str() {
            Some("pending" | "running") => tokio::time::sleep(Duration::from_millis(100)).await,
            Some("success") => return succeeded(api, run).await,
            _ => bail!("the demo run did not succeed: {run:#}"),
        }
    }
    bail!("the demo run did not end")
}

/// A demo in which a tool failed is no demo, whatever the model made of it.
async fn succeeded(api: &Api, run: Value) -> anyhow::Result<Value> {
    let log = api.get(&format!("/api/runs/{}/logs?pageSize=100", id(&run)?)).await?;
    let failed =
        log["data"].as_array().into_iter().flatten().find(|line| line["event"] == "tool.completed" && line["data"]["isError"] == true);
    match failed {
        None => Ok(run),
        Some(line) => bail!("a tool of the demo run failed: {}", line["message"]),
    }
}

/// Signs in, or up; the cookie.
async fn session(anonymous: &Api) -> anyhow::Result<String> {
    let sign_in = json!({ "email": EMAIL, "password": PASSWORD });
    let sign_up = json!({ "name": "Ada Lovelace", "email": EMAIL, "password": PASSWORD });
    for (path, body) in [("/api/auth/sign-in/email", &sign_in), ("/api/auth/sign-up/email", &sign_up)] {
        let response =
            anonymous.request(Method::POST, path).header("content-type", "application/json").body(body.to_string()).send().await?;
        if response.status().is_success() {
            let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok()).context("signing in sets a cookie")?;
            return Ok(cookie.split(';').next().unwrap_or_default().to_owned());
        }
    }
    bail!("could not sign in or up")
}

async fn packages(options: &Options, session: &Api, application: &str) -> anyhow::Result<()> {
    let agent: Value = serde_json::from_str(include_str!("../../demo/agent/manifest.json"))?;
    let mut provider: Value = serde_json::from_str(include_str!("../../demo/provider/manifest.json"))?;
    provider["definition"]["authorizedUris"] = json!([format!("{}/*", options.customer_api_url())]);
    let exists = |list: &Value, name: &str| list["data"].as_array().is_some_and(|data| data.iter().any(|package| package["id"] == name));

    let tools = session.get("/api/packages/tools?pageSize=100").await?;
    if !exists(&tools, "@acme-demo/refund-policy") {
        let part = reqwest::multipart::Part::bytes(tool_archive()?).file_name("refund-policy.afps").mime_str("application/zip")?;
        let form = reqwest::multipart::Form::new().part("file", part);
        answer("/api/packages/import", session.request(Method::POST, "/api/packages/import").multipart(form)).await?;
    }
    let providers = session.get("/api/packages/providers?pageSize=100").await?;
    if !exists(&providers, "@acme-demo/orders") {
        session
            .post(
                "/api/packages/providers",
                &json!({ "manifest": provider, "content": "# Acme orders\n\n`GET /orders/<id>` reads an order." }),
            )
            .await?;
    }
    let agents = session.get("/api/packages/agents?pageSize=100").await?;
    if !exists(&agents, AGENT) {
        session.post("/api/packages/agents", &json!({ "manifest": agent, "content": include_str!("../../demo/agent/prompt.md") })).await?;
    }
    let path = format!("/api/applications/{application}/packages");
    let installed = session.get(&format!("{path}?pageSize=100")).await?;
    for name in ["@acme-demo/orders", AGENT] {
        if !installed["data"].as_array().is_some_and(|data| data.iter().any(|package| package["packageId"] == name)) {
            session.post(&path, &json!({ "packageId": name })).await?;
        }
    }
    Ok(())
}

/// The tool as the ZIP that a developer would upload.
fn tool_archive() -> anyhow::Result<Vec<u8>> {
    crate::system::archive(&[
        ("manifest.json", include_bytes!("../../demo/tool/manifest.json").as_slice()),
        ("index.ts", include_bytes!("../../demo/tool/index.ts").as_slice()),
    ])
}

/// Configures the scripted model, or the real one whose key is in the environment, as the organization's default.
async fn configure_model(options: &Options, session: &Api, model: &ScriptedModel) -> anyhow::Result<()> {
    let (label, protocol, base_url, name, key) = match (&options.openai_api_key, &options.anthropic_api_key) {
        (Some(key), _) => (
            "OpenAI",
            "openai-responses",
            "https://api.openai.com/v1".to_owned(),
            options.model.as_deref().unwrap_or("gpt-5-mini"),
            key.as_str(),
        ),
        (None, Some(key)) => (
            "Anthropic",
            "anthropic-messages",
            "https://api.anthropic.com/v1".to_owned(),
            options.model.as_deref().unwrap_or("claude-sonnet-4-5"),
            key.as_str(),
        ),
        (None, None) => ("Scripted model (no AI)", "openai-completions", model.base_url(), script::MODEL, "scripted-key-5f2c9e71"),
    };
    find_or(session, "/api/models", |known| known["label"] == label, || async {
        let provider_key = session.post("/api/provider-keys", &json!({ "label": label, "api": protocol, "baseUrl": base_url, "apiKey": key })).await?;
        let cost = json!({ "input": 1.25, "output": 10.0, "cacheRead": 0.125, "cacheWrite": 0.0 });
        let body = json!({ "label": label, "api": protocol, "baseUrl": base_url, "modelId": name, "providerKeyId": id(&provider_key)?, "cost": cost });
        session.post("/api/models", &body).await
    })
    .await?;
    Ok(())
}

/// A new key for this start; the keys of earlier starts are revoked, because their secrets are gone.
async fn fresh_key(session: &Api) -> anyhow::Result<String> {
    let keys = session.get("/api/api-keys?pageSize=100").await?;
    for key in keys["data"].as_array().into_iter().flatten().filter(|key| key["name"] == "Demo backend" && key["revokedAt"].is_null()) {
        session.delete(&format!("/api/api-keys/{}", id(key)?)).await?;
    }
    let created = session.post("/api/api-keys", &json!({ "name": "Demo backend" })).await?;
    created["key"].as_str().map(str::to_owned).context("a new key shows its secret")
}

async fn find_or<F, Fut>(api: &Api, list: &str, wanted: impl Fn(&Value) -> bool, make: F) -> anyhow::Result<Value>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = anyhow::Result<Value>>,
{
    let found = api.get(&format!("{list}?pageSize=100")).await?;
    match found["data"].as_array().into_iter().flatten().find(|item| wanted(item)) {
        Some(item) => Ok(item.clone()),
        None => make().await,
    }
}

fn id(object: &Value) -> anyhow::Result<&str> {
    object["id"].as_str().context("every object has an id")
}
