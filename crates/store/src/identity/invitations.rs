//! Invitations into an organization. Only the SHA-256 of an invitation's token is kept.
//!
//! What the organization sees are its open invitations, also those that have expired. An accepted one is only a memory for its
//! link; a cancelled or replaced one is gone.

use domain::{InvitationId, OrgId, Role, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, Order, QueryFilter as _};

use super::members;
use crate::entities::invitation::{ActiveModel, Column, Entity, Model};
use crate::entities::{self, At};
use crate::scope::{OrgScope, SystemScope};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// How the link of an invitation reaches the invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The inviter was given the link.
    Link,
    /// A mail is on its way; after a crash it may have gone out or not.
    Sending,
    Sent,
    Failed,
}

impl Delivery {
    const ALL: [Self; 4] = [Self::Link, Self::Sending, Self::Sent, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.as_str() == text)
    }
}

/// An open invitation, without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    /// Lower case.
    pub email: String,
    pub role: Role,
    pub delivery: Delivery,
    /// `None`: the user is gone.
    pub invited_by: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An invitation to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// Lower-cased by the caller.
    pub email: String,
    /// Not [`Role::Owner`].
    pub role: Role,
    pub token_hash: [u8; 32],
    pub delivery: Delivery,
    pub invited_by: UserId,
    pub expires_at: Timestamp,
}

/// The open invitations of one organization.
#[derive(Debug)]
pub struct Invitations<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<OrgScope, M> {
    pub fn invitations(&self) -> Invitations<'_, M> {
        Invitations(self.tenant())
    }
}

fn open(id: InvitationId) -> Condition {
    Condition::all().add(Column::Id.eq(id.to_string())).add(Column::AcceptedAt.is_null())
}

impl<M: Mode> Invitations<'_, M> {
    /// `None`: no such open invitation.
    pub async fn get(&self, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        self.0.find::<Entity>().filter(open(id)).one().await?.map(Invitation::try_from).transpose()
    }

    /// Newest first, expired ones too.
    pub async fn list(&self, page: Page) -> Result<Paged<Invitation>, StoreError> {
        let rows = self.0.find::<Entity>().filter(Column::AcceptedAt.is_null());
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc);
        rows.page(page).await?.try_map(Invitation::try_from)
    }
}

impl Invitations<'_, Writing> {
    /// Makes an invitation in place of an open one for the same e-mail address, whose link dies with it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::INVITATION_EMAIL`] when somebody invites the same address at this moment.
    pub async fn create(&self, new: NewInvitation) -> Result<Invitation, StoreError> {
        self.0.delete::<Entity>().filter(Column::Email.eq(new.email.as_str())).filter(Column::AcceptedAt.is_null()).run().await?;
        let row = ActiveModel {
            id: Set(InvitationId::new(self.0.ids()).to_string()),
            email: Set(new.email),
            role: Set(new.role.as_str().to_owned()),
            token_hash: Set(new.token_hash.to_vec()),
            delivery: Set(new.delivery.as_str().to_owned()),
            invited_by: Set(Some(new.invited_by.to_string())),
            created_at: Set(At(self.0.now())),
            expires_at: Set(At(new.expires_at)),
            accepted_at: Set(None),
            ..Default::default()
        };
        self.0.insert::<Entity>(row).await?.try_into()
    }

    /// The invitation after the change. `None`: no such open invitation.
    pub async fn set_role(&self, id: InvitationId, role: Role) -> Result<Option<Invitation>, StoreError> {
        let update = self.0.update::<Entity>().filter(open(id)).set(Column::Role, role.as_str());
        update.returning_one().await?.map(Invitation::try_from).transpose()
    }

    /// Notes what became of the mail. `None`: it was cancelled or accepted meanwhile.
    pub async fn set_delivery(&self, id: InvitationId, delivery: Delivery) -> Result<Option<Invitation>, StoreError> {
        let update = self.0.update::<Entity>().filter(open(id)).set(Column::Delivery, delivery.as_str());
        update.returning_one().await?.map(Invitation::try_from).transpose()
    }

    /// Cancels an invitation; its link is dead. `false`: no such open invitation.
    pub async fn cancel(&self, id: InvitationId) -> Result<bool, StoreError> {
        Ok(self.0.delete::<Entity>().filter(open(id)).run().await? == 1)
    }

    /// Cancels the open invitations that a user has made; how many.
    pub async fn cancel_of(&self, inviter: UserId) -> Result<u64, StoreError> {
        let made = self.0.delete::<Entity>().filter(Column::InvitedBy.eq(inviter.to_string()));
        made.filter(Column::AcceptedAt.is_null()).run().await
    }
}

/// An invitation that this write has taken. Only [`Unit::claim_invitation`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedInvitation {
    pub id: InvitationId,
    pub org: OrgId,
    pub email: String,
    pub role: Role,
    pub delivery: Delivery,
}

impl Unit<SystemScope, Writing> {
    /// Takes the open invitation with this token's SHA-256: of several at once, one gets it. `None`: it was accepted or cancelled, or
    /// has expired.
    pub async fn claim_invitation(&self, token_hash: &[u8; 32]) -> Result<Option<ClaimedInvitation>, StoreError> {
        let now = At(self.store.clock.now());
        let claimed = Entity::update_many()
            .col_expr(Column::AcceptedAt, Expr::val(now))
            .filter(Column::TokenHash.eq(token_hash.to_vec()))
            .filter(Column::AcceptedAt.is_null())
            .filter(Column::ExpiresAt.gt(now))
            .exec_with_returning(&self.transaction)
            .await?;
        let Some(row) = claimed.into_iter().next() else { return Ok(None) };
        let org = entities::parse(&row.org_id, "an invitation's organization")?;
        let Invitation { id, email, role, delivery, .. } = row.try_into()?;
        Ok(Some(ClaimedInvitation { id, org, email, role, delivery }))
    }

    /// Makes the user a member with the invitation's role. The write's audit row stands in the organization.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::MEMBER`].
    pub async fn admit(&self, invitation: &ClaimedInvitation, user: UserId) -> Result<(), StoreError> {
        members::add(&self.of_organization(invitation.org), user, invitation.role).await
    }
}

impl TryFrom<Model> for Invitation {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "an invitation")?,
            email: row.email,
            role: Role::parse(&row.role).ok_or(StoreError::Corrupt { what: "a role" })?,
            delivery: Delivery::parse(&row.delivery).ok_or(StoreError::Corrupt { what: "the delivery of an invitation" })?,
            invited_by: entities::parse_some(row.invited_by.as_deref(), "an inviter")?,
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
