use axum::extract::State;
use domain::{AppId, Code};
use serde_json::{Value, json};
use store::{AppScope, Audit, InstallationChange, PackageVersion, Write};
use wire::api::installation::{ApplicationPackage, ConfigurePackage};

use super::{application, check_config, version_in_use};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{AgentPath, Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::proxies::require as require_proxy;
use crate::rules;

impl rules::Checked for ConfigurePackage {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/version", self.version.as_ref().and_then(Option::as_deref), 256);
        violations
    }
}

/// Configures an installed package.
#[utoipa::path(
    put,
    path = "/api/applications/{id}/packages/{scope}/{name}",
    operation_id = "configurePackage",
    tag = "Applications",
    description = "Changes how the application uses the package. Missing members stay; `null` clears an override. The configuration is replaced whole \
                   and checked against the agent's schema.",
    params(
        ("id" = AppId, Path, description = "The application."),
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "refund-triage")
    ),
    request_body = ConfigurePackage,
    responses((status = 200, description = "The installed package after the change.", body = ApplicationPackage))
)]
pub(super) async fn configure_package(
    can: Can<perm::ApplicationsWrite>,
    State(app): State<App>,
    IdPath(id): IdPath<AppId>,
    AgentPath(name): AgentPath,
    Json(body): Json<ConfigurePackage>,
) -> Result<Answer, Problem> {
    let scope = application(&app.store, &can, id).await?;
    let write = can.write_in(&scope).await?;
    let not_installed = || Problem::new(Code::PackageNotInstalled, "The package is not installed in this application.");
    // A package that is not installed is told before what the body names and is not there.
    write.installations().get(&name).await?.ok_or_else(not_installed)?;
    if let Some(Some(model)) = body.model_id
        && write.models().get(model).await?.is_none()
    {
        return Err(Problem::invalid("/modelId", "not_found", "no such model"));
    }
    if let Some(Some(choice)) = &body.proxy_id {
        require_proxy(&write, &app, choice, "/proxyId").await?;
    }
    write.audit(Audit::detail(changed(&body)));
    let version = match &body.version {
        None => None,
        Some(None) => Some(None),
        Some(Some(asked)) => Some(Some(named_version(&write, &name, asked).await?.id)),
    };
    let config = body.config;
    let change = InstallationChange {
        version,
        config: config.clone(),
        model: body.model_id.map(|model| model.map(|id| id.to_string())),
        proxy: body.proxy_id,
        enabled: body.enabled,
    };
    let installation = write.installations().update(&name, change).await?.ok_or_else(not_installed)?;
    let in_use = version_in_use(&write, &installation).await?;
    if let Some(config) = &config {
        check_config(&in_use, config)?;
    }
    let package = write.packages().get(&name).await?.ok_or_else(not_installed)?;
    let pinned = installation.version.map(|_| in_use);
    let object = convert::installation(id, installation, &package, pinned.as_ref());
    Answer::done(write, 200, &object).await
}

async fn named_version(write: &Write<AppScope>, name: &domain::PackageName, asked: &str) -> Result<PackageVersion, Problem> {
    let versions = write.versions().all_of(name).await?;
    runs::preflight::resolve_version(asked, versions).ok_or_else(|| Problem::invalid("/version", "not_found", "no version satisfies this"))
}

/// What changes. Of the configuration only the names: an agent may be given anything.
fn changed(body: &ConfigurePackage) -> Value {
    let mut detail = json!({});
    if let Some(config) = &body.config {
        detail["config"] = config.keys().cloned().collect();
    }
    if let Some(version) = &body.version {
        detail["version"] = json!(version);
    }
    if let Some(model) = &body.model_id {
        detail["modelId"] = json!(model);
    }
    if let Some(proxy) = &body.proxy_id {
        detail["proxyId"] = json!(proxy);
    }
    if let Some(enabled) = body.enabled {
        detail["enabled"] = json!(enabled);
    }
    detail
}
