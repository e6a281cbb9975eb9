//! The keys that seal each owner's rows, and the proof that a node has the right master key. Of the platform: no tenant reads
//! them. Deleting an owner deletes its key, and with it all that it sealed.
//!
//! Fetch a data key before opening a [`crate::Write`]: making one is a write of its own.

use domain::{AppId, EndUserId, OrgId, Timestamp};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::StoreError;
use crate::engine::{Lane, Opened};
use crate::entities::{At, data_key, key_check};
use crate::scope::{AppScope, OrgScope};
use crate::system::System;

/// Whose rows a data key seals. Made from a scope, so that its ids belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataKeyOwner {
    org: OrgId,
    app: Option<AppId>,
    end_user: Option<EndUserId>,
}

impl DataKeyOwner {
    pub fn organization(scope: &OrgScope) -> Self {
        Self { org: scope.org(), app: None, end_user: None }
    }

    pub fn application(scope: &AppScope) -> Self {
        Self { org: scope.org(), app: Some(scope.app()), end_user: None }
    }

    /// An end-user of the scope's application; the foreign key refuses any other.
    pub fn end_user(scope: &AppScope, end_user: EndUserId) -> Self {
        Self { org: scope.org(), app: Some(scope.app()), end_user: Some(end_user) }
    }

    /// The id of the owner itself; also what a seal is bound to.
    pub fn id(&self) -> String {
        match (self.end_user, self.app) {
            (Some(end_user), _) => end_user.to_string(),
            (None, Some(app)) => app.to_string(),
            (None, None) => self.org.to_string(),
        }
    }
}

/// A stored data key, sealed by a master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKey {
    pub id: String,
    /// The id of the master key that seals it.
    pub master_key: String,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// A data key to store. The caller makes the id, because the seal is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDataKey {
    pub id: String,
    pub master_key: String,
    pub sealed: Vec<u8>,
}

/// A known text, sealed by a master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// The id of the master key.
    pub master_key: String,
    pub sealed: Vec<u8>,
}

impl System<'_> {
    /// The owner's data key. `None`: it has none yet.
    pub async fn data_key(&self, owner: &DataKeyOwner) -> Result<Option<DataKey>, StoreError> {
        let found = data_key::Entity::find().filter(data_key::Column::Holder.eq(owner.id()));
        Ok(found.one(self.store.inner.engine.reader()).await?.map(DataKey::from))
    }

    /// A data key by its id, for opening. `None`: gone with its owner.
    pub async fn data_key_by_id(&self, id: &str) -> Result<Option<DataKey>, StoreError> {
        Ok(data_key::Entity::find_by_id(id).one(self.store.inner.engine.reader()).await?.map(DataKey::from))
    }

    /// Stores the owner's data key, unless another node was faster; gives the one that counts.
    ///
    /// # Errors
    /// [`StoreError::Reference`] when the owner is gone.
    pub async fn ensure_data_key(&self, owner: &DataKeyOwner, new: NewDataKey) -> Result<DataKey, StoreError> {
        let inner = &self.store.inner;
        let row = data_key::ActiveModel {
            id: Set(new.id),
            org_id: Set(owner.org.to_string()),
            app_id: Set(owner.app.map(|id| id.to_string())),
            end_user_id: Set(owner.end_user.map(|id| id.to_string())),
            holder: Set(owner.id()),
            master_key: Set(new.master_key),
            sealed: Set(new.sealed),
            created_at: Set(At(inner.clock.now())),
        };
        let Opened { transaction, permit } = inner.engine.write(None, Lane::Requests).await?;
        let nothing = OnConflict::column(data_key::Column::Holder).do_nothing().to_owned();
        data_key::Entity::insert(row).on_conflict(nothing).try_insert().exec_without_returning(&transaction).await?;
        let stored = data_key::Entity::find().filter(data_key::Column::Holder.eq(owner.id())).one(&transaction).await?;
        transaction.commit().await?;
        drop(permit);
        stored.map(DataKey::from).ok_or(StoreError::Corrupt { what: "a data key" })
    }

    /// Every key check: one for each master key that rows were ever sealed with.
    pub async fn key_checks(&self) -> Result<Vec<KeyCheck>, StoreError> {
        let rows = key_check::Entity::find().all(self.store.inner.engine.reader()).await?;
        Ok(rows.into_iter().map(|row| KeyCheck { master_key: row.master_key, sealed: row.sealed }).collect())
    }

    /// Stores a key check, unless there is one for this master key.
    pub async fn put_key_check(&self, check: KeyCheck) -> Result<(), StoreError> {
        let inner = &self.store.inner;
        let row =
            key_check::ActiveModel { master_key: Set(check.master_key), sealed: Set(check.sealed), created_at: Set(At(inner.clock.now())) };
        let Opened { transaction, permit } = inner.engine.write(None, Lane::Requests).await?;
        let nothing = OnConflict::column(key_check::Column::MasterKey).do_nothing().to_owned();
        key_check::Entity::insert(row).on_conflict(nothing).try_insert().exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        drop(permit);
        Ok(())
    }
}

impl From<data_key::Model> for DataKey {
    fn from(row: data_key::Model) -> Self {
        Self { id: row.id, master_key: row.master_key, sealed: row.sealed, created_at: row.created_at.0 }
    }
}
