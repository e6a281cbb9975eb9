use axum::extract::State;
use wire::api::invitation::InvitationOffer;

use super::refused;
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, TokenPath, perm};
use crate::problem::Problem;

/// Reads what an invitation offers.
#[utoipa::path(
    get,
    path = "/api/invitations/{token}",
    operation_id = "getInvitationOffer",
    tag = "Invitations",
    description = "For whoever holds the link. `isNewUser` says how to accept: with a name and a password, or with a session of the invited e-mail.",
    params(("token" = String, Path, description = "The last part of the link.")),
    responses((status = 200, description = "The offer.", body = InvitationOffer), (status = 410, description = "It was accepted or has expired."))
)]
pub(super) async fn get_invitation_offer(
    _: Can<perm::Public>,
    State(app): State<App>,
    TokenPath(token): TokenPath,
) -> Result<Answer, Problem> {
    let offer = auth::invitation::find_open(&app.store, &token).await.map_err(|error| refused(&app, error))?;
    Answer::object(&convert::invitation_offer(offer))
}
