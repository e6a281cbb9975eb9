//! Users' accounts at login providers, by what the provider calls them for good.

use domain::UserId;
use sea_orm::{ActiveValue::Set, EntityTrait as _};

use crate::StoreError;
use crate::entities::{At, login_identity, user};
use crate::identity::User;
use crate::scope::SystemScope;
use crate::unit::{Unit, Writing};

/// The provider accounts of the platform's users, in a write of its own.
#[derive(Debug)]
pub struct LoginIdentities<'u> {
    unit: &'u Unit<SystemScope, Writing>,
}

impl Unit<SystemScope, Writing> {
    pub fn login_identities(&self) -> LoginIdentities<'_> {
        LoginIdentities { unit: self }
    }
}

impl LoginIdentities<'_> {
    /// The user whom this account at a provider signs in.
    pub async fn user(&self, provider: &str, subject: &str) -> Result<Option<User>, StoreError> {
        let transaction = &self.unit.transaction;
        let found = login_identity::Entity::find_by_id((provider.to_owned(), subject.to_owned())).one(transaction).await?;
        let Some(identity) = found else { return Ok(None) };
        user::Entity::find_by_id(identity.user_id).one(transaction).await?.map(User::try_from).transpose()
    }

    /// From now on the provider's account signs this user in.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::LOGIN_IDENTITY`] when it signs somebody in already.
    pub async fn link(&self, provider: &str, subject: &str, user: UserId) -> Result<(), StoreError> {
        let row = login_identity::ActiveModel {
            provider: Set(provider.to_owned()),
            subject: Set(subject.to_owned()),
            user_id: Set(user.to_string()),
            created_at: Set(At(self.unit.store.clock.now())),
        };
        login_identity::Entity::insert(row).exec_without_returning(&self.unit.transaction).await?;
        Ok(())
    }
}
