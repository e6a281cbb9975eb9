//! What a scope sees of its seals, and the keys that sign them.

use domain::{AppId, AuditChain, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, Order, QueryOrder as _, Statement};

use super::canonical::AuditSeal;
use crate::engine::{Lane, Opened};
use crate::entities::{At, audit_key, audit_seal};
use crate::scope::InOrg;
use crate::system::System;
use crate::unit::{Mode, Unit};
use crate::{Page, Paged, StoreError};

/// Serializes nodes that make their first key together; any constant of ours.
const KEY_LOCK: i64 = 0x6175_6469_745f_6b65;

/// A key that signs seals, or has signed some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditKey {
    pub id: String,
    /// 32 bytes in base64.
    pub public_key: String,
    /// The private half, sealed under a master key.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// A key to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditKey {
    pub id: String,
    pub public_key: String,
    pub sealed: Vec<u8>,
}

impl<S: InOrg, M: Mode> Unit<S, M> {
    /// The seals of the scope's own chain, newest first.
    pub async fn audit_seals(&self, page: Page) -> Result<Paged<AuditSeal>, StoreError> {
        self.audit_seals_of(None, page).await
    }

    /// As [`Self::audit_seals`], of the chain of this application, which may be gone. What the scope does not see is left out.
    pub async fn audit_seals_of(&self, app: Option<AppId>, page: Page) -> Result<Paged<AuditSeal>, StoreError> {
        let tenant = self.tenant();
        let app = app.or(tenant.bounds.sight.app());
        let chain = app.map_or(AuditChain::Organization(tenant.bounds.org), AuditChain::Application);
        let rows = tenant.find::<audit_seal::Entity>().filter(audit_seal::Column::Chain.eq(chain.to_string()));
        let rows = rows.order_by(Expr::col(audit_seal::Column::Number), Order::Desc);
        rows.page(page).await?.try_map(|row| Ok(AuditSeal::from(row)))
    }
}

impl System<'_> {
    /// Every key that has ever signed, newest first.
    pub async fn audit_keys(&self) -> Result<Vec<AuditKey>, StoreError> {
        use audit_key::Column;
        let rows = audit_key::Entity::find().order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc);
        Ok(rows.all(self.store.inner.engine.reader()).await?.into_iter().map(AuditKey::from).collect())
    }

    /// Stores a key, unless the newest is another than `instead_of`: then another node was faster. Gives the newest.
    pub async fn add_audit_key(&self, new: NewAuditKey, instead_of: Option<&str>) -> Result<AuditKey, StoreError> {
        use audit_key::Column;
        let inner = &self.store.inner;
        let Opened { transaction, permit } = inner.engine.write(None, Lane::Requests).await?;
        if inner.engine.backend() == DbBackend::Postgres {
            let lock = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [KEY_LOCK.into()]);
            transaction.execute_raw(lock).await?;
        }
        let newest = audit_key::Entity::find().order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc);
        let newest = newest.one(&transaction).await?;
        let stored = match newest {
            Some(row) if Some(row.id.as_str()) != instead_of => row,
            _ => {
                let created_at = Set(At(inner.clock.now()));
                let row = audit_key::ActiveModel { id: Set(new.id), public_key: Set(new.public_key), sealed: Set(new.sealed), created_at };
                audit_key::Entity::insert(row).exec_with_returning(&transaction).await?
            }
        };
        transaction.commit().await?;
        drop(permit);
        Ok(stored.into())
    }
}

impl From<audit_key::Model> for AuditKey {
    fn from(row: audit_key::Model) -> Self {
        Self { id: row.id, public_key: row.public_key, sealed: row.sealed, created_at: row.created_at.0 }
    }
}

impl From<audit_seal::Model> for AuditSeal {
    fn from(row: audit_seal::Model) -> Self {
        Self {
            chain: row.chain,
            number: row.number,
            org_id: row.org_id,
            app_id: row.app_id,
            first_position: row.first_position,
            last_position: row.last_position,
            row_count: row.row_count,
            rows_digest: row.rows_digest,
            previous: row.previous,
            digest: row.digest,
            key_id: row.key_id,
            signature: row.signature,
            sealed_at: row.sealed_at.0.timestamp_millis(),
        }
    }
}
