//! Rows for the walk, made through the API itself where it has a way, otherwise through the store.

use std::time::Duration;

use domain::{AppId, EndUserId, RunId};
use serde_json::{Value, json};
use store::{RunEnding, RunEntry, WriteContext};
use wire::control::MemoryWrite;
use wire::run_event::{LogLevel, RunEvent};

use super::fixtures::Kind;
use super::operation::operations;
use super::stage::{ALAN, CANARY, GRACE, OUTSKIRTS, Stage};
use super::target::Target;
use crate::world::{Actor, KeyPlan, Reply, Tenant, unique};

/// What stands in a path: an id, a package, or both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) package: String,
    /// An id or secret behind the first one.
    pub(crate) child: String,
}

fn id(id: impl std::fmt::Display) -> Row {
    Row { id: id.to_string(), ..Row::default() }
}

fn named(package: impl std::fmt::Display) -> Row {
    Row { package: package.to_string(), ..Row::default() }
}

/// The name, also in one segment, as an id.
fn encoded(package: &str) -> Row {
    Row { id: package.replace('/', "%2F"), package: package.to_owned(), ..Row::default() }
}

pub(crate) fn agent(name: &str) -> Value {
    json!({"name": name, "version": "1.0.0", "type": "agent", "schemaVersion": "1.3", "displayName": name, "author": name, "timeout": 60})
}

pub(crate) fn provider(name: &str) -> Value {
    json!({
        "name": name, "version": "1.0.0", "type": "provider", "schemaVersion": "1.3", "displayName": name,
        "definition": {
            "authMode": "api_key",
            "credentials": {
                "schema": {"type": "object", "required": ["api_key"], "properties": {"api_key": {"type": "string"}}},
                "fieldName": "api_key"
            },
            "credentialHeaderName": "Authorization",
            "credentialHeaderPrefix": "Bearer",
            "authorizedUris": ["https://shop.example.com/*"]
        }
    })
}

/// A tool as the archive that a developer would upload.
pub(crate) fn archive(name: &str) -> Vec<u8> {
    let manifest = json!({
        "name": name, "version": "1.0.0", "type": "tool", "schemaVersion": "1.3", "displayName": name, "entrypoint": "index.ts",
        "tool": {"name": "add", "description": "Adds.", "inputSchema": {"type": "object", "properties": {"a": {"type": "number"}}}}
    });
    let source = "export default { name: \"add\", execute: async () => ({ content: [] }) };";
    let files = [("manifest.json", manifest.to_string()), ("index.ts", source.to_owned())];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
    afps::Package::from_files(files).unwrap().to_archive().unwrap()
}

fn skill(name: &str) -> Vec<u8> {
    let manifest = json!({"name": name, "version": "1.0.0", "type": "skill", "schemaVersion": "1.3", "displayName": name});
    let text = "---\nname: manners\ndescription: How to be polite.\n---\n\nSay please.\n";
    let files = [("manifest.json", manifest.to_string()), ("SKILL.md", text.to_owned())];
    afps::Package::from_files(files.map(|(path, text)| (path.to_owned(), text.into_bytes()))).unwrap().to_archive().unwrap()
}

/// Uploads an archive as a form.
pub(crate) async fn upload(caller: &Actor<'_>, path: &str, archive: &[u8]) -> Reply {
    let head =
        b"--walk\r\nContent-Disposition: form-data; name=\"file\"; filename=\"package.zip\"\r\nContent-Type: application/zip\r\n\r\n";
    let body = [head.as_slice(), archive, b"\r\n--walk--\r\n"].concat();
    caller.with("content-type", "multipart/form-data; boundary=walk").send_bytes(axum::http::Method::POST, path, body).await
}

pub(crate) async fn import(tenant: &Tenant<'_>, slug: &str) {
    upload(tenant, "/api/packages/import", &archive(&format!("@{slug}/calculator"))).await.is(201);
    upload(tenant, "/api/packages/import", &skill(&format!("@{slug}/manners"))).await.is(201);
}

pub(crate) async fn publish_agent(tenant: &Tenant<'_>, name: &str) -> String {
    tenant.post("/api/packages/agents", &json!({"manifest": agent(name), "content": "Be brief."})).await.is(201);
    name.to_owned()
}

pub(crate) async fn publish_provider(tenant: &Tenant<'_>, name: &str) {
    tenant.post("/api/packages/providers", &json!({"manifest": provider(name), "content": "# Shop"})).await.is(201);
}

/// Installs the package if it is not.
pub(crate) async fn install(tenant: &Tenant<'_>, app: AppId, name: &str) {
    let reply = tenant.post(&format!("/api/applications/{app}/packages"), &json!({"packageId": name})).await;
    assert!(matches!(reply.status, 201 | 409), "{reply}");
}

async fn run(caller: &Actor<'_>, agent: &str, mark: &str) -> RunId {
    caller.post("/api/runs", &json!({"agentId": agent, "input": {"note": mark}})).await.is(200).text_at("/runId").parse().unwrap()
}

async fn connection(caller: &Actor<'_>, provider: &str) -> Row {
    let reply = caller.post(&format!("/api/connections/connect/{provider}/api-key"), &json!({"apiKey": "shop-secret"})).await;
    assert!(matches!(reply.status, 200 | 201), "{reply}");
    id(reply.text_at("/id"))
}

/// The text in the rows of the target that are an application's or an end-user's.
fn mark(target: Target) -> &'static str {
    match target {
        Target::Own | Target::Random | Target::RandomChild | Target::Malformed => GRACE,
        Target::SiblingEndUser => ALAN,
        Target::SiblingApplication => OUTSKIRTS,
        Target::ForeignOrganization | Target::ForeignChild => CANARY,
    }
}

impl Stage<'_> {
    /// A row of every kind and of everybody, so that there is something that lists and counts could tell.
    pub(crate) async fn settle(&self) {
        let mut kinds = Vec::new();
        for kind in operations().iter().filter_map(Kind::of) {
            if kinds.contains(&kind) {
                continue;
            }
            kinds.push(kind);
            for target in [Target::Own, Target::SiblingEndUser, Target::SiblingApplication, Target::ForeignOrganization] {
                if kind.has(target) {
                    kind.make(self, target).await;
                }
            }
        }
    }

    /// The whole key of the target's application, on behalf of its end-user where it has one, and an agent and provider there.
    fn inside(&self, target: Target) -> (Actor<'_>, &'static str, &'static str) {
        match target {
            Target::SiblingEndUser => (self.key.as_user(self.alan), "@own/helper", "@own/shop"),
            Target::SiblingApplication => (self.sibling_key.clone(), "@own/elsewhere", "@own/shop"),
            Target::ForeignOrganization | Target::ForeignChild => {
                (self.foreign_key.as_user(self.foreign_end_user), "@canary/helper", "@canary/shop")
            }
            Target::Own | Target::Random | Target::RandomChild | Target::Malformed => {
                (self.key.as_user(self.grace), "@own/helper", "@own/shop")
            }
        }
    }

    /// A memory that a run of the caller's has left, besides a state and a cost.
    async fn memory(&self, target: Target) -> Row {
        let (caller, agent, _) = self.inside(target);
        let mark = mark(target);
        let wanted = run(&caller, agent, mark).await;
        let system = self.world.store.system();
        let claimed = loop {
            let claimed = system.claim_run("walk", Duration::from_mins(1)).await.unwrap().expect("the run waits");
            if claimed.spec.run == wanted {
                break claimed;
            }
        };
        let started = RunEntry::Event(RunEvent::Started { rung: "namespace".to_owned(), egress: json!({"policy": "public"}) });
        let paid = RunEntry::LedgerOpen { entry: 1, reserved: domain::NanoUsd(1) };
        let state = RunEntry::Event(RunEvent::StateSet { state: json!({"note": mark}) });
        let line = RunEntry::Event(RunEvent::Log { level: LogLevel::Info, message: mark.to_owned(), data: None });
        system.append_to_run(&claimed.lease, claimed.next_seq, &[started, paid, state, line]).await.unwrap();
        let memories = vec![MemoryWrite { key: None, text: format!("{mark} {}", unique()) }];
        let write = self.world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
        assert!(write.runs().finish(&claimed.lease, &RunEnding { failure: None, memories }).await.unwrap().is_some());
        write.commit().await.unwrap();
        let kept = caller.get(&format!("/api/agents/{agent}/memories")).await.is(200);
        Row { id: kept.text_at("/data/0/id"), package: agent.to_owned(), ..Row::default() }
    }

    async fn end_user_of(&self, target: Target) -> EndUserId {
        match target {
            Target::SiblingApplication => self.own.end_user_of(self.sibling_app, &format!("{OUTSKIRTS}{}", unique())).await,
            Target::ForeignOrganization | Target::ForeignChild => self.foreign.end_user(&format!("{CANARY}{}", unique())).await,
            Target::SiblingEndUser => self.alan,
            Target::Own | Target::Random | Target::RandomChild | Target::Malformed => self.grace,
        }
    }

    async fn api_key_of(&self, target: Target) -> domain::KeyId {
        let plan = match target {
            Target::SiblingApplication => KeyPlan { app: self.sibling_app, name: OUTSKIRTS, ..self.own.plan(&[]) },
            Target::ForeignOrganization => return self.foreign.key_of(self.foreign.plan(&[])).await.0,
            _ => self.own.plan(&[]),
        };
        self.own.key_of(plan).await.0
    }

    async fn created_by_owner(&self, target: Target, path: &str, more: Value) -> Row {
        let tenant = if target == Target::ForeignOrganization { &self.foreign } else { &self.own };
        let slug = if target == Target::ForeignOrganization { CANARY } else { "own" };
        let mut body = json!({"label": slug, "api": "openai-completions", "baseUrl": "https://api.example.com/v1"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        id(tenant.post(path, &body).await.is(201).text_at("/id"))
    }
}

impl Kind {
    /// A row of the target, of which an operation may take anything but what all cells share.
    pub(crate) async fn make(self, stage: &Stage<'_>, target: Target) -> Row {
        match target {
            Target::Random => return self.random(stage),
            Target::Malformed => {
                return Row { id: "nonsense".to_owned(), package: "nonsense/at-all".to_owned(), child: "nonsense".to_owned() };
            }
            Target::ForeignChild => return Box::pin(self.foreign_child(stage)).await,
            Target::RandomChild => {
                let own = Box::pin(self.make(stage, Target::Own)).await;
                let random = self.random(stage);
                let is_child = self == Self::Memory;
                return if is_child { Row { id: random.id, ..own } } else { Row { package: random.package, ..own } };
            }
            _ => {}
        }
        let is_foreign = target == Target::ForeignOrganization;
        let slug = if is_foreign { CANARY } else { "own" };
        let app = match target {
            Target::ForeignOrganization => stage.foreign.app,
            Target::SiblingApplication => stage.sibling_app,
            _ => stage.own.app,
        };
        let (caller, agent, provider) = stage.inside(target);
        match self {
            Self::Member => {
                let tenant = if is_foreign { &stage.foreign } else { &stage.own };
                let user = tenant.joined(domain::Role::Viewer).await;
                Row { id: tenant.org.to_string(), child: user.to_string(), ..Row::default() }
            }
            Self::Invitation | Self::InvitationToken => {
                let tenant = if is_foreign { &stage.foreign } else { &stage.own };
                let (invitation, token) = tenant.invited(&format!("guest{}@{slug}.example.com", unique())).await;
                let child = if self == Self::Invitation { invitation.to_string() } else { token };
                Row { id: tenant.org.to_string(), child, ..Row::default() }
            }
            Self::Organization => id(if is_foreign { stage.foreign.org } else { stage.own.org }),
            Self::Application => id(app),
            Self::Installation => {
                let package = format!("@{slug}/removable");
                install(if is_foreign { &stage.foreign } else { &stage.own }, app, &package).await;
                Row { id: app.to_string(), package, ..Row::default() }
            }
            Self::EndUser => id(stage.end_user_of(target).await),
            Self::ApiKey => id(stage.api_key_of(target).await),
            Self::Agent => named(format!("@{slug}/helper")),
            Self::Provider => named(format!("@{slug}/shop")),
            Self::Tool => named(format!("@{slug}/calculator")),
            Self::Skill => named(format!("@{slug}/manners")),
            Self::InstalledAgent => named(agent),
            Self::AgentName => encoded(agent),
            Self::Memory => stage.memory(target).await,
            Self::Run => id(run(&caller, agent, mark(target)).await),
            Self::Model => stage.created_by_owner(target, "/api/models", json!({"modelId": slug})).await,
            Self::ProviderKey => stage.created_by_owner(target, "/api/provider-keys", json!({"apiKey": "vendor-secret"})).await,
            Self::Proxy => {
                let tenant = if is_foreign { &stage.foreign } else { &stage.own };
                let body = json!({"label": slug, "url": format!("http://{slug}:secret@proxy.example.com")});
                id(tenant.post("/api/proxies", &body).await.is(201).text_at("/id"))
            }
            Self::Connection => connection(&caller, provider).await,
            Self::Session => {
                let user = if is_foreign { stage.foreign.owner } else { stage.own.owner };
                id(stage.world.session(user).await.session.id)
            }
            Self::LoginProvider => id("github"),
        }
    }

    /// The row of the foreign organization, named behind the own parent.
    async fn foreign_child(self, stage: &Stage<'_>) -> Row {
        let foreign = self.make(stage, Target::ForeignOrganization).await;
        match self {
            Self::Member | Self::Invitation => Row { id: stage.own.org.to_string(), ..foreign },
            Self::Installation => Row { id: stage.own.app.to_string(), ..foreign },
            Self::Memory => Row { package: "@own/helper".to_owned(), ..foreign },
            _ => panic!("{self:?} has no parent in its path"),
        }
    }

    fn random(self, stage: &Stage<'_>) -> Row {
        let ids = stage.world.store.ids();
        let package = format!("@own/absent-{}", unique());
        if self == Self::AgentName {
            return encoded(&package);
        }
        let id = match self {
            Self::Organization => domain::OrgId::new(ids).to_string(),
            Self::Member | Self::Invitation => stage.own.org.to_string(),
            Self::Application | Self::Installation => AppId::new(ids).to_string(),
            Self::EndUser => EndUserId::new(ids).to_string(),
            Self::ApiKey => domain::KeyId::new(ids).to_string(),
            Self::Memory => domain::MemoryId::new(ids).to_string(),
            Self::Run => RunId::new(ids).to_string(),
            Self::Model => domain::ModelId::new(ids).to_string(),
            Self::ProviderKey => domain::ProviderKeyId::new(ids).to_string(),
            Self::Proxy => domain::ProxyId::new(ids).to_string(),
            Self::Connection => domain::ConnectionId::new(ids).to_string(),
            Self::Session => domain::SessionId::new(ids).to_string(),
            Self::LoginProvider => "github".to_owned(),
            Self::Agent | Self::Provider | Self::Tool | Self::Skill | Self::InstalledAgent | Self::AgentName | Self::InvitationToken => {
                String::new()
            }
        };
        let child = match self {
            Self::Member => domain::UserId::new(ids).to_string(),
            Self::Invitation => domain::InvitationId::new(ids).to_string(),
            Self::InvitationToken => auth::token::new_invitation_token(ids).expose().clone(),
            _ => String::new(),
        };
        Row { id, package, child }
    }
}
