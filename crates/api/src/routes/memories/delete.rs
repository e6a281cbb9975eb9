use domain::MemoryId;

use crate::answer::Answer;
use crate::extract::{AgentPath, Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes a memory.
#[utoipa::path(
    delete,
    path = "/api/agents/{scope}/{name}/memories/{id}",
    operation_id = "deleteMemory",
    tag = "Agents",
    description = "Forgets one entry; later runs do not see it.",
    params(
        ("scope" = String, Path, description = "The agent's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The agent's name.", example = "refund-triage"),
        ("id" = MemoryId, Path, description = "The memory.")
    ),
    responses((status = 204, description = "The memory is gone."))
)]
pub(super) async fn delete_memory(
    can: Can<perm::MemoriesDelete>,
    AgentPath(agent): AgentPath,
    IdPath(id): IdPath<MemoryId>,
) -> Result<Answer, Problem> {
    let write = can.write().await?;
    if !write.memories().delete(&agent, id).await? {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
