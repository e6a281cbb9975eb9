//! A tenant's hands on the tables, inside one open transaction.

use std::marker::PhantomData;

use domain::Timestamp;
use sea_orm::{ActiveModelTrait as _, ActiveValue, Insert, QueryFilter as _, Value};

use super::tenancy::{Access, Tenancy};
use super::{Scoped, ScopedDelete, ScopedSelect, ScopedUpdate};
use crate::StoreError;
use crate::engine::Session;
use crate::live::Topic;
use crate::scope::{Bounds, Sight};
use crate::store::Inner;
use crate::unit::{Wakes, Writing};

/// What every repository holds: the transaction, how far the scope reaches, and the clock and ids of the store. `M` is
/// [`crate::Reading`] or [`crate::Writing`]; only the latter can change rows.
#[derive(Debug)]
pub(crate) struct Tenant<'u, M> {
    pub(crate) transaction: &'u Session,
    pub(crate) bounds: Bounds,
    pub(crate) store: &'u Inner,
    pub(crate) wakes: &'u Wakes,
    pub(crate) mode: PhantomData<M>,
}

impl<M> Clone for Tenant<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Tenant<'_, M> {}

impl<'u, M> Tenant<'u, M> {
    pub(crate) fn now(&self) -> Timestamp {
        self.store.clock.now()
    }

    pub(crate) fn ids(&self) -> &'u dyn domain::IdSource {
        &*self.store.ids
    }

    pub(crate) fn find<E: Scoped>(&self) -> ScopedSelect<'u, E> {
        let mut select = E::find();
        if let Some(filter) = self.filter::<E>(Access::Read) {
            select = select.filter(filter);
        }
        ScopedSelect { select, transaction: self.transaction }
    }

    fn filter<E: Scoped>(&self, access: Access) -> Option<sea_orm::Condition> {
        if self.store.is_unlocked(E::default().table_name()) {
            return None;
        }
        Some(E::TENANCY.filter(self.bounds, access))
    }
}

impl<'u> Tenant<'u, Writing> {
    pub(crate) fn update<E: Scoped>(&self) -> ScopedUpdate<'u, E> {
        const { assert!(E::TENANCY.takes_changes(), "rows of this table never change") };
        let mut update = E::update_many();
        if let Some(filter) = self.filter::<E>(Access::Write) {
            update = update.filter(filter);
        }
        ScopedUpdate { update, transaction: self.transaction }
    }

    pub(crate) fn delete<E: Scoped>(&self) -> ScopedDelete<'u, E> {
        const { assert!(E::TENANCY.takes_changes(), "rows of this table are never deleted") };
        let mut delete = E::delete_many();
        if let Some(filter) = self.filter::<E>(Access::Write) {
            delete = delete.filter(filter);
        }
        ScopedDelete { delete, transaction: self.transaction }
    }

    /// Inserts a row after stamping the tenant's columns on it, and gives it back as stored.
    ///
    /// # Errors
    /// [`StoreError::OutOfReach`] when the row names an owner that the scope may not write for.
    pub(crate) async fn insert<E: Scoped>(&self, row: E::ActiveModel) -> Result<E::Model, StoreError> {
        let row = self.stamped::<E>(row)?;
        Ok(Insert::one(row).exec_with_returning(self.transaction).await?)
    }

    /// As [`Self::insert`], for rows that nobody reads back now.
    pub(crate) async fn append<E: Scoped>(&self, row: E::ActiveModel) -> Result<(), StoreError> {
        let row = self.stamped::<E>(row)?;
        Insert::one(row).exec_without_returning(self.transaction).await?;
        Ok(())
    }

    /// Wakes the topic's readers once the unit is committed.
    pub(crate) fn wake(&self, topic: Topic) {
        self.wakes.add(topic);
    }

    fn stamped<E: Scoped>(&self, mut row: E::ActiveModel) -> Result<E::ActiveModel, StoreError> {
        let org = text(&self.bounds.org);
        let app = self.bounds.sight.app();
        let own = self.bounds.sight.end_user();
        match E::TENANCY {
            Tenancy::Organization { org: column } | Tenancy::Catalog { org: column } => row.set(column, org),
            Tenancy::Shared { org: org_column, app: app_column } => {
                row.set(org_column, org);
                row.set(app_column, text(&app.ok_or(StoreError::OutOfReach)?));
            }
            Tenancy::Private { org: org_column, app: app_column, end_user }
            | Tenancy::Memory { org: org_column, app: app_column, end_user } => {
                row.set(org_column, org);
                row.set(app_column, text(&app.ok_or(StoreError::OutOfReach)?));
                if let Some(own) = own {
                    stamp_owner::<E>(&mut row, end_user, text(&own))?;
                }
            }
            Tenancy::Seal { .. } => return Err(StoreError::OutOfReach),
            Tenancy::Trace { org: org_column, app: app_column, end_user } | Tenancy::Log { org: org_column, app: app_column, end_user } => {
                row.set(org_column, org);
                row.set(app_column, Value::String(app.map(|app| app.to_string())));
                if let Some(own) = own {
                    row.set(end_user, text(&own));
                }
            }
            Tenancy::Held { org: org_column, app: app_column, owner, user, end_user } => {
                row.set(org_column, org);
                row.set(app_column, Value::String(app.map(|app| app.to_string())));
                let is_owner = |name: &str| is_set_to::<E>(&row, owner, &name.into());
                let may_hold = match self.bounds.sight {
                    Sight::Organization => is_owner("organization"),
                    Sight::Application(_) => !is_owner("organization"),
                    Sight::Member(_, id) => is_owner("application") || (is_owner("user") && is_set_to::<E>(&row, user, &text(&id))),
                    Sight::EndUser(_, id) | Sight::Run(_, id) => is_owner("end_user") && is_set_to::<E>(&row, end_user, &text(&id)),
                };
                if !may_hold {
                    return Err(StoreError::OutOfReach);
                }
            }
        }
        Ok(row)
    }
}

fn text(id: &impl ToString) -> Value {
    Value::String(Some(id.to_string()))
}

fn is_set_to<E: Scoped>(row: &E::ActiveModel, column: E::Column, wanted: &Value) -> bool {
    match row.get(column) {
        ActiveValue::Set(value) | ActiveValue::Unchanged(value) => value == *wanted,
        ActiveValue::NotSet => false,
    }
}

/// An end-user's private row is its own: an unset owner is filled in, another one is refused.
fn stamp_owner<E: Scoped>(row: &mut E::ActiveModel, column: E::Column, own: Value) -> Result<(), StoreError> {
    match row.get(column) {
        ActiveValue::NotSet | ActiveValue::Set(Value::String(None)) | ActiveValue::Unchanged(Value::String(None)) => {
            row.set(column, own);
            Ok(())
        }
        ActiveValue::Set(value) | ActiveValue::Unchanged(value) if value == own => Ok(()),
        ActiveValue::Set(_) | ActiveValue::Unchanged(_) => Err(StoreError::OutOfReach),
    }
}
