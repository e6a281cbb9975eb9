//! Finding an API key, and the scopes that it mints.

use domain::{AppId, EndUserId, KeyId, OrgId, Reach, Role, Timestamp, UserId};
use sea_orm::{ConnectionTrait as _, Statement, Value};
use serde_json::{Map, Value as Json};

use super::System;
use crate::StoreError;
use crate::entities::{json, parse, parse_some};
use crate::identity::API_VERSION;
use crate::scope::{AppScope, OrgScope};

/// A key that may be used now: neither revoked nor expired, its creator still a member.
#[derive(Clone, Debug)]
pub struct KeyLogin {
    pub key: KeyId,
    pub name: String,
    pub creator: UserId,
    pub org: OrgId,
    pub app: AppId,
    /// The role of the creator now.
    pub role: Role,
    pub scopes: Vec<String>,
    /// The API version that the organization is pinned to.
    pub pinned_version: Option<String>,
    scope: AppScope,
    end_user: Option<AppScope>,
}

impl KeyLogin {
    /// The key's application, whole.
    pub fn app_scope(&self) -> AppScope {
        self.scope
    }

    /// The scope of the end-user whom the key was looked up for. `None`: for nobody, or its application has no such end-user.
    pub fn end_user_scope(&self) -> Option<AppScope> {
        self.end_user
    }

    /// The organization around it.
    pub fn org_scope(&self) -> OrgScope {
        self.scope.organization()
    }
}

impl System<'_> {
    /// The key with this SHA-256. `None`: unknown, revoked, expired, or its creator has left; one answer for all.
    ///
    /// Looked up for an end-user, it says whether its application has that one, in the same statement: it comes before every request.
    /// Nothing is cached: a revocation counts from the next call on.
    pub async fn key_by_hash(&self, hash: &[u8; 32], end_user: Option<EndUserId>) -> Result<Option<KeyLogin>, StoreError> {
        self.key("k.hash = $1", hash.to_vec().into(), end_user).await
    }

    /// The key with this id, as [`Self::key_by_hash`] finds it: for a ticket that it has made.
    pub async fn key_by_id(&self, id: KeyId, end_user: Option<EndUserId>) -> Result<Option<KeyLogin>, StoreError> {
        self.key("k.id = $1", id.to_string().into(), end_user).await
    }

    async fn key(&self, condition: &str, value: Value, end_user: Option<EndUserId>) -> Result<Option<KeyLogin>, StoreError> {
        let find = format!(
            "SELECT k.id, k.name, k.created_by, k.org_id, k.app_id, k.scopes, k.expires_at, m.role, o.settings, e.id
              FROM api_keys k
              JOIN organizations o ON o.id = k.org_id
              JOIN members m ON m.org_id = k.org_id AND m.user_id = k.created_by
              LEFT JOIN end_users e ON e.app_id = k.app_id AND e.id = $2
             WHERE {condition} AND k.revoked_at IS NULL"
        );
        let inner = &self.store.inner;
        let statement = Statement::from_sql_and_values(inner.engine.backend(), find, [value, end_user.map(|id| id.to_string()).into()]);
        let Some(row) = inner.engine.reader().query_one_raw(statement).await? else {
            return Ok(None);
        };
        let text = |index: usize| row.try_get_by_index::<String>(index);
        let expires_at: Option<i64> = row.try_get_by_index(6)?;
        if expires_at.is_some_and(|at| at <= inner.clock.now().timestamp_millis()) {
            return Ok(None);
        }
        let found: Option<String> = row.try_get_by_index(9)?;
        let (org, app) = (parse(&text(3)?, "a key's organization")?, parse(&text(4)?, "a key's application")?);
        Ok(Some(KeyLogin {
            key: parse(&text(0)?, "a key")?,
            name: text(1)?,
            creator: parse(&text(2)?, "a key's creator")?,
            org,
            app,
            role: Role::parse(&text(7)?).ok_or(StoreError::Corrupt { what: "a role" })?,
            scopes: json(&text(5)?, "a key's scopes")?,
            pinned_version: json::<Map<String, Json>>(&text(8)?, "an organization's settings")?
                .get(API_VERSION)
                .and_then(Json::as_str)
                .map(ToOwned::to_owned),
            scope: AppScope::mint(org, app, Reach::Application),
            end_user: parse_some(found.as_deref(), "an end-user")?.map(|id| AppScope::mint(org, app, Reach::EndUser(id))),
        }))
    }

    /// Notes that the key was used now; written down some seconds later, grouped.
    pub fn key_used(&self, key: KeyId) {
        let at: Timestamp = self.store.inner.clock.now();
        self.store.inner.background.used(key, at);
    }
}
