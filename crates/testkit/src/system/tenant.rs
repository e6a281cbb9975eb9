//! Tenants, agents and customers, made over HTTP as a user would.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::System;
use crate::client::{Api, answer};

/// An organization with its owner's session and a key of its default application.
#[derive(Clone)]
pub struct Tenant {
    pub slug: String,
    pub org: String,
    pub app: String,
    /// The owner, in the default application.
    pub session: Api,
    pub key: String,
    /// The key, without `Appstrate-User`.
    pub api: Api,
    anonymous: Api,
}

/// An agent to publish and install. Its tools and providers must exist.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: String,
    pub prompt: String,
    pub tools: Vec<String>,
    pub providers: Vec<String>,
    pub skills: Vec<String>,
    pub output: Option<Value>,
    pub input: Option<Value>,
    pub timeout_seconds: Option<f64>,
    pub extra: Value,
}

impl Agent {
    /// An agent with all five system tools.
    pub fn named(name: &str) -> Self {
        let tools = ["output", "report", "log", "set-state", "add-memory"].map(|tool| format!("@appstrate/{tool}"));
        Self {
            name: name.to_owned(),
            prompt: "Do what the test says.".to_owned(),
            tools: tools.into(),
            providers: Vec::new(),
            skills: Vec::new(),
            output: None,
            input: None,
            timeout_seconds: None,
            extra: json!({}),
        }
    }

    fn manifest(&self, slug: &str) -> Value {
        let ranges = |names: &[String]| names.iter().map(|name| (name.clone(), json!("*"))).collect::<serde_json::Map<_, _>>();
        let mut manifest = json!({
            "name": format!("@{slug}/{}", self.name),
            "version": "1.0.0",
            "type": "agent",
            "schemaVersion": "1.3",
            "displayName": self.name,
            "author": "Test",
            "dependencies": { "tools": ranges(&self.tools), "providers": ranges(&self.providers), "skills": ranges(&self.skills) }
        });
        for (name, schema) in [("input", &self.input), ("output", &self.output)] {
            if let Some(schema) = schema {
                manifest[name] = json!({ "schema": schema });
            }
        }
        if let Some(seconds) = self.timeout_seconds {
            manifest["timeout"] = json!(seconds);
        }
        for (name, value) in self.extra.as_object().into_iter().flatten() {
            manifest[name] = value.clone();
        }
        manifest
    }
}

impl Tenant {
    pub(super) async fn create(system: &System, name: &str) -> anyhow::Result<Self> {
        let anonymous = system.anonymous();
        let account = json!({ "name": name, "email": format!("{name}@example.com"), "password": format!("password of {name}") });
        let request =
            anonymous.request(Method::POST, "/api/auth/sign-up/email").header("content-type", "application/json").body(account.to_string());
        let response = request.send().await?;
        if !response.status().is_success() {
            bail!("could not sign {name} up: {}", response.text().await?);
        }
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok()).context("signing up sets a cookie")?;
        let session = anonymous.with("cookie", cookie.split(';').next().unwrap_or_default());
        let org = id(&session.post("/api/orgs", &json!({ "name": name, "slug": name })).await?)?;
        let session = session.with("x-org-id", &org);
        let applications = session.get("/api/applications").await?;
        let app = id(&applications["data"][0])?;
        let session = session.with("x-app-id", &app);
        let created = session.post("/api/api-keys", &json!({ "name": "backend" })).await?;
        let key = created["key"].as_str().context("a new key shows its secret")?.to_owned();
        let api = anonymous.with("authorization", &format!("Bearer {key}"));
        let tenant = Self { slug: name.to_owned(), org, app, session, key, api, anonymous };
        tenant.model(system, "openai-completions", &tenant.script()).await?;
        Ok(tenant)
    }

    /// The name under which the tenant's default model is scripted.
    pub fn script(&self) -> String {
        format!("script-{}", self.slug)
    }

    /// Configures another scripted model; the first is the organization's default. Returns its id.
    pub async fn model(&self, system: &System, protocol: &str, script: &str) -> anyhow::Result<String> {
        let label = format!("{protocol} {script}");
        let secret = json!({ "label": label, "api": protocol, "baseUrl": system.model.base_url(), "apiKey": format!("model-key-canary-{}", self.slug) });
        let key = self.session.post("/api/provider-keys", &secret).await?;
        let body = json!({
            "label": label, "api": protocol, "baseUrl": system.model.base_url(), "modelId": script,
            "providerKeyId": id(&key)?, "cost": { "input": 1.0, "output": 2.0 }
        });
        id(&self.session.post("/api/models", &body).await?)
    }

    /// Publishes and installs an agent; its full name.
    pub async fn agent(&self, agent: &Agent) -> anyhow::Result<String> {
        let body = json!({ "manifest": agent.manifest(&self.slug), "content": agent.prompt });
        let created = self.session.post("/api/packages/agents", &body).await?;
        let name = id(&created)?;
        self.install(&name).await?;
        Ok(name)
    }

    pub async fn install(&self, package: &str) -> anyhow::Result<()> {
        self.session.post(&format!("/api/applications/{}/packages", self.app), &json!({ "packageId": package })).await?;
        Ok(())
    }

    /// Imports a TypeScript tool from its source; its full name.
    pub async fn tool(&self, name: &str, tool_name: &str, source: &str) -> anyhow::Result<String> {
        let full = format!("@{}/{name}", self.slug);
        let manifest = json!({
            "name": full, "version": "1.0.0", "type": "tool", "schemaVersion": "1.3", "entrypoint": "index.ts",
            "tool": { "name": tool_name, "description": "A tool of the test.", "inputSchema": { "type": "object" } }
        });
        self.import(&[("manifest.json", manifest.to_string().as_bytes()), ("index.ts", source.as_bytes())]).await?;
        Ok(full)
    }

    /// Imports an archive of these files.
    pub async fn import(&self, files: &[(&str, &[u8])]) -> anyhow::Result<Value> {
        self.import_bytes(archive(files)?).await
    }

    pub async fn import_bytes(&self, archive: Vec<u8>) -> anyhow::Result<Value> {
        let part = reqwest::multipart::Part::bytes(archive).file_name("package.afps").mime_str("application/zip")?;
        let form = reqwest::multipart::Form::new().part("file", part);
        answer("/api/packages/import", self.session.request(Method::POST, "/api/packages/import").multipart(form)).await
    }

    /// Publishes a provider for the system's customer API, with a bearer key.
    pub async fn provider(&self, system: &System, name: &str) -> anyhow::Result<String> {
        let full = format!("@{}/{name}", self.slug);
        let manifest = json!({
            "name": full, "version": "1.0.0", "type": "provider", "schemaVersion": "1.3", "displayName": name,
            "definition": {
                "authMode": "api_key",
                "credentials": { "schema": { "type": "object", "properties": { "api_key": { "type": "string" } } }, "fieldName": "api_key" },
                "credentialHeaderName": "Authorization", "credentialHeaderPrefix": "Bearer",
                "authorizedUris": [format!("{}/*", system.customer_api.base_url())]
            }
        });
        self.session.post("/api/packages/providers", &json!({ "manifest": manifest })).await?;
        self.install(&full).await?;
        Ok(full)
    }

    /// Makes an end-user.
    pub async fn customer(&self, name: &str) -> anyhow::Result<Customer> {
        let created = self.api.post("/api/end-users", &json!({ "name": name, "externalId": name })).await?;
        let id = id(&created)?;
        Ok(Customer { api: self.api.with("appstrate-user", &id), id })
    }

    /// Another key of the application with these scopes.
    pub async fn key(&self, scopes: &[&str]) -> anyhow::Result<Api> {
        let created = self.session.post("/api/api-keys", &json!({ "name": "narrow", "scopes": scopes })).await?;
        Ok(self.anonymous.with("authorization", &format!("Bearer {}", created["key"].as_str().unwrap_or_default())))
    }
}

/// An end-user, called for through its tenant's key.
#[derive(Clone)]
pub struct Customer {
    pub id: String,
    pub api: Api,
}

impl Customer {
    /// Connects a provider with a key.
    pub async fn connect(&self, provider: &str, key: &str) -> anyhow::Result<()> {
        self.api.post(&format!("/api/connections/connect/{provider}/api-key"), &json!({ "apiKey": key })).await?;
        Ok(())
    }

    /// Starts a run; its id.
    pub async fn start(&self, agent: &str, input: &Value) -> anyhow::Result<String> {
        let started = self.api.post(&format!("/api/agents/{agent}/run"), &json!({ "input": input })).await?;
        started["runId"].as_str().map(str::to_owned).context("a started run has an id")
    }

    /// Starts a run and waits for its end.
    pub async fn run(&self, agent: &str, input: &Value) -> anyhow::Result<Value> {
        let run = self.start(agent, input).await?;
        self.ended(&run).await
    }

    /// Waits for the end of a run, at most two minutes.
    pub async fn ended(&self, run: &str) -> anyhow::Result<Value> {
        for _ in 0..2400 {
            let run = self.api.get(&format!("/api/runs/{run}")).await?;
            if is_ended(&run) {
                return Ok(run);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("run {run} did not end")
    }

    /// The whole log of a run.
    pub async fn log(&self, run: &str) -> anyhow::Result<Vec<Value>> {
        let mut lines = Vec::new();
        for page in 1.. {
            let list = self.api.get(&format!("/api/runs/{run}/logs?page={page}&pageSize=100")).await?;
            let data = list["data"].as_array().cloned().unwrap_or_default();
            if data.is_empty() {
                break;
            }
            lines.extend(data);
        }
        Ok(lines)
    }
}

/// Whether a run is over.
pub fn is_ended(run: &Value) -> bool {
    !matches!(run["status"].as_str(), Some("pending" | "running"))
}

fn id(object: &Value) -> anyhow::Result<String> {
    object["id"].as_str().map(str::to_owned).context("every object has an id")
}

/// A ZIP of these files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> anyhow::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default())?;
        archive.write_all(content)?;
    }
    Ok(archive.finish()?.into_inner())
}
