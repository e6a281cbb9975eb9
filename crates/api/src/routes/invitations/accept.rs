use auth::invitation::{self, Account};
use auth::sign_in::{Origin, SESSION_SECONDS};
use axum::extract::State;
use serde_json::json;
use store::{Audit, WriteContext};
use wire::api::invitation::{AcceptInvitation, AcceptedInvitation, AcceptedInvitationObject};

use super::refused;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, CurrentSession, OptionalJson, TokenPath, perm};
use crate::problem::{Problem, Violation};
use crate::{cookie, rules};

impl rules::Checked for AcceptInvitation {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/name", self.name.as_deref(), 200);
        if let Some(password) = &self.password {
            rules::length(&mut violations, "/password", password.expose(), 8..=256);
        }
        match (&self.name, &self.password) {
            (Some(_), None) => violations.push(Violation::new("/password", "required", "is needed with a name")),
            (None, Some(_)) => violations.push(Violation::new("/name", "required", "is needed with a password")),
            _ => {}
        }
        violations
    }
}

/// Accepts an invitation.
#[utoipa::path(
    post,
    path = "/api/invitations/{token}/accept",
    operation_id = "acceptInvitation",
    tag = "Invitations",
    description = "Makes the invited one a member. Whose e-mail has an account accepts with a session of it; whose has none gives a name and a password, and is signed in. Of several \
                   at once, one comes in.",
    params(("token" = String, Path, description = "The last part of the link.")),
    request_body = Option<AcceptInvitation>,
    responses(
        (status = 200, description = "The user is a member.", body = AcceptedInvitation),
        (status = 409, description = "The user is a member already."),
        (status = 410, description = "It was accepted or has expired.")
    )
)]
pub(super) async fn accept_invitation(
    can: Can<perm::Public>,
    State(app): State<App>,
    TokenPath(token): TokenPath,
    session: CurrentSession,
    OptionalJson(body): OptionalJson<AcceptInvitation>,
) -> Result<Answer, Problem> {
    let refused = |error| refused(&app, error);
    let offer = invitation::find_open(&app.store, &token).await.map_err(refused)?;
    let account = body.name.zip(body.password).map(|(name, password)| Account { name, password });
    let invitee = invitation::prove(&app.passwords, &offer, session.0, account).await.map_err(refused)?;
    let facts = can.facts().clone();
    let origin = Origin { ip: facts.ip.clone(), user_agent: facts.user_agent.clone() };
    let write = app.store.system().write(WriteContext::of(facts)).await?;
    let joined = invitation::accept(&app.store, &write, &token, invitee, origin).await.map_err(refused)?;
    let detail = json!({ "user": joined.user, "role": joined.role });
    write.audit(Audit { subject: Some(offer.id.to_string()), detail });
    let accepted = AcceptedInvitation {
        object: AcceptedInvitationObject::AcceptedInvitation,
        org_id: offer.org,
        user_id: joined.user,
        role: joined.role,
        is_new_user: joined.opened.is_some(),
    };
    let answer = Answer::done(write, 200, &accepted).await?;
    Ok(match joined.opened {
        Some(opened) => answer.with_cookie(cookie::session(&app.options.app_url, &opened.token, SESSION_SECONDS)),
        None => answer,
    })
}
