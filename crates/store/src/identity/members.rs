//! Members of an organization and their roles.

use std::collections::HashMap;

use domain::{Role, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, Order, QueryFilter as _, QuerySelect as _, Statement,
};

use crate::entities::{self, At, api_key, application, member, user};
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
    /// `None`: not a member.
    pub async fn get(&self, user: UserId) -> Result<Option<Member>, StoreError> {
        let row = self.0.find::<member::Entity>().filter(member::Column::UserId.eq(user.to_string())).one().await?;
        Ok(self.named(row.into_iter().collect()).await?.pop())
    }

    /// Whether a member has this e-mail address, in lower case.
    pub async fn has_email(&self, email: &str) -> Result<bool, StoreError> {
        const FIND: &str = "SELECT 1 FROM members m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND u.email = $2";
        let values = [self.0.bounds.org.to_string().into(), email.into()];
        let statement = Statement::from_sql_and_values(self.0.store.engine.backend(), FIND, values);
        Ok(self.0.transaction.query_one_raw(statement).await?.is_some())
    }

    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<Member>, StoreError> {
        let rows = self.0.find::<member::Entity>();
        let rows = rows.order_by(Expr::col(member::Column::JoinedAt), Order::Desc).order_by(Expr::col(member::Column::UserId), Order::Desc);
        let rows = rows.page(page).await?;
        Ok(Paged { items: self.named(rows.items).await?, total: rows.total })
    }

    /// Adds the columns of `users` that members of one organization see of each other; the tenants' role may read no others. Who went
    /// since the rows were read is seen by nobody here any more, and left out.
    async fn named(&self, rows: Vec<member::Model>) -> Result<Vec<Member>, StoreError> {
        use user::Column;
        let users = user::Entity::find().select_only().columns([Column::Id, Column::Email, Column::Name]);
        let users = users.filter(Column::Id.is_in(rows.iter().map(|row| row.user_id.as_str())));
        let users: Vec<(String, String, String)> = users.into_tuple().all(self.0.transaction).await?;
        let mut users: HashMap<_, _> = users.into_iter().map(|(id, email, name)| (id, (email, name))).collect();
        let member = |row: member::Model| {
            let (email, name) = users.remove(&row.user_id)?;
            Some(Self::read(&row, email, name))
        };
        rows.into_iter().filter_map(member).collect()
    }

    fn read(row: &member::Model, email: String, name: String) -> Result<Member, StoreError> {
        let role = Role::parse(&row.role).ok_or(StoreError::Corrupt { what: "a role" })?;
        Ok(Member { user: entities::parse(&row.user_id, "a member")?, role, joined_at: row.joined_at.0, email, name })
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

    /// The role of the user, which stays until this write ends: who would take or change it waits. `None`: not a member.
    pub async fn locked_role(&self, user: UserId) -> Result<Option<Role>, StoreError> {
        let row = self.0.find::<member::Entity>().filter(member::Column::UserId.eq(user.to_string())).locked().one().await?;
        row.map(|row| Role::parse(&row.role).ok_or(StoreError::Corrupt { what: "a role" })).transpose()
    }

    /// The owners now. Another write that asks the same waits until this one ends, so none of two that each take one away takes the
    /// last.
    pub async fn owners(&self) -> Result<Vec<UserId>, StoreError> {
        let rows = self.0.find::<member::Entity>().filter(member::Column::Role.eq(Role::Owner.as_str()));
        let rows = rows.order_by(Expr::col(member::Column::UserId), Order::Asc).locked().all().await?;
        rows.iter().map(|row| entities::parse(&row.user_id, "a member")).collect()
    }

    /// `false`: not a member. The keys that the user made stop working at once, and would work again for a user who comes back:
    /// see [`Unit::revoke_keys_of`]. That an owner remains is the caller's rule.
    pub async fn remove(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.0.delete::<member::Entity>().filter(member::Column::UserId.eq(user.to_string())).run().await? == 1)
    }
}

impl Unit<OrgScope, Writing> {
    /// Revokes every key that the user has made in the organization; how many.
    pub async fn revoke_keys_of(&self, user: UserId) -> Result<u64, StoreError> {
        use api_key::Column;
        let now = At(self.tenant().now());
        let mut revoked = 0;
        for application in self.tenant().find::<application::Entity>().all().await? {
            let inside = self.enter_application(entities::parse(&application.id, "an application")?).await?;
            let keys = inside.update::<api_key::Entity>().filter(Column::CreatedBy.eq(user.to_string()));
            revoked += keys.filter(Column::RevokedAt.is_null()).set(Column::RevokedAt, now).run().await?;
        }
        self.leave_application().await?;
        Ok(revoked)
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
