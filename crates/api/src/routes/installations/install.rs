use axum::extract::State;
use domain::{AppId, Code};
use serde_json::{Map, Value, json};
use store::{Audit, NewInstallation, constraint};
use wire::api::installation::{ApplicationPackage, InstallPackage};

use super::{application, check_config, version_in_use};
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for InstallPackage {
    fn check(&self) -> Vec<Violation> {
        match &self.config {
            None | Some(Value::Object(_)) => Vec::new(),
            Some(_) => vec![Violation::new("/config", "invalid_type", "must be an object")],
        }
    }
}

/// Installs a package.
#[utoipa::path(
    post,
    path = "/api/applications/{id}/packages",
    operation_id = "installPackage",
    tag = "Applications",
    description = "Makes a package of the catalogue usable in the application, in its newest version.",
    params(("id" = AppId, Path, description = "The application.")),
    request_body = InstallPackage,
    responses((status = 201, description = "The installed package.", body = ApplicationPackage), (status = 409, description = "The package is installed already."))
)]
pub(super) async fn install_package(
    can: Can<perm::ApplicationsWrite>,
    State(app): State<App>,
    IdPath(id): IdPath<AppId>,
    Json(body): Json<InstallPackage>,
) -> Result<Answer, Problem> {
    let scope = application(&app.store, &can, id).await?;
    let config: Map<String, Value> = body.config.and_then(|config| config.as_object().cloned()).unwrap_or_default();
    let write = can.write_in(&scope).await?;
    let new = NewInstallation { config: config.clone(), ..NewInstallation::of(body.package_id.clone()) };
    let created = write.installations().create(new).await.map_err(|error| {
        if error.is_conflict(constraint::INSTALLATION) {
            Problem::new(Code::AlreadyInstalled, "The package is installed in this application.")
        } else {
            error.into()
        }
    })?;
    let installation = created.ok_or_else(|| Problem::invalid("/packageId", "not_found", "no such package"))?;
    let version = version_in_use(&write, &installation).await?;
    write.audit(Audit::detail(json!({ "version": version.version.to_string(), "config": config.keys().collect::<Vec<_>>() })));
    if !config.is_empty() {
        check_config(&version, &config)?;
    }
    let package = write.packages().get(&installation.package).await?.ok_or_else(Problem::not_found)?;
    let location = format!("/api/applications/{id}/packages/{}", installation.package);
    let object = convert::installation(id, installation, &package, None);
    Answer::created(write, &object, location).await
}
