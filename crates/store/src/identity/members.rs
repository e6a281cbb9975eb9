//! Members of an organization and their roles.

use domain::{Role, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, Order, QueryResult, Statement, Value};

use crate::entities::{self, At, api_key, application, member};
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
        let find = format!("{SELECT} AND m.user_id = $2");
        let row = self.0.transaction.query_one_raw(self.statement(find, [user.to_string().into()])).await?;
        row.map(Member::read).transpose()
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
        let (limit, offset) = (i64::from(page.size), i64::try_from(page.offset()).unwrap_or(i64::MAX));
        let find = format!("{SELECT} ORDER BY m.joined_at DESC, m.user_id DESC LIMIT $2 OFFSET $3");
        let rows = self.0.transaction.query_all_raw(self.statement(find, [limit.into(), offset.into()])).await?;
        Ok(Paged { items: rows.into_iter().map(Member::read).collect::<Result<_, _>>()?, total: self.count().await? })
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let count = self.statement("SELECT count(*) FROM members m WHERE m.org_id = $1".to_owned(), []);
        let row = self.0.transaction.query_one_raw(count).await?.ok_or(StoreError::Corrupt { what: "a count of members" })?;
        u64::try_from(row.try_get_by_index::<i64>(0)?).map_err(|_| StoreError::Corrupt { what: "a count of members" })
    }

    /// A statement whose first value is this organization.
    fn statement<const N: usize>(&self, sql: String, more: [Value; N]) -> Statement {
        let values = std::iter::once(self.0.bounds.org.to_string().into()).chain(more);
        Statement::from_sql_and_values(self.0.store.engine.backend(), sql, values)
    }
}

/// Members with the columns of `users` that those of one organization see of each other; the tenants' role may read no others. One
/// statement: between two, a member could go, whose user is seen by nobody here from then on.
const SELECT: &str =
    "SELECT m.user_id, m.role, m.joined_at, u.email, u.name FROM members m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1";

impl Member {
    /// A row of [`SELECT`].
    fn read(row: QueryResult) -> Result<Self, StoreError> {
        let text = |index: usize| row.try_get_by_index::<String>(index);
        Ok(Self {
            user: entities::parse(&text(0)?, "a member")?,
            role: Role::parse(&text(1)?).ok_or(StoreError::Corrupt { what: "a role" })?,
            joined_at: row.try_get_by_index::<At>(2)?.0,
            email: text(3)?,
            name: text(4)?,
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
