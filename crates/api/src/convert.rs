//! Rows of the store as objects of the API. One function a resource; no decision is made here.

use std::collections::BTreeMap;

use domain::{AppId, ProxyRef, Role, Timestamp};
use serde_json::{Map, Value};
use wire::api::{account, api_key, application, end_user, organization, session};

/// Metadata and settings keep their order on the wire: by name.
fn sorted(map: Map<String, Value>) -> BTreeMap<String, Value> {
    map.into_iter().collect()
}

pub(crate) fn user(user: store::User) -> session::User {
    session::User {
        id: user.id,
        name: user.name,
        email: user.email,
        email_verified: user.email_verified,
        created_at: user.created_at.into(),
    }
}

pub(crate) fn session(session: &store::Session, user: store::User) -> session::Session {
    session::Session {
        object: session::SessionObject::Session,
        id: session.id,
        user: self::user(user),
        expires_at: session.expires_at.into(),
    }
}

pub(crate) fn listed_session(session: store::Session, current: domain::SessionId) -> session::ListedSession {
    session::ListedSession {
        object: session::SessionObject::Session,
        id: session.id,
        current: session.id == current,
        ip: session.ip,
        user_agent: session.user_agent,
        created_at: session.created_at.into(),
        expires_at: session.expires_at.into(),
    }
}

pub(crate) fn profile(user: store::User) -> account::Profile {
    account::Profile {
        object: account::ProfileObject::Profile,
        id: user.id,
        display_name: user.name.clone(),
        language: user.language,
        email: user.email,
        name: user.name,
    }
}

pub(crate) fn organization(organization: store::Organization, role: Role) -> organization::Organization {
    let api_version = organization.pinned_version().unwrap_or(crate::versions::DEFAULT.as_str()).to_owned();
    organization::Organization {
        object: organization::OrganizationObject::Organization,
        id: organization.id,
        name: organization.name,
        slug: organization.slug,
        role,
        api_version,
        created_at: organization.created_at.into(),
        updated_at: organization.updated_at.into(),
    }
}

pub(crate) fn member(member: store::Member) -> wire::api::member::Member {
    use wire::api::member;
    member::Member {
        object: member::MemberObject::Member,
        user_id: member.user,
        name: member.name,
        email: member.email,
        role: member.role,
        joined_at: member.joined_at.into(),
    }
}

pub(crate) fn invitation(invitation: store::Invitation, now: Timestamp) -> wire::api::invitation::Invitation {
    use wire::api::invitation::{Invitation, InvitationDelivery, InvitationObject, InvitationStatus};
    Invitation {
        object: InvitationObject::Invitation,
        id: invitation.id,
        email: invitation.email,
        role: invitation.role,
        status: if invitation.expires_at > now { InvitationStatus::Pending } else { InvitationStatus::Expired },
        delivery: match invitation.delivery {
            store::Delivery::Link => InvitationDelivery::Link,
            store::Delivery::Sending => InvitationDelivery::Sending,
            store::Delivery::Sent => InvitationDelivery::Sent,
            store::Delivery::Failed => InvitationDelivery::Failed,
        },
        invited_by: invitation.invited_by,
        created_at: invitation.created_at.into(),
        expires_at: invitation.expires_at.into(),
    }
}

pub(crate) fn invitation_offer(offer: store::InvitationOffer) -> wire::api::invitation::InvitationOffer {
    use wire::api::invitation;
    invitation::InvitationOffer {
        object: invitation::InvitationOfferObject::InvitationOffer,
        email: offer.email,
        org_name: offer.org_name,
        role: offer.role,
        inviter_name: offer.inviter_name,
        expires_at: offer.expires_at.into(),
        is_new_user: offer.user.is_none(),
    }
}

pub(crate) fn application(application: store::Application) -> application::Application {
    application::Application {
        object: application::ApplicationObject::Application,
        id: application.id,
        org_id: application.org,
        name: application.name,
        is_default: application.is_default,
        settings: Value::Object(application.settings),
        created_by: application.created_by,
        created_at: application.created_at.into(),
        updated_at: application.updated_at.into(),
    }
}

pub(crate) fn end_user(app: AppId, end_user: store::EndUser) -> end_user::EndUser {
    end_user::EndUser {
        object: end_user::EndUserObject::EndUser,
        id: end_user.id,
        application_id: app,
        name: end_user.name,
        email: end_user.email,
        external_id: end_user.external_id,
        metadata: sorted(end_user.metadata),
        created_at: end_user.created_at.into(),
        updated_at: end_user.updated_at.into(),
    }
}

pub(crate) fn api_key(app: AppId, key: store::ApiKey) -> api_key::ApiKey {
    api_key::ApiKey {
        object: api_key::ApiKeyObject::ApiKey,
        id: key.id,
        application_id: app,
        name: key.name,
        key_prefix: key.prefix,
        scopes: key.scopes,
        created_by: key.created_by,
        expires_at: key.expires_at.map(Into::into),
        last_used_at: key.last_used_at.map(Into::into),
        revoked_at: key.revoked_at.map(Into::into),
        created_at: key.created_at.into(),
    }
}

pub(crate) fn run(run: store::Run) -> wire::api::run::Run {
    use wire::api::run;
    run::Run {
        object: run::RunObject::Run,
        id: run.id,
        org_id: run.org,
        application_id: run.app,
        duration: run.duration_ms(),
        package_id: run.agent,
        version: run.version,
        status: run.status,
        end_user_id: run.end_user,
        user_id: run.user,
        api_key_id: run.key,
        input: run.input,
        config: run.config,
        result: run::RunResult { output: run.output, report: run.report, state: run.state },
        error: run.error,
        error_code: run.error_code,
        model_id: run.model,
        model_label: run.model_label,
        proxy_id: run.proxy,
        proxy_label: run.proxy_label,
        token_usage: run.usage.into(),
        cost: run.cost.as_dollars(),
        cost_nano_usd: run.cost.0,
        sandbox: run.rung,
        cancel_requested_at: run.cancel_requested_at.map(Into::into),
        created_at: run.created_at.into(),
        started_at: run.started_at.map(Into::into),
        completed_at: run.completed_at.map(Into::into),
    }
}

pub(crate) fn memory(memory: store::Memory) -> wire::api::memory::Memory {
    use wire::api::memory;
    memory::Memory {
        object: memory::MemoryObject::Memory,
        id: memory.id,
        key: memory.key,
        content: memory.content,
        end_user_id: memory.end_user,
        run_id: Some(memory.run),
        created_at: memory.created_at.into(),
    }
}

fn package_type(kind: afps::PackageType) -> wire::api::package::PackageType {
    use wire::api::package::PackageType;
    match kind {
        afps::PackageType::Agent => PackageType::Agent,
        afps::PackageType::Skill => PackageType::Skill,
        afps::PackageType::Tool => PackageType::Tool,
        afps::PackageType::Provider => PackageType::Provider,
    }
}

pub(crate) fn package_summary(package: store::Package, latest: &store::PackageVersion) -> wire::api::package::PackageSummary {
    use wire::api::package::{PackageObject, PackageSource, PackageSummary};
    let manifest: Value = serde_json::from_str(&latest.manifest).unwrap_or_default();
    let text = |name: &str| manifest.get(name).and_then(Value::as_str).map(str::to_owned);
    PackageSummary {
        object: PackageObject::Package,
        id: package.name,
        r#type: package_type(package.package_type),
        source: if package.org.is_some() { PackageSource::Local } else { PackageSource::System },
        display_name: text("displayName"),
        description: text("description"),
        version: latest.version.to_string(),
        created_at: package.created_at.into(),
        updated_at: package.updated_at.into(),
    }
}

pub(crate) fn package(
    package: store::Package,
    latest: &store::PackageVersion,
    versions: Vec<store::PackageVersion>,
) -> Result<wire::api::package::Package, crate::problem::Problem> {
    use wire::api::package::{Package, PackageVersion};
    let manifest = serde_json::from_str(&latest.manifest).map_err(|error| crate::problem::Problem::internal(&error))?;
    let versions = versions
        .into_iter()
        .map(|version| PackageVersion {
            id: version.id,
            version: version.version.to_string(),
            integrity: version.integrity.to_string(),
            size_bytes: version.size_bytes,
            created_by: version.created_by,
            created_at: version.created_at.into(),
        })
        .collect();
    Ok(Package { manifest, content: latest.content.clone(), versions, summary: package_summary(package, latest) })
}

/// `pinned`: the version that the installation names, if it names one.
pub(crate) fn installation(
    app: AppId,
    installation: store::Installation,
    package: &store::Package,
    pinned: Option<&store::PackageVersion>,
) -> wire::api::installation::ApplicationPackage {
    use wire::api::installation::{ApplicationPackage, ApplicationPackageObject};
    ApplicationPackage {
        object: ApplicationPackageObject::ApplicationPackage,
        application_id: app,
        package_id: installation.package,
        r#type: package_type(package.package_type),
        version: pinned.map(|version| version.version.to_string()),
        config: Value::Object(installation.config),
        model_id: installation.model.and_then(|model| model.parse().ok()),
        proxy_id: installation.proxy,
        enabled: installation.enabled,
        installed_at: installation.installed_at.into(),
        updated_at: installation.updated_at.into(),
    }
}

pub(crate) fn model(model: store::Model) -> wire::api::model::Model {
    use wire::api::model;
    model::Model {
        object: model::ModelObject::Model,
        id: model.id,
        label: model.label,
        api: model.protocol.as_str().to_owned(),
        base_url: model.base_url,
        model_id: model.model,
        provider_key_id: model.provider_key,
        context_window: model.context_window,
        max_tokens: model.max_output_tokens,
        reasoning: model.reasoning,
        input: if model.accepts_images { vec!["text".to_owned(), "image".to_owned()] } else { vec!["text".to_owned()] },
        cost: model.price,
        enabled: model.enabled,
        is_default: model.is_default,
        created_by: model.created_by,
        created_at: model.created_at.into(),
        updated_at: model.updated_at.into(),
    }
}

pub(crate) fn provider_key(key: store::ProviderKey) -> wire::api::model::ProviderKey {
    use wire::api::model;
    model::ProviderKey {
        object: model::ProviderKeyObject::ProviderKey,
        id: key.id,
        label: key.label,
        api: key.protocol.as_str().to_owned(),
        base_url: key.base_url,
        created_by: key.created_by,
        created_at: key.created_at.into(),
        updated_at: key.updated_at.into(),
    }
}

pub(crate) fn proxy(proxy: store::Proxy, is_default: bool) -> wire::api::proxy::Proxy {
    use wire::api::proxy;
    proxy::Proxy {
        object: proxy::ProxyObject::Proxy,
        id: ProxyRef::Own(proxy.id),
        label: proxy.label,
        url_prefix: proxy.shown,
        enabled: proxy.enabled,
        is_default,
        source: proxy::ProxySource::Custom,
        created_by: proxy.created_by,
        created_at: Some(proxy.created_at.into()),
        updated_at: Some(proxy.updated_at.into()),
    }
}

pub(crate) fn built_in_proxy(proxy: &connect::proxies::SystemProxy, default: Option<&ProxyRef>) -> wire::api::proxy::Proxy {
    use wire::api::proxy;
    let id = ProxyRef::BuiltIn(proxy.id.clone());
    proxy::Proxy {
        object: proxy::ProxyObject::Proxy,
        is_default: default == Some(&id),
        id,
        label: proxy.label.clone(),
        url_prefix: proxy.shown.clone(),
        enabled: proxy.enabled,
        source: proxy::ProxySource::BuiltIn,
        created_by: None,
        created_at: None,
        updated_at: None,
    }
}

pub(crate) fn test_result(outcome: connect::outbound::TestOutcome) -> wire::api::probe::TestResult {
    let (error, message) = outcome.failure.map(|failure| (failure.error, failure.message)).unzip();
    wire::api::probe::TestResult {
        ok: error.is_none(),
        latency_ms: u64::try_from(outcome.latency.as_millis()).unwrap_or(u64::MAX),
        error,
        message,
    }
}

pub(crate) fn connection(connection: store::Connection) -> wire::api::connection::Connection {
    use wire::api::connection::{self, ConnectionOwner, ConnectionStatus};
    connection::Connection {
        object: connection::ConnectionObject::Connection,
        id: connection.id,
        provider: connection.provider,
        profile_id: connection.profile,
        owner: match connection.holder {
            store::Holder::User(_) => ConnectionOwner::User,
            store::Holder::EndUser(_) => ConnectionOwner::EndUser,
            store::Holder::Application => ConnectionOwner::Application,
            store::Holder::Organization => ConnectionOwner::Organization,
        },
        auth_mode: connection.auth_mode,
        status: if connection.needs_reconnection { ConnectionStatus::NeedsReconnection } else { ConnectionStatus::Connected },
        created_at: connection.created_at.into(),
        updated_at: connection.updated_at.into(),
    }
}
