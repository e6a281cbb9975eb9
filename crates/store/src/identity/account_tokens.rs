//! Secrets that were mailed to users. Only their SHA-256 is kept; each works once and not for long.

use domain::{Timestamp, UserId};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, Statement};

use crate::StoreError;
use crate::entities::{self, At, account_token};
use crate::scope::SystemScope;
use crate::unit::{Unit, Writing};

/// What a mailed secret is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    ResetPassword,
    VerifyEmail,
}

impl TokenPurpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
        }
    }
}

/// A secret to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAccountToken {
    pub user: UserId,
    pub purpose: TokenPurpose,
    pub token_hash: [u8; 32],
    pub expires_at: Timestamp,
}

/// The mailed secrets of the platform's users, in a write of its own.
#[derive(Debug)]
pub struct AccountTokens<'u> {
    unit: &'u Unit<SystemScope, Writing>,
}

impl Unit<SystemScope, Writing> {
    pub fn account_tokens(&self) -> AccountTokens<'_> {
        AccountTokens { unit: self }
    }
}

impl AccountTokens<'_> {
    /// Keeps the secret, and forgets those of the user that have expired.
    pub async fn create(&self, new: NewAccountToken) -> Result<(), StoreError> {
        let now = At(self.unit.store.clock.now());
        let expired = account_token::Entity::delete_many().filter(account_token::Column::UserId.eq(new.user.to_string()));
        expired.filter(account_token::Column::ExpiresAt.lte(now)).exec(&self.unit.transaction).await?;
        let row = account_token::ActiveModel {
            token_hash: Set(new.token_hash.to_vec()),
            user_id: Set(new.user.to_string()),
            purpose: Set(new.purpose.as_str().to_owned()),
            created_at: Set(now),
            expires_at: Set(At(new.expires_at)),
        };
        account_token::Entity::insert(row).exec_without_returning(&self.unit.transaction).await?;
        Ok(())
    }

    /// Uses the secret up; whose it was. `None`: unknown, used, expired, or for something else.
    ///
    /// Its owner is locked before it. Whoever uses one secret of a user up may go on to forget the others ([`Self::delete_of_user`]): two
    /// who held a secret each and came to the user after that would wait for each other.
    pub async fn consume(&self, token_hash: &[u8; 32], purpose: TokenPurpose) -> Result<Option<UserId>, StoreError> {
        const CONSUME: &str = "DELETE FROM account_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3 RETURNING user_id";
        // A session that is opened at the same time refers to the user, and need not wait.
        const LOCK_OWNER: &str = "SELECT id FROM users
             WHERE id = (SELECT user_id FROM account_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3) FOR NO KEY UPDATE";
        let now = self.unit.store.clock.now().timestamp_millis();
        let values = [token_hash.to_vec().into(), purpose.as_str().into(), now.into()];
        let backend = self.unit.store.engine.backend();
        // SQLite writes one at a time.
        if backend == DbBackend::Postgres {
            self.unit.transaction.execute_raw(Statement::from_sql_and_values(backend, LOCK_OWNER, values.clone())).await?;
        }
        let statement = Statement::from_sql_and_values(backend, CONSUME, values);
        let Some(row) = self.unit.transaction.query_one_raw(statement).await? else { return Ok(None) };
        entities::parse(&row.try_get_by_index::<String>(0)?, "a token's user").map(Some)
    }

    /// Forgets every secret of the user, whom this write has locked or changed.
    pub async fn delete_of_user(&self, user: UserId) -> Result<u64, StoreError> {
        let delete = account_token::Entity::delete_many().filter(account_token::Column::UserId.eq(user.to_string()));
        Ok(delete.exec(&self.unit.transaction).await?.rows_affected)
    }
}
