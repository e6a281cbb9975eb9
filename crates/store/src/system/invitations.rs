//! Finding an invitation by its token: whoever holds it has no scope yet.

use domain::{InvitationId, OrgId, Role, Timestamp, UserId};
use sea_orm::{ConnectionTrait as _, Statement};

use super::System;
use crate::StoreError;
use crate::entities::{At, parse, parse_some};

/// What an invitation offers to the holder of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvitationOffer {
    pub id: InvitationId,
    pub org: OrgId,
    pub org_name: String,
    pub email: String,
    pub role: Role,
    /// `None`: the inviter is gone.
    pub inviter_name: Option<String>,
    pub expires_at: Timestamp,
    /// Neither accepted nor expired.
    pub is_open: bool,
    /// The user who has the e-mail address already.
    pub user: Option<UserId>,
}

impl System<'_> {
    /// The invitation with this token's SHA-256. `None`: unknown or cancelled. `realm` is where its e-mail address is looked up.
    pub async fn invitation_by_hash(&self, realm: &str, token_hash: &[u8; 32]) -> Result<Option<InvitationOffer>, StoreError> {
        const FIND: &str = "SELECT i.id, i.org_id, o.name, i.email, i.role, inviter.name, i.expires_at, i.accepted_at, invited.id
              FROM invitations i
              JOIN organizations o ON o.id = i.org_id
              LEFT JOIN users inviter ON inviter.id = i.invited_by
              LEFT JOIN users invited ON invited.realm = $1 AND invited.email = i.email
             WHERE i.token_hash = $2";
        let inner = &self.store.inner;
        let statement = Statement::from_sql_and_values(inner.engine.backend(), FIND, [realm.into(), token_hash.to_vec().into()]);
        let Some(row) = inner.engine.reader().query_one_raw(statement).await? else {
            return Ok(None);
        };
        let text = |index: usize| row.try_get_by_index::<String>(index);
        let expires_at: At = row.try_get_by_index(6)?;
        let accepted_at: Option<At> = row.try_get_by_index(7)?;
        Ok(Some(InvitationOffer {
            id: parse(&text(0)?, "an invitation")?,
            org: parse(&text(1)?, "an invitation's organization")?,
            org_name: text(2)?,
            email: text(3)?,
            role: Role::parse(&text(4)?).ok_or(StoreError::Corrupt { what: "a role" })?,
            inviter_name: row.try_get_by_index(5)?,
            expires_at: expires_at.0,
            is_open: accepted_at.is_none() && expires_at.0 > inner.clock.now(),
            user: parse_some(row.try_get_by_index::<Option<String>>(8)?.as_deref(), "a user")?,
        }))
    }
}
