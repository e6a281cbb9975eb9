//! Finding a session or a user, and the scopes that a session mints.

use domain::{AppId, OrgId, Reach, Role, Secret, SessionId, Timestamp};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select, Statement,
};

use super::System;
use crate::entities::{At, organization, parse, session, user};
use crate::identity::{ExtendSession, Organization, Session, User, UserLogin};
use crate::scope::{AppScope, OrgScope};
use crate::{Page, Paged, StoreError};

/// A session that may be used now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionLogin {
    pub session: Session,
    pub user: User,
    pub expires_at: Timestamp,
}

/// A signed-in user's place in one organization.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Membership {
    pub role: Role,
    pub scope: OrgScope,
    /// The API version that the organization is pinned to.
    pub pinned_version: Option<String>,
}

impl System<'_> {
    /// The session with this token's SHA-256. `None`: unknown or expired.
    pub async fn session_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SessionLogin>, StoreError> {
        self.session(session::Entity::find().filter(session::Column::TokenHash.eq(hash.to_vec()))).await
    }

    /// The session with this id, as [`Self::session_by_hash`] finds it: for a ticket that it has made.
    pub async fn session_by_id(&self, id: SessionId) -> Result<Option<SessionLogin>, StoreError> {
        self.session(session::Entity::find_by_id(id.to_string())).await
    }

    async fn session(&self, select: Select<session::Entity>) -> Result<Option<SessionLogin>, StoreError> {
        let inner = &self.store.inner;
        let found = select.one(inner.engine.reader()).await?;
        let Some(found) = found.filter(|row| row.expires_at.0 > inner.clock.now()) else {
            return Ok(None);
        };
        let session = Session::try_from(found)?;
        let user = user::Entity::find_by_id(session.user.to_string()).one(inner.engine.reader()).await?;
        let Some(user) = user else {
            return Ok(None);
        };
        Ok(Some(SessionLogin { expires_at: session.expires_at, session, user: user.try_into()? }))
    }

    /// The open sessions of the session's user, newest first.
    pub async fn sessions_of(&self, login: &SessionLogin, page: Page) -> Result<Paged<Session>, StoreError> {
        let inner = &self.store.inner;
        let open = session::Entity::find().filter(session::Column::UserId.eq(login.user.id.to_string()));
        let open = open.filter(session::Column::ExpiresAt.gt(At(inner.clock.now())));
        let total = open.clone().count(inner.engine.reader()).await?;
        let rows = open.order_by_desc(session::Column::CreatedAt).order_by_desc(session::Column::Id);
        let rows = rows.offset(page.offset()).limit(page.limit()).all(inner.engine.reader()).await?;
        Ok(Paged { items: rows.into_iter().map(Session::try_from).collect::<Result<_, _>>()?, total })
    }

    /// Moves the end of a session that is in use, and waits until that is committed with others. `false`: it ended meanwhile, or
    /// another request has moved its end. Never while holding a [`crate::Write`].
    pub async fn extend_session(&self, id: SessionId, expires_at: Timestamp) -> Result<bool, StoreError> {
        let inner = &self.store.inner;
        inner.background.run(ExtendSession { id, now: inner.clock.now(), expires_at }).await
    }

    /// The user with this e-mail address, for signing in. `email` is lower case.
    pub async fn user_by_email(&self, realm: &str, email: &str) -> Result<Option<UserLogin>, StoreError> {
        let found = user::Entity::find().filter(user::Column::Realm.eq(realm)).filter(user::Column::Email.eq(email));
        let Some(mut row) = found.one(self.store.inner.engine.reader()).await? else {
            return Ok(None);
        };
        let password_hash = row.password_hash.take().map(Secret::new);
        Ok(Some(UserLogin { user: row.try_into()?, password_hash }))
    }

    /// The session's place in an organization. `None`: not a member, or no such organization; one answer for both.
    pub async fn membership(&self, login: &SessionLogin, org: OrgId) -> Result<Option<Membership>, StoreError> {
        const FIND: &str = "SELECT role FROM members WHERE org_id = $1 AND user_id = $2";
        let engine = &self.store.inner.engine;
        let values = [org.to_string().into(), login.user.id.to_string().into()];
        let Some(row) = engine.reader().query_one_raw(Statement::from_sql_and_values(engine.backend(), FIND, values)).await? else {
            return Ok(None);
        };
        let role: String = row.try_get_by_index(0)?;
        let Some(organization) = organization::Entity::find_by_id(org.to_string()).one(engine.reader()).await? else {
            return Ok(None);
        };
        Ok(Some(Membership {
            role: Role::parse(&role).ok_or(StoreError::Corrupt { what: "a role" })?,
            scope: OrgScope::mint(org),
            pinned_version: Organization::try_from(organization)?.pinned_version().map(ToOwned::to_owned),
        }))
    }

    /// A page of the organizations of the session's user with its roles, newest first.
    pub async fn organizations_of(&self, login: &SessionLogin, page: Page) -> Result<Paged<(Organization, Role)>, StoreError> {
        const FIND: &str = "SELECT o.*, m.role AS role FROM members m JOIN organizations o ON o.id = m.org_id
             WHERE m.user_id = $1 ORDER BY m.joined_at DESC, m.org_id DESC LIMIT $2 OFFSET $3";
        const COUNT: &str = "SELECT count(*) FROM members WHERE user_id = $1";
        let engine = &self.store.inner.engine;
        let user = login.user.id.to_string();
        let (limit, offset) = (i64::from(page.size), i64::try_from(page.offset()).unwrap_or(i64::MAX));
        let find = Statement::from_sql_and_values(engine.backend(), FIND, [user.clone().into(), limit.into(), offset.into()]);
        let mut items = Vec::new();
        for row in engine.reader().query_all_raw(find).await? {
            let role = Role::parse(&row.try_get::<String>("", "role")?).ok_or(StoreError::Corrupt { what: "a role" })?;
            items.push((organization::Model::from_query_result(&row, "")?.try_into()?, role));
        }
        let count = Statement::from_sql_and_values(engine.backend(), COUNT, [user.into()]);
        let row = engine.reader().query_one_raw(count).await?.ok_or(StoreError::Corrupt { what: "a count of members" })?;
        let total = u64::try_from(row.try_get_by_index::<i64>(0)?).map_err(|_| StoreError::Corrupt { what: "a count of members" })?;
        Ok(Paged { items, total })
    }

    /// The scope of one application, as far as the member reaches into it. `None`: the organization has no such application.
    pub async fn application_scope(&self, scope: &OrgScope, app: AppId, login: &SessionLogin) -> Result<Option<AppScope>, StoreError> {
        const FIND: &str = "SELECT id FROM applications WHERE org_id = $1 AND id = $2";
        let engine = &self.store.inner.engine;
        let values = [scope.org().to_string().into(), app.to_string().into()];
        let Some(row) = engine.reader().query_one_raw(Statement::from_sql_and_values(engine.backend(), FIND, values)).await? else {
            return Ok(None);
        };
        let app = parse(&row.try_get_by_index::<String>(0)?, "an application")?;
        Ok(Some(AppScope::mint(scope.org(), app, Reach::Member(login.user.id))))
    }
}
