//! Provider packages.

use axum::extract::State;
use wire::api::list::List;
use wire::api::package::{CreatePackage, Package, PackageSummary, PackageType};

use super::shared;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{AgentPath, Can, Json, Paging, perm};
use crate::problem::Problem;

/// Publishes a provider.
#[utoipa::path(
    post,
    path = "/api/packages/providers",
    operation_id = "createProvider",
    tag = "Packages",
    description = "Publishes a provider from its manifest. The name must begin with the slug of the organization; the version is final.",
    request_body = CreatePackage,
    responses((status = 201, description = "The package.", body = Package), (status = 409, description = "The name or the version is taken."))
)]
pub(super) async fn create_provider(
    can: Can<perm::ProvidersWrite>,
    State(app): State<App>,
    Json(body): Json<CreatePackage>,
) -> Result<Answer, Problem> {
    shared::create(&can, &app, PackageType::Provider, body).await
}

/// Lists provider packages.
#[utoipa::path(
    get,
    path = "/api/packages/providers",
    operation_id = "listProviderPackages",
    tag = "Packages",
    description = "The providers of the organization and of the platform, newest first.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of packages.", body = List<PackageSummary>))
)]
pub(super) async fn list_provider_packages(can: Can<perm::ProvidersRead>, paging: Paging) -> Result<Answer, Problem> {
    shared::list(&can, PackageType::Provider, paging).await
}

/// Reads a provider package.
#[utoipa::path(
    get,
    path = "/api/packages/providers/{scope}/{name}",
    operation_id = "getProviderPackage",
    tag = "Packages",
    description = "The provider with its manifest, its text and its versions.",
    params(
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "example")
    ),
    responses((status = 200, description = "The package.", body = Package))
)]
pub(super) async fn get_provider_package(can: Can<perm::ProvidersRead>, AgentPath(name): AgentPath) -> Result<Answer, Problem> {
    shared::get(&can, PackageType::Provider, &name).await
}
