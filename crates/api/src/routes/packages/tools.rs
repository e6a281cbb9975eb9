//! Tool packages.

use wire::api::list::List;
use wire::api::package::{Package, PackageSummary, PackageType};

use super::shared;
use crate::answer::Answer;
use crate::extract::{AgentPath, Can, Paging, perm};
use crate::problem::Problem;

/// Lists tool packages.
#[utoipa::path(
    get,
    path = "/api/packages/tools",
    operation_id = "listToolPackages",
    tag = "Packages",
    description = "The tools of the organization and of the platform, newest first.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of packages.", body = List<PackageSummary>))
)]
pub(super) async fn list_tool_packages(can: Can<perm::ToolsRead>, paging: Paging) -> Result<Answer, Problem> {
    shared::list(&can, PackageType::Tool, paging).await
}

/// Reads a tool package.
#[utoipa::path(
    get,
    path = "/api/packages/tools/{scope}/{name}",
    operation_id = "getToolPackage",
    tag = "Packages",
    description = "The tool with its manifest, its text and its versions.",
    params(
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "example")
    ),
    responses((status = 200, description = "The package.", body = Package))
)]
pub(super) async fn get_tool_package(can: Can<perm::ToolsRead>, AgentPath(name): AgentPath) -> Result<Answer, Problem> {
    shared::get(&can, PackageType::Tool, &name).await
}
