//! The table that a new route extends: what its path names ([`NAMED`]), and a body with which it works ([`body`]).

use serde_json::{Value, json};
use store::TokenPurpose;

use super::operation::Operation;
use super::principal::Principal;
use super::rows::{Row, agent, archive, provider, publish_agent};
use super::stage::Stage;
use super::target::{Class, Target};
use crate::world::unique;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Organization,
    /// A user in an organization.
    Member,
    Invitation,
    /// The secret end of an invitation's link.
    InvitationToken,
    Application,
    /// A package in an application.
    Installation,
    EndUser,
    ApiKey,
    Agent,
    Provider,
    Tool,
    Skill,
    /// An agent as an application runs it.
    InstalledAgent,
    /// An agent as a name under which things are kept; it need not exist any more.
    AgentName,
    Memory,
    Run,
    Model,
    ProviderKey,
    Proxy,
    Connection,
    Session,
    /// A provider to sign in with.
    LoginProvider,
}

/// The longest entry that begins an operation's path counts.
const NAMED: &[(&str, Kind)] = &[
    ("/api/orgs/{id}", Kind::Organization),
    ("/api/orgs/{id}/members/{userId}", Kind::Member),
    ("/api/orgs/{id}/invitations/{invitationId}", Kind::Invitation),
    ("/api/invitations/{token}", Kind::InvitationToken),
    ("/api/applications/{id}", Kind::Application),
    ("/api/applications/{id}/packages/{scope}/{name}", Kind::Installation),
    ("/api/end-users/{id}", Kind::EndUser),
    ("/api/api-keys/{id}", Kind::ApiKey),
    ("/api/packages/agents/{scope}/{name}", Kind::Agent),
    ("/api/packages/providers/{scope}/{name}", Kind::Provider),
    ("/api/packages/tools/{scope}/{name}", Kind::Tool),
    ("/api/packages/skills/{scope}/{name}", Kind::Skill),
    ("/api/agents/{scope}/{name}/run", Kind::InstalledAgent),
    ("/api/agents/{scope}/{name}/memories", Kind::AgentName),
    ("/api/agents/{scope}/{name}/memories/{id}", Kind::Memory),
    ("/api/runs/{id}", Kind::Run),
    ("/api/realtime/runs/{id}", Kind::Run),
    ("/api/realtime/agents/{scope}/{name}/runs", Kind::AgentName),
    ("/api/realtime/agents/{id}/runs", Kind::AgentName),
    ("/api/notifications/read/{id}", Kind::Run),
    ("/api/models/{id}", Kind::Model),
    ("/api/provider-keys/{id}", Kind::ProviderKey),
    ("/api/auth/sessions/{id}", Kind::Session),
    ("/api/auth/sign-in/social/{provider}", Kind::LoginProvider),
    ("/api/auth/callback/{provider}", Kind::LoginProvider),
    ("/api/proxies/{id}", Kind::Proxy),
    ("/api/connections/{id}", Kind::Connection),
    ("/api/connections/connect/{scope}/{name}", Kind::Provider),
];

impl Kind {
    /// What the operation's path names. `None`: its path is fixed.
    pub(crate) fn of(operation: &Operation) -> Option<Self> {
        if operation.parameters.is_empty() {
            return None;
        }
        let entries = NAMED.iter().filter(|(prefix, _)| operation.path.starts_with(prefix));
        let found = entries.max_by_key(|(prefix, _)| prefix.len());
        Some(found.unwrap_or_else(|| panic!("{operation} has no fixture: add what its path names to NAMED in walk/fixtures.rs")).1)
    }

    pub(crate) fn class(self) -> Class {
        match self {
            Self::InvitationToken => Class::Secret,
            Self::Member
            | Self::Invitation
            | Self::Organization
            | Self::Agent
            | Self::Provider
            | Self::Tool
            | Self::Skill
            | Self::Model
            | Self::ProviderKey
            | Self::Proxy => Class::Organization,
            Self::Application | Self::Installation => Class::Application,
            Self::ApiKey | Self::InstalledAgent => Class::Shared,
            Self::EndUser | Self::Run | Self::Memory => Class::Private,
            Self::Connection => Class::Held,
            Self::Session => Class::Account,
            Self::AgentName | Self::LoginProvider => Class::Open,
        }
    }

    /// Whether the kind has rows of this target that differ from its other rows.
    pub(crate) fn has(self, target: Target) -> bool {
        match target {
            Target::SiblingEndUser => matches!(self.class(), Class::Private | Class::Held),
            Target::SiblingApplication => !matches!(self.class(), Class::Organization | Class::Account | Class::Secret | Class::Open),
            // A member or an invitation of nobody is one of the own organization anyway.
            Target::RandomChild => matches!(self, Self::Installation | Self::Memory),
            Target::Malformed => self != Self::AgentName,
            // Whoever holds the secret may know.
            Target::ForeignOrganization => self.class() != Class::Secret,
            Target::ForeignChild => matches!(self, Self::Member | Self::Invitation | Self::Installation | Self::Memory),
            _ => true,
        }
    }

    /// Whether a malformed name is told apart from one of nothing: a package's name is no secret id, and the problem says which.
    pub(crate) fn tells_malformed(self) -> bool {
        self == Self::InstalledAgent
    }

    /// Whether a row that is missing behind the caller's own parent is told apart from one whose parent is missing.
    pub(crate) fn tells_missing_child(self) -> bool {
        self == Self::Installation
    }
}

/// The operation's path with the row in it.
pub(crate) fn path(operation: &Operation, row: &Row) -> String {
    let path = ["{userId}", "{invitationId}", "{token}"].iter().fold(operation.path.clone(), |path, name| path.replace(name, &row.child));
    path.replace("{id}", &row.id).replace("{provider}", &row.id).replace("{scope}/{name}", &row.package)
}

/// What a request carries.
pub(crate) enum Content {
    None,
    Json(Value),
    /// The bytes of an archive, for a form.
    Archive(Vec<u8>),
}

/// Content with which the operation succeeds for this caller, different at each call.
pub(crate) async fn body(stage: &Stage<'_>, operation: &Operation, principal: Principal) -> Content {
    let number = unique();
    let home = stage.home(principal);
    // What becomes a text of the tenant, and what becomes one of the caller's application or end-user.
    let (slug, mark) = (home.slug, home.mark);
    let name = format!("@{slug}/new-{number}");
    let vendor = json!({"label": format!("{slug} vendor {number}"), "api": "openai-completions", "baseUrl": "https://api.example.com/v1"});
    let with = |mut object: Value, more: Value| {
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let body = match operation.id.as_str() {
        "signUp" => json!({"name": "Ada", "email": format!("ada{number}@example.com"), "password": "correct horse"}),
        "signIn" => json!({"email": "walker@example.com", "password": "correct horse"}),
        "changePassword" => json!({"currentPassword": "correct horse", "newPassword": "correct horse"}),
        "forgotPassword" | "sendVerificationEmail" => json!({"email": "walker@example.com"}),
        "resetPassword" => json!({"token": stage.mailed(TokenPurpose::ResetPassword).await, "newPassword": "correct horse"}),
        "verifyEmail" => json!({"token": stage.mailed(TokenPurpose::VerifyEmail).await}),
        "updateProfile" | "setUpProfile" => json!({"displayName": format!("Walker {number}")}),
        "createOrganization" | "updateOrganization" => json!({"name": format!("{slug} organization {number}")}),
        "updateOrganizationSettings" => json!({"apiVersion": "2026-03-21"}),
        "changeMemberRole" => json!({"role": "member"}),
        "createInvitation" => json!({"email": format!("guest{number}@{slug}.example.com"), "role": "viewer"}),
        "updateInvitation" => json!({"role": "admin"}),
        "acceptInvitation" => json!({"name": "Guest", "password": "correct horse"}),
        "createApplication" | "updateApplication" => json!({"name": format!("{slug} application {number}")}),
        "updateApiKey" => json!({"name": format!("{mark} key {number}")}),
        "createEndUser" => {
            let external = format!("{mark}-eve-{number}");
            json!({"name": format!("{mark} Eve"), "externalId": external, "email": format!("{external}@customer.example")})
        }
        "updateEndUser" => json!({"metadata": {"note": format!("{mark} {number}")}}),
        "createApiKey" => json!({"name": format!("{mark} key {number}"), "scopes": ["runs:read"]}),
        "createAgent" => json!({"manifest": agent(&name), "content": "Be brief."}),
        "createProvider" => json!({"manifest": provider(&name), "content": "# Shop"}),
        "importPackage" => return Content::Archive(archive(&name)),
        "installPackage" => json!({"packageId": publish_agent(home.tenant, &name).await}),
        "configurePackage" => json!({"enabled": true, "modelId": null, "proxyId": "none"}),
        "createModel" => with(vendor, json!({"modelId": "model-1"})),
        "updateModel" => json!({"label": format!("{slug} model {number}"), "enabled": true, "cost": null}),
        "setDefaultModel" => json!({"modelId": home.tenant.get("/api/models").await.is(200).text_at("/data/0/id")}),
        "updateProviderKey" => json!({"label": format!("{slug} key {number}"), "apiKey": "vendor-secret"}),
        "createProxy" => json!({"label": format!("{slug} exit {number}"), "url": "http://ada:secret@proxy.example.com:8080"}),
        "updateProxy" => json!({"label": format!("{slug} exit {number}"), "url": "socks5://proxy.example.com", "enabled": true}),
        "setDefaultProxy" => json!({"proxyId": "none"}),
        "createProviderKey" => with(vendor, json!({"apiKey": "vendor-secret"})),
        "connectApiKey" => json!({"apiKey": "shop-secret"}),
        "connectCredentials" => json!({"credentials": {"api_key": "shop-secret"}}),
        "createStreamTicket" => json!({}),
        "runAgent" => json!({"input": {"note": mark}}),
        "createRun" => json!({"agentId": home.agent, "input": {"note": mark}}),
        "createInlineRun" => json!({"manifest": agent(&name), "prompt": "Be brief.", "input": {"note": mark}}),
        _ => {
            let takes = operation.value.get("requestBody").is_some();
            assert!(!takes, "{operation} has no fixture: add a body that works to `body` in walk/fixtures.rs");
            return Content::None;
        }
    };
    Content::Json(body)
}
