//! Invitations into an organization: made and cancelled by its members, accepted by whoever holds the link and is the invited one.

mod accept;
mod cancel;
mod create;
mod list;
mod offer;
mod update;

use auth::invitation::InvitationError;
use domain::Code;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::Problem;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_invitation))
        .routes(route!(list::list_invitations))
        .routes(route!(update::update_invitation))
        .routes(route!(cancel::cancel_invitation))
        .routes(route!(offer::get_invitation_offer))
        .routes(route!(accept::accept_invitation))
}

pub(super) fn refused(app: &App, error: InvitationError) -> Problem {
    match error {
        InvitationError::NotFound => Problem::not_found(),
        InvitationError::Closed => Problem::new(Code::InvitationExpired, "The invitation was accepted or has expired."),
        InvitationError::SignInFirst => {
            Problem::new(Code::Unauthorized, "The invited e-mail has an account. Sign in with it, then accept the invitation.")
        }
        InvitationError::OtherUser => {
            Problem::new(Code::EmailMismatch, "The invitation is for another e-mail than the one of this session.")
        }
        InvitationError::AccountNeeded => {
            Problem::invalid("/name", "required", "is needed with a password: the invited e-mail has no account yet")
        }
        InvitationError::AlreadyMember => Problem::new(Code::AlreadyMember, "You are a member of the organization already."),
        InvitationError::Auth(error) => Problem::of_auth(app, error),
        InvitationError::Store(error) => error.into(),
    }
}
