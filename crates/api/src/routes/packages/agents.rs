//! Agent packages.

use axum::extract::State;
use wire::api::list::List;
use wire::api::package::{CreatePackage, Package, PackageSummary, PackageType};

use super::shared;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{AgentPath, Can, Json, Paging, perm};
use crate::problem::Problem;

/// Publishes an agent.
#[utoipa::path(
    post,
    path = "/api/packages/agents",
    operation_id = "createAgent",
    tag = "Packages",
    description = "Publishes an agent from a manifest and its prompt. The name must begin with the slug of the organization; the version is final.",
    request_body = CreatePackage,
    responses((status = 201, description = "The package.", body = Package), (status = 409, description = "The name or the version is taken."))
)]
pub(super) async fn create_agent(
    can: Can<perm::AgentsWrite>,
    State(app): State<App>,
    Json(body): Json<CreatePackage>,
) -> Result<Answer, Problem> {
    shared::create(&can, &app, PackageType::Agent, body).await
}

/// Lists agent packages.
#[utoipa::path(
    get,
    path = "/api/packages/agents",
    operation_id = "listAgentPackages",
    tag = "Packages",
    description = "The agents of the organization and of the platform, newest first.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of packages.", body = List<PackageSummary>))
)]
pub(super) async fn list_agent_packages(can: Can<perm::AgentsRead>, paging: Paging) -> Result<Answer, Problem> {
    shared::list(&can, PackageType::Agent, paging).await
}

/// Reads an agent package.
#[utoipa::path(
    get,
    path = "/api/packages/agents/{scope}/{name}",
    operation_id = "getAgentPackage",
    tag = "Packages",
    description = "The agent with its manifest, its text and its versions.",
    params(
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "example")
    ),
    responses((status = 200, description = "The package.", body = Package))
)]
pub(super) async fn get_agent_package(can: Can<perm::AgentsRead>, AgentPath(name): AgentPath) -> Result<Answer, Problem> {
    shared::get(&can, PackageType::Agent, &name).await
}
