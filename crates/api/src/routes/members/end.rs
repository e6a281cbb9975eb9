use domain::{Code, Role, UserId};
use serde_json::json;
use store::{Audit, OrgScope, Write};

use crate::answer::Answer;
use crate::problem::Problem;

/// Ends a membership and what hangs on it, on behalf of a member with the role `by`: the one who leaves, or another.
pub(super) async fn end_membership(write: Write<OrgScope>, user: UserId, by: Role) -> Result<Answer, Problem> {
    // First the lock on the owners: of two owners who go at once, one stays.
    let owners = write.members().owners().await?;
    let member = write.members().get(user).await?.ok_or_else(Problem::not_found)?;
    if member.role == Role::Owner && by != Role::Owner {
        return Err(Problem::new(Code::OperationNotAllowed, "Only an owner can remove an owner."));
    }
    if member.role == Role::Owner && owners.len() == 1 {
        return Err(Problem::new(Code::LastOwner, "The member is the only owner."));
    }
    // The membership first: an invitation under way waits for it, and the next one finds none.
    write.members().remove(user).await?;
    let revoked = write.revoke_keys_of(user).await?;
    let cancelled = write.invitations().cancel_of(user).await?;
    let detail = json!({ "role": member.role, "keysRevoked": revoked, "invitationsCancelled": cancelled });
    write.audit(Audit { subject: Some(user.to_string()), detail });
    Answer::deleted(write).await
}
