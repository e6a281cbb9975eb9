use domain::PermissionSet;
use wire::api::api_key::{AvailableScopes, AvailableScopesObject};

use crate::answer::Answer;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Lists what a key may be given.
#[utoipa::path(
    get,
    path = "/api/api-keys/available-scopes",
    operation_id = "listAvailableScopes",
    tag = "API keys",
    description = "The scopes that the caller may give to a key, and those that a key gets which lists none.",
    responses((status = 200, description = "The scopes.", body = AvailableScopes))
)]
pub(super) async fn list_available_scopes(can: Can<perm::ApiKeysRead>) -> Result<Answer, Problem> {
    let names = |set: PermissionSet| set.iter().map(|permission| permission.as_str().to_owned()).collect();
    Answer::object(&AvailableScopes {
        object: AvailableScopesObject::AvailableScopes,
        scopes: names(PermissionSet::grantable_to_key(can.role)),
        default_scopes: names(PermissionSet::default_for_key(can.role)),
    })
}
