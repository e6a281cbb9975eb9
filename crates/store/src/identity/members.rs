//! Members of an organization and their roles.

use domain::{Role, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, Order, Statement};

use crate::entities::{self, At, member};
use crate::scope::{InOrg, OrgScope};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A user's place in the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub role: Role,
    pub joined_at: Timestamp,
    pub email: String,
    pub name: String,
}

/// The members of one organization.
#[derive(Debug)]
pub struct Members<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<OrgScope, M> {
    pub fn members(&self) -> Members<'_, M> {
        Members(self.tenant())
    }
}

impl<S: InOrg, M: Mode> Unit<S, M> {
    /// The role of a user in this organization now. `None`: not a member.
    pub async fn role_of(&self, user: UserId) -> Result<Option<Role>, StoreError> {
        let row = self.tenant().find::<member::Entity>().filter(member::Column::UserId.eq(user.to_string())).one().await?;
        row.map(|row| Role::parse(&row.role).ok_or(StoreError::Corrupt { what: "a role" })).transpose()
    }
}

impl<M: Mode> Members<'_, M> {
    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<Member>, StoreError> {
        let rows = self.0.find::<member::Entity>();
        let rows = rows.order_by(Expr::col(member::Column::JoinedAt), Order::Desc).order_by(Expr::col(member::Column::UserId), Order::Desc);
        let rows = rows.page(page).await?;
        let mut items = Vec::with_capacity(rows.items.len());
        for row in rows.items {
            items.push(self.named(row).await?);
        }
        Ok(Paged { items, total: rows.total })
    }

    /// Adds the columns of `users` that members of one organization see of each other; the tenants' role may read no others.
    async fn named(&self, row: member::Model) -> Result<Member, StoreError> {
        const NAME: &str = "SELECT email, name FROM users WHERE id = $1";
        let backend = self.0.store.engine.backend();
        let statement = Statement::from_sql_and_values(backend, NAME, [row.user_id.clone().into()]);
        let user = self.0.transaction.query_one_raw(statement).await?.ok_or(StoreError::Corrupt { what: "a member" })?;
        Ok(Member {
            user: entities::parse(&row.user_id, "a member")?,
            role: Role::parse(&row.role).ok_or(StoreError::Corrupt { what: "a role" })?,
            joined_at: row.joined_at.0,
            email: user.try_get_by_index(0)?,
            name: user.try_get_by_index(1)?,
        })
    }
}

impl Members<'_, Writing> {
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::MEMBER`], [`StoreError::Reference`] when there is no such user.
    pub async fn add(&self, user: UserId, role: Role) -> Result<(), StoreError> {
        add(&self.0, user, role).await
    }

    /// `false`: not a member. That an owner remains is the caller's rule.
    pub async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        use member::Column;
        let update = self.0.update::<member::Entity>().filter(Column::UserId.eq(user.to_string())).set(Column::Role, role.as_str());
        Ok(update.run().await? == 1)
    }

    /// `false`: not a member. The keys that the user made stop working at once.
    pub async fn remove(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.0.delete::<member::Entity>().filter(member::Column::UserId.eq(user.to_string())).run().await? == 1)
    }
}

pub(crate) async fn add(tenant: &Tenant<'_, Writing>, user: UserId, role: Role) -> Result<(), StoreError> {
    let row = member::ActiveModel {
        user_id: Set(user.to_string()),
        role: Set(role.as_str().to_owned()),
        joined_at: Set(At(tenant.now())),
        ..Default::default()
    };
    tenant.append::<member::Entity>(row).await
}
