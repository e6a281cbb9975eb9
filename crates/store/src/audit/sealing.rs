//! Rows without a seal, and giving them one.
//!
//! Whoever seals reads outside any transaction, digests and signs at leisure, and writes all of it in one short transaction that
//! holds only while the lease does. A crash in between leaves the rows as they were: without a seal.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait as _, FromQueryResult, Statement};
use serde_json::{Map, Value};

use super::canonical::{AuditSeal, ROW_COLUMNS, RawAuditRow, SEAL_COLUMNS};
use crate::StoreError;
use crate::engine::{Lane, Opened};
use crate::entities::{At, audit_seal};
use crate::system::{Lease, System};

/// Committed rows of one chain that have no seal yet.
#[derive(Clone, Debug)]
pub struct UnsealedAudit {
    pub chain: String,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    /// The last seal of the chain.
    pub head: Option<AuditSeal>,
    /// In the order in which they will stand in the chain.
    pub rows: Vec<RawAuditRow>,
}

/// A seal to write, with the rows that it covers.
#[derive(Clone, Debug)]
pub struct NewAuditSeal {
    pub seal: AuditSeal,
    pub rows: Vec<RawAuditRow>,
}

/// The newest seal of a chain.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AuditHead {
    pub chain: String,
    pub number: i64,
    pub digest: String,
}

/// Rows without a seal. `$1` is the list of chains that are left out.
const UNSEALED_ON_SQLITE: &str = "seal IS NULL AND COALESCE(app_id, org_id, 'platform') NOT IN (SELECT value FROM json_each($1))";
const UNSEALED_ON_POSTGRES: &str =
    "seal IS NULL AND COALESCE(app_id, org_id, 'platform') NOT IN (SELECT json_array_elements_text($1::text::json))";

impl System<'_> {
    /// Whether any committed row waits for a seal, apart from those of the chains in `without`. Cheap; for polling.
    pub async fn has_unsealed_audit(&self, without: &[String]) -> Result<bool, StoreError> {
        let engine = &self.store.inner.engine;
        let sql = format!("SELECT 1 FROM audit_entries WHERE {} LIMIT 1", unsealed(engine.backend()));
        let statement = Statement::from_sql_and_values(engine.backend(), sql, [list(without)]);
        Ok(engine.reader().query_one_raw(statement).await?.is_some())
    }

    /// The newest seal of every chain there is. Jumps from chain to chain, however many seals each has.
    pub async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        const HEADS: &str = "WITH RECURSIVE chains (chain) AS (
                SELECT min(chain) FROM audit_seals
                UNION ALL SELECT (SELECT min(s.chain) FROM audit_seals s WHERE s.chain > c.chain) FROM chains c WHERE c.chain IS NOT NULL)
            SELECT s.chain, s.number, s.digest FROM chains c
              JOIN audit_seals s ON s.chain = c.chain AND s.number = (SELECT max(n.number) FROM audit_seals n WHERE n.chain = c.chain)";
        let engine = &self.store.inner.engine;
        Ok(AuditHead::find_by_statement(Statement::from_string(engine.backend(), HEADS)).all(engine.reader()).await?)
    }

    /// The digest of one seal. `None`: the chain has no such seal.
    pub async fn audit_seal_digest(&self, chain: &str, number: i64) -> Result<Option<String>, StoreError> {
        let seal = audit_seal::Entity::find_by_id((chain.to_owned(), number)).one(self.store.inner.engine.reader()).await?;
        Ok(seal.map(|seal| seal.digest))
    }

    /// Committed rows without a seal, at most `limit`, by chain, apart from the chains in `without`. For the holder of the lease:
    /// nobody else adds seals meanwhile.
    pub async fn unsealed_audit(&self, limit: u32, without: &[String]) -> Result<Vec<UnsealedAudit>, StoreError> {
        let engine = &self.store.inner.engine;
        let (reader, backend) = (engine.reader(), engine.backend());
        let sql = format!("SELECT {ROW_COLUMNS} FROM audit_entries WHERE {} ORDER BY id LIMIT $2", unsealed(backend));
        let values = [list(without), i64::from(limit).into()];
        let rows = RawAuditRow::find_by_statement(Statement::from_sql_and_values(backend, sql, values));
        let mut chains: BTreeMap<String, Vec<RawAuditRow>> = BTreeMap::new();
        for row in rows.all(reader).await? {
            chains.entry(row.belongs_to().to_owned()).or_default().push(row);
        }
        let mut unsealed = Vec::with_capacity(chains.len());
        for (chain, rows) in chains {
            let sql = format!("SELECT {SEAL_COLUMNS} FROM audit_seals WHERE chain = $1 ORDER BY number DESC LIMIT 1");
            let head = Statement::from_sql_and_values(backend, sql, [chain.as_str().into()]);
            let head = AuditSeal::find_by_statement(head).one(reader).await?;
            // All rows of a chain have the same application, and an application stays in its organization.
            let (org_id, app_id) = rows.first().map(|row| (row.org_id.clone(), row.app_id.clone())).unwrap_or_default();
            unsealed.push(UnsealedAudit { chain, org_id, app_id, head, rows });
        }
        Ok(unsealed)
    }

    /// Writes the seals and marks their rows, all together. `false`: the lease is lost, and nothing was written.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a row has vanished or got a seal in the meantime: somebody writes past the lease.
    pub async fn append_audit_seals(&self, lease: &Lease, seals: Vec<NewAuditSeal>) -> Result<bool, StoreError> {
        let Opened { transaction, permit } = self.store.inner.engine.write(None, Lane::Background).await?;
        if !lease.is_held(&transaction).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        for NewAuditSeal { seal, rows } in seals {
            mark(&transaction, &seal, &rows).await?;
            audit_seal::Entity::insert(row(seal)?).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        drop(permit);
        Ok(true)
    }
}

fn unsealed(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Postgres { UNSEALED_ON_POSTGRES } else { UNSEALED_ON_SQLITE }
}

fn list(chains: &[String]) -> sea_orm::Value {
    Value::from(chains).to_string().into()
}

/// Gives the rows their place in the chain.
async fn mark(transaction: &DatabaseTransaction, seal: &AuditSeal, rows: &[RawAuditRow]) -> Result<(), StoreError> {
    const ON_SQLITE: &str = "UPDATE audit_entries SET chain = $1, seal = $2, position = place.value FROM json_each($3) AS place
                              WHERE audit_entries.id = place.key AND audit_entries.seal IS NULL";
    const ON_POSTGRES: &str = "UPDATE audit_entries SET chain = $1, seal = $2, position = place.value::bigint
                                 FROM json_each_text($3::text::json) AS place
                                WHERE audit_entries.id = place.key AND audit_entries.seal IS NULL";
    let backend = transaction.get_database_backend();
    let sql = if backend == DbBackend::Postgres { ON_POSTGRES } else { ON_SQLITE };
    let places: Map<String, Value> =
        (seal.first_position..).zip(rows).map(|(position, row)| (row.id.clone(), Value::from(position))).collect();
    let values = [seal.chain.as_str().into(), seal.number.into(), Value::Object(places).to_string().into()];
    let marked = transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?.rows_affected();
    if usize::try_from(marked).ok() == Some(rows.len()) { Ok(()) } else { Err(StoreError::Corrupt { what: "an audit row to be sealed" }) }
}

fn row(seal: AuditSeal) -> Result<audit_seal::ActiveModel, StoreError> {
    let sealed_at = seal.sealed_at()?;
    Ok(audit_seal::ActiveModel {
        chain: Set(seal.chain),
        number: Set(seal.number),
        org_id: Set(seal.org_id),
        app_id: Set(seal.app_id),
        first_position: Set(seal.first_position),
        last_position: Set(seal.last_position),
        row_count: Set(seal.row_count),
        rows_digest: Set(seal.rows_digest),
        previous: Set(seal.previous),
        digest: Set(seal.digest),
        key_id: Set(seal.key_id),
        signature: Set(seal.signature),
        sealed_at: Set(At(sealed_at)),
    })
}
