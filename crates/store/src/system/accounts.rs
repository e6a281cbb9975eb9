//! Finding the account behind a mailed secret.

use domain::UserId;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::System;
use crate::StoreError;
use crate::entities::{At, account_token, parse};
use crate::identity::TokenPurpose;

impl System<'_> {
    /// Whose the mailed secret is, without using it up. `None`: unknown, used, expired, or for something else.
    pub async fn account_token_owner(&self, token_hash: &[u8; 32], purpose: TokenPurpose) -> Result<Option<UserId>, StoreError> {
        let inner = &self.store.inner;
        let found = account_token::Entity::find_by_id(token_hash.to_vec());
        let found = found.filter(account_token::Column::Purpose.eq(purpose.as_str()));
        let found = found.filter(account_token::Column::ExpiresAt.gt(At(inner.clock.now())));
        let row = found.one(inner.engine.reader()).await?;
        row.map(|row| parse(&row.user_id, "a token's user")).transpose()
    }
}
