//! Skill packages.

use wire::api::list::List;
use wire::api::package::{Package, PackageSummary, PackageType};

use super::shared;
use crate::answer::Answer;
use crate::extract::{AgentPath, Can, Paging, perm};
use crate::problem::Problem;

/// Lists skill packages.
#[utoipa::path(
    get,
    path = "/api/packages/skills",
    operation_id = "listSkillPackages",
    tag = "Packages",
    description = "The skills of the organization and of the platform, newest first.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of packages.", body = List<PackageSummary>))
)]
pub(super) async fn list_skill_packages(can: Can<perm::SkillsRead>, paging: Paging) -> Result<Answer, Problem> {
    shared::list(&can, PackageType::Skill, paging).await
}

/// Reads a skill package.
#[utoipa::path(
    get,
    path = "/api/packages/skills/{scope}/{name}",
    operation_id = "getSkillPackage",
    tag = "Packages",
    description = "The skill with its manifest, its text and its versions.",
    params(
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "example")
    ),
    responses((status = 200, description = "The package.", body = Package))
)]
pub(super) async fn get_skill_package(can: Can<perm::SkillsRead>, AgentPath(name): AgentPath) -> Result<Answer, Problem> {
    shared::get(&can, PackageType::Skill, &name).await
}
