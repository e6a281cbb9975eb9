use auth::invitation::{self, VALID_FOR};
use auth::sign_up::canonical_email;
use axum::extract::State;
use domain::{Code, OrgId, Permission, Role, Secret};
use serde_json::json;
use store::{Audit, Delivery, NewInvitation, constraint};
use wire::api::invitation::{CreateInvitation, CreatedInvitation};

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::orgs::own;
use crate::{convert, rules};

impl rules::Checked for CreateInvitation {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::email(&mut violations, "/email", &self.email);
        violations
    }
}

/// Invites somebody.
#[utoipa::path(
    post,
    path = "/api/orgs/{id}/invitations",
    operation_id = "createInvitation",
    tag = "Invitations",
    description = "Invites an e-mail address into the organization for 7 days, in place of an open invitation for the same address. Where the server sends mail, the \
                   link is mailed after this answer, and `delivery` of the invitation tells what became of it; otherwise the link is in this answer, once.",
    params(("id" = OrgId, Path, description = "The organization.")),
    request_body = CreateInvitation,
    responses(
        (status = 201, description = "The invitation.", body = CreatedInvitation),
        (status = 409, description = "The address is a member's."),
        (status = 429, description = "The mailbox was sent several invitations within a short time.")
    )
)]
pub(super) async fn create_invitation(
    can: Can<perm::MembersInvite>,
    State(app): State<App>,
    IdPath(id): IdPath<OrgId>,
    Json(body): Json<CreateInvitation>,
) -> Result<Answer, Problem> {
    own(&can, id)?;
    let (email, role) = (canonical_email(&body.email), Role::from(body.role));
    let token = auth::token::new_invitation_token(app.ids());
    let link = Secret::new(format!("{}/invite/{}", app.options.app_url.as_str().trim_end_matches('/'), token.expose()));
    let new = NewInvitation {
        email: email.clone(),
        role,
        token_hash: auth::token::hash(token.expose()),
        delivery: if app.mailer.is_some() { Delivery::Sending } else { Delivery::Link },
        invited_by: can.user,
        expires_at: app.now() + VALID_FOR,
    };
    // Both before the write: what is refused has changed nothing.
    let place = app.mailer.is_some().then(|| app.place_after_answer()).transpose()?;
    if place.is_some() {
        invitation::admit_mail(&app.store, &email).await.map_err(|error| Problem::of_auth(&app, error))?;
    }
    let write = can.write_org().await?;
    // Whoever was removed or demoted since the request began takes its invitations along, and this one would stay.
    if !write.members().locked_role(can.user).await?.is_some_and(|role| Permission::MembersInvite.is_held_by(role)) {
        return Err(Problem::new(Code::Forbidden, "The caller may no longer invite into this organization."));
    }
    if write.members().has_email(&email).await? {
        return Err(Problem::new(Code::AlreadyMember, "The e-mail is a member's.").param("email"));
    }
    let organization = write.organization().get().await?.ok_or_else(Problem::not_found)?;
    let inviter = write.members().get(can.user).await?.map_or_else(|| "Somebody".to_owned(), |member| member.name);
    let created = write.invitations().create(new).await.map_err(|error| {
        if error.is_conflict(constraint::INVITATION_EMAIL) {
            Problem::new(Code::Conflict, "Somebody else invites the same e-mail at this moment.").param("email")
        } else {
            error.into()
        }
    })?;
    // Never the address: the log outlives everything that is deleted.
    write.audit(Audit { subject: Some(created.id.to_string()), detail: json!({ "role": role }) });
    let location = format!("/api/orgs/{id}/invitations/{}", created.id);
    let (invitation, now) = (created.id, app.now());
    let shown = app.mailer.is_none().then(|| link.expose().clone());
    let answer =
        Answer::created(write, &CreatedInvitation { invitation: convert::invitation(created, now), link: shown }, location).await?;
    if let (Some(mailer), Some(place)) = (app.mailer.clone(), place) {
        let (scope, mail, store) = (can.scope, invitation::mail(&email, &organization.name, &inviter, &link), app.store.clone());
        // The invitation stands, whether or not the mail goes out; what became of it stands in its row.
        place.fill(async move {
            let delivery = match mailer.send(mail).await {
                Ok(()) => Delivery::Sent,
                Err(error) => {
                    tracing::warn!(invitation.id = %invitation, %error, "an invitation could not be mailed");
                    Delivery::Failed
                }
            };
            let noted = async {
                let write = store.write(&scope, store::WriteContext::internal()).await?;
                write.invitations().set_delivery(invitation, delivery).await?;
                write.commit().await
            };
            if let Err(error) = noted.await {
                tracing::warn!(invitation.id = %invitation, %error, "what became of an invitation's mail could not be noted");
            }
        });
    }
    Ok(answer)
}
