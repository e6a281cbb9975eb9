//! Statements on tenant tables. An entity that is [`Scoped`] says once whose its rows are; [`Tenant`] is the only way to reach it,
//! and filters and stamps every statement itself.

mod change;
mod select;
pub(crate) mod tenancy;
mod tenant;

use sea_orm::{EntityTrait, IntoActiveModel};

pub(crate) use self::change::{ScopedDelete, ScopedUpdate};
pub(crate) use self::select::ScopedSelect;
pub(crate) use self::tenancy::Tenancy;
pub(crate) use self::tenant::Tenant;

/// An entity whose rows belong to a tenant.
pub(crate) trait Scoped: EntityTrait<Model: IntoActiveModel<Self::ActiveModel> + Send + Sync> {
    const TENANCY: Tenancy<Self::Column>;
}
