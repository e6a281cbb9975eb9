//! Platform users. They belong to no tenant, so only the platform's own scope reaches them.

use domain::{Language, Secret, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::StoreError;
use crate::entities::{self, At, user};
use crate::scope::SystemScope;
use crate::unit::{Unit, Writing};

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// `platform`, or the realm of one application's own users.
    pub realm: String,
    /// Lower case; unique in the realm.
    pub email: String,
    pub name: String,
    pub email_verified: bool,
    /// Of the dashboard; English until the user chooses.
    pub language: Language,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A partial update; `None` leaves a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub name: Option<String>,
    pub language: Option<Language>,
}

/// A user and what proves it.
#[derive(Clone, Debug)]
pub struct UserLogin {
    pub user: User,
    /// A PHC string. `None`: signs in another way.
    pub password_hash: Option<Secret<String>>,
}

/// A user to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub realm: String,
    /// Lower-cased by the caller.
    pub email: String,
    pub name: String,
    pub email_verified: bool,
    pub password_hash: Option<Secret<String>>,
}

/// The users of the platform, in a write of its own.
#[derive(Debug)]
pub struct Users<'u> {
    unit: &'u Unit<SystemScope, Writing>,
}

impl Unit<SystemScope, Writing> {
    pub fn users(&self) -> Users<'_> {
        Users { unit: self }
    }
}

impl Users<'_> {
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::USER_EMAIL`].
    pub async fn create(&self, new: NewUser) -> Result<User, StoreError> {
        let now = At(self.unit.store.clock.now());
        let row = user::ActiveModel {
            id: Set(UserId::new(&*self.unit.store.ids).to_string()),
            realm: Set(new.realm),
            email: Set(new.email),
            name: Set(new.name),
            email_verified: Set(new.email_verified),
            password_hash: Set(new.password_hash.map(|hash| hash.expose().clone())),
            created_at: Set(now),
            updated_at: Set(now),
            language: NotSet,
        };
        user::Entity::insert(row).exec_with_returning(&self.unit.transaction).await?.try_into()
    }

    /// The user after the change. `None`: no such user.
    pub async fn update(&self, id: UserId, change: UserChange) -> Result<Option<User>, StoreError> {
        let mut update = user::Entity::update_many().filter(user::Column::Id.eq(id.to_string()));
        update = update.col_expr(user::Column::UpdatedAt, Expr::val(At(self.unit.store.clock.now())));
        if let Some(name) = change.name {
            update = update.col_expr(user::Column::Name, Expr::val(name));
        }
        if let Some(language) = change.language {
            update = update.col_expr(user::Column::Language, Expr::val(language.as_str()));
        }
        update.exec_with_returning(&self.unit.transaction).await?.pop().map(User::try_from).transpose()
    }

    /// The user with this e-mail address, as this write sees it. `email` is lower case.
    pub async fn by_email(&self, realm: &str, email: &str) -> Result<Option<User>, StoreError> {
        let found = user::Entity::find().filter(user::Column::Realm.eq(realm)).filter(user::Column::Email.eq(email));
        found.one(&self.unit.transaction).await?.map(User::try_from).transpose()
    }

    /// Sets a password for who has proven the address. `None`: no such user.
    pub async fn reset_password(&self, id: UserId, hash: &Secret<String>) -> Result<Option<User>, StoreError> {
        let update = user::Entity::update_many().filter(user::Column::Id.eq(id.to_string()));
        let update = update
            .col_expr(user::Column::PasswordHash, Expr::val(hash.expose().as_str()))
            .col_expr(user::Column::EmailVerified, Expr::val(true))
            .col_expr(user::Column::UpdatedAt, Expr::val(At(self.unit.store.clock.now())));
        update.exec_with_returning(&self.unit.transaction).await?.pop().map(User::try_from).transpose()
    }

    /// The address has been proven to be the user's. `false`: no such user.
    pub async fn set_email_verified(&self, id: UserId) -> Result<bool, StoreError> {
        let update = user::Entity::update_many().filter(user::Column::Id.eq(id.to_string()));
        let update = update
            .col_expr(user::Column::EmailVerified, Expr::val(true))
            .col_expr(user::Column::UpdatedAt, Expr::val(At(self.unit.store.clock.now())));
        Ok(update.exec(&self.unit.transaction).await?.rows_affected == 1)
    }

    /// Replaces exactly this password. `false`: no such user, or another change came first.
    pub async fn replace_password(&self, id: UserId, old: &Secret<String>, new: &Secret<String>) -> Result<bool, StoreError> {
        let update = user::Entity::update_many().filter(user::Column::Id.eq(id.to_string()));
        let update = update
            .filter(user::Column::PasswordHash.eq(old.expose().as_str()))
            .col_expr(user::Column::PasswordHash, Expr::val(new.expose().as_str()))
            .col_expr(user::Column::UpdatedAt, Expr::val(At(self.unit.store.clock.now())));
        Ok(update.exec(&self.unit.transaction).await?.rows_affected == 1)
    }

    /// `false`: no such user.
    pub async fn set_password(&self, id: UserId, hash: &Secret<String>) -> Result<bool, StoreError> {
        let update = user::Entity::update_many().filter(user::Column::Id.eq(id.to_string()));
        let update = update
            .col_expr(user::Column::PasswordHash, Expr::val(hash.expose().as_str()))
            .col_expr(user::Column::UpdatedAt, Expr::val(At(self.unit.store.clock.now())));
        Ok(update.exec(&self.unit.transaction).await?.rows_affected == 1)
    }
}

impl TryFrom<user::Model> for User {
    type Error = StoreError;

    fn try_from(row: user::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "a user")?,
            realm: row.realm,
            email: row.email,
            name: row.name,
            email_verified: row.email_verified,
            language: Language::parse(&row.language).ok_or(StoreError::Corrupt { what: "a language" })?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
