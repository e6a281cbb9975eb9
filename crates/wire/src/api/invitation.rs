//! Invitations into an organization.

use domain::{InvitationId, OrgId, Role, Secret, UserId};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// A role that can be offered. Owners are made from members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum InvitationRole {
    Admin,
    #[default]
    Member,
    Viewer,
}

impl From<InvitationRole> for Role {
    fn from(role: InvitationRole) -> Self {
        match role {
            InvitationRole::Admin => Self::Admin,
            InvitationRole::Member => Self::Member,
            InvitationRole::Viewer => Self::Viewer,
        }
    }
}

/// The constant `invitation`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum InvitationObject {
    #[serde(rename = "invitation")]
    Invitation,
}

/// Whether an invitation can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum InvitationStatus {
    Pending,
    Expired,
}

/// How the link reaches the invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum InvitationDelivery {
    /// The inviter was given it and passes it on.
    Link,
    /// A mail with it is on its way. Where this stays, the server stopped in between: invite again.
    Sending,
    /// A mail server has taken it.
    Sent,
    /// The mail could not be sent: invite again.
    Failed,
}

/// An open invitation. Never its token.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    pub object: InvitationObject,
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub status: InvitationStatus,
    pub delivery: InvitationDelivery,
    /// Null: that user is gone.
    pub invited_by: Option<UserId>,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// A new invitation.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedInvitation {
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Where it is accepted, on a server that sends no mail. Shown once; null where it was mailed.
    pub link: Option<String>,
}

/// Body of `POST /api/orgs/{id}/invitations`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateInvitation {
    #[cfg_attr(feature = "schema", schema(format = "email", max_length = 320, example = "carol@example.com"))]
    pub email: String,
    #[serde(default)]
    pub role: InvitationRole,
}

/// Body of `PATCH /api/orgs/{id}/invitations/{invitationId}`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateInvitation {
    pub role: InvitationRole,
}

/// The constant `invitation_offer`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum InvitationOfferObject {
    #[serde(rename = "invitation_offer")]
    InvitationOffer,
}

/// What an invitation offers, for whoever holds its token.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InvitationOffer {
    pub object: InvitationOfferObject,
    pub email: String,
    pub org_name: String,
    pub role: Role,
    /// Null: that user is gone.
    pub inviter_name: Option<String>,
    pub expires_at: Moment,
    /// Whether nobody has an account with this e-mail yet: accepting then takes a name and a password, otherwise a session.
    pub is_new_user: bool,
}

/// Body of `POST /api/invitations/{token}/accept`; both members for a new user, none for one who is signed in.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptInvitation {
    /// 1 to 200 characters.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200, example = "Carol Shaw"))]
    pub name: Option<String>,
    /// 8 to 256 characters.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, min_length = 8, max_length = 256, example = "correct horse battery"))]
    pub password: Option<Secret>,
}

/// The constant `accepted_invitation`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AcceptedInvitationObject {
    #[serde(rename = "accepted_invitation")]
    AcceptedInvitation,
}

/// Where an invitation has led.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AcceptedInvitation {
    pub object: AcceptedInvitationObject,
    pub org_id: OrgId,
    pub user_id: UserId,
    pub role: Role,
    /// Whether the account was made with this: then the answer's cookie is its session.
    pub is_new_user: bool,
}
