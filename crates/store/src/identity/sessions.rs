//! Signed-in sessions. Only the SHA-256 of a session's token is kept.

use async_trait::async_trait;
use domain::{SessionId, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::StoreError;
use crate::engine::{Queued, QueuedIn};
use crate::entities::{self, At, session};
use crate::scope::SystemScope;
use crate::unit::{Unit, Writing};

/// A signed-in session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A session to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    pub user: UserId,
    pub token_hash: [u8; 32],
    pub expires_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// The sessions of the platform, in a write of its own.
#[derive(Debug)]
pub struct Sessions<'u> {
    unit: &'u Unit<SystemScope, Writing>,
}

impl Unit<SystemScope, Writing> {
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { unit: self }
    }
}

impl Sessions<'_> {
    /// Opens the session, and forgets those of the user that have ended by themselves.
    pub async fn create(&self, new: NewSession) -> Result<Session, StoreError> {
        let now = At(self.unit.store.clock.now());
        let ended = session::Entity::delete_many().filter(session::Column::UserId.eq(new.user.to_string()));
        ended.filter(session::Column::ExpiresAt.lte(now)).exec(&self.unit.transaction).await?;
        let row = session::ActiveModel {
            id: Set(SessionId::new(&*self.unit.store.ids).to_string()),
            user_id: Set(new.user.to_string()),
            token_hash: Set(new.token_hash.to_vec()),
            ip: Set(new.ip),
            user_agent: Set(new.user_agent),
            created_at: Set(now),
            expires_at: Set(At(new.expires_at)),
        };
        session::Entity::insert(row).exec_with_returning(&self.unit.transaction).await?.try_into()
    }

    /// Ends the session. `false`: it was gone.
    pub async fn delete(&self, id: SessionId) -> Result<bool, StoreError> {
        Ok(session::Entity::delete_by_id(id.to_string()).exec(&self.unit.transaction).await?.rows_affected == 1)
    }

    /// Ends a session of this user. `false`: it was gone, or is another user's; one answer for both.
    pub async fn delete_own(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let delete = session::Entity::delete_many().filter(session::Column::Id.eq(id.to_string()));
        let delete = delete.filter(session::Column::UserId.eq(user.to_string()));
        let delete = delete.filter(session::Column::ExpiresAt.gt(At(self.unit.store.clock.now())));
        Ok(delete.exec(&self.unit.transaction).await?.rows_affected == 1)
    }

    /// Ends every session of the user except one; how many there were.
    pub async fn delete_of_user(&self, user: UserId, except: Option<SessionId>) -> Result<u64, StoreError> {
        let mut delete = session::Entity::delete_many().filter(session::Column::UserId.eq(user.to_string()));
        if let Some(kept) = except {
            delete = delete.filter(session::Column::Id.ne(kept.to_string()));
        }
        Ok(delete.exec(&self.unit.transaction).await?.rows_affected)
    }
}

/// Moves the end of a session that is still open, never back. Whether it did.
pub(crate) struct ExtendSession {
    pub(crate) id: SessionId,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
}

#[async_trait]
impl Queued for ExtendSession {
    type Output = bool;

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<bool, StoreError> {
        let update = session::Entity::update_many().filter(session::Column::Id.eq(self.id.to_string()));
        let update = update
            .filter(session::Column::ExpiresAt.gt(At(self.now)))
            .filter(session::Column::ExpiresAt.lt(At(self.expires_at)))
            .col_expr(session::Column::ExpiresAt, Expr::val(At(self.expires_at)));
        Ok(update.exec(within.transaction).await?.rows_affected == 1)
    }
}

impl TryFrom<session::Model> for Session {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "a session")?,
            user: entities::parse(&row.user_id, "a session's user")?,
            ip: row.ip,
            user_agent: row.user_agent,
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
