//! The canonical form of rows and seals. A change here breaks every seal there is: a new form needs a new tag, beside the old one.
//!
//! A field is one byte 0 for null, or one byte 1, its length in bytes (four bytes, big-endian) and its UTF-8 text. Numbers are decimal;
//! times are RFC 3339 with milliseconds, as the API shows them. The columns are taken as they stand in the database, unparsed: what
//! was tampered with must be digested, not refused.

use chrono::{DateTime, SecondsFormat};
use domain::Timestamp;
use sea_orm::FromQueryResult;
use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// SHA-256.
pub type SealDigest = [u8; 32];

const ROWS_TAG: &[u8] = b"appstrate:audit-rows:v1";
const SEAL_TAG: &[u8] = b"appstrate:audit-seal:v1";

/// A row as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct RawAuditRow {
    pub id: String,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    end_user_id: Option<String>,
    request_id: String,
    key_id: Option<String>,
    user_id: Option<String>,
    permission: String,
    decision: String,
    method: String,
    route: String,
    path: String,
    ip: Option<String>,
    user_agent: Option<String>,
    subject: Option<String>,
    detail: String,
    status: Option<i64>,
    code: Option<String>,
    created_at: i64,
    pub chain: Option<String>,
    pub seal: Option<i64>,
    pub position: Option<i64>,
}

/// The columns of [`RawAuditRow`], for `SELECT`.
pub(super) const ROW_COLUMNS: &str = "id, org_id, app_id, end_user_id, request_id, key_id, user_id, permission, decision, method, route, \
                                      path, ip, user_agent, subject, detail, status, code, created_at, chain, seal, position";

impl RawAuditRow {
    /// The chain that the row belongs to by its tenant.
    pub fn belongs_to(&self) -> &str {
        self.app_id.as_deref().or(self.org_id.as_deref()).unwrap_or("platform")
    }

    /// When the row was written, in milliseconds since 1970.
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// The same row in its place.
    #[must_use]
    pub fn placed(self, chain: &str, seal: i64, position: i64) -> Self {
        Self { chain: Some(chain.to_owned()), seal: Some(seal), position: Some(position), ..self }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let some = |text: &str| Some(text.to_owned());
        for field in [
            some(&self.id),
            self.org_id.clone(),
            self.app_id.clone(),
            self.end_user_id.clone(),
            some(&self.request_id),
            self.key_id.clone(),
            self.user_id.clone(),
            some(&self.permission),
            some(&self.decision),
            some(&self.method),
            some(&self.route),
            some(&self.path),
            self.ip.clone(),
            self.user_agent.clone(),
            self.subject.clone(),
            some(&self.detail),
            number(self.status),
            self.code.clone(),
            Some(moment(self.created_at)),
            self.chain.clone(),
            number(self.seal),
            number(self.position),
        ] {
            put(bytes, field.as_deref());
        }
    }
}

/// The digest of the rows under one seal, taken one by one in the order of their positions.
#[derive(Clone, Debug)]
pub struct RowsDigest {
    hash: Sha256,
    buffer: Vec<u8>,
    count: i64,
}

impl Default for RowsDigest {
    fn default() -> Self {
        Self { hash: Sha256::new().chain_update(ROWS_TAG), buffer: Vec::new(), count: 0 }
    }
}

impl RowsDigest {
    pub fn add(&mut self, row: &RawAuditRow) {
        self.buffer.clear();
        row.write(&mut self.buffer);
        self.hash.update(&self.buffer);
        self.count += 1;
    }

    /// How many rows were added.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The digest in hexadecimal.
    pub fn finish(self) -> String {
        hex::encode(self.hash.finalize())
    }
}

/// A seal as it stands in the database: over the rows of `chain` from `first_position` to `last_position`.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AuditSeal {
    pub chain: String,
    /// From 1, without gaps within the chain.
    pub number: i64,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    pub first_position: i64,
    pub last_position: i64,
    pub row_count: i64,
    /// Hexadecimal, as [`RowsDigest::finish`] gives it.
    pub rows_digest: String,
    /// The digest of the seal before; zeros in the first.
    pub previous: String,
    /// Hexadecimal, of all the fields above, `key_id` and `sealed_at`.
    pub digest: String,
    pub key_id: String,
    /// Ed25519 over the 32 bytes of `digest`, in base64.
    pub signature: String,
    /// Milliseconds since 1970.
    pub sealed_at: i64,
}

pub(super) const SEAL_COLUMNS: &str =
    "chain, number, org_id, app_id, first_position, last_position, row_count, rows_digest, previous, digest, key_id, signature, sealed_at";

impl AuditSeal {
    /// What the first seal of a chain has for `previous`.
    pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    /// When it was sealed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a time that no calendar has.
    pub fn sealed_at(&self) -> Result<Timestamp, StoreError> {
        DateTime::from_timestamp_millis(self.sealed_at).ok_or(StoreError::Corrupt { what: "the time of a seal" })
    }

    /// The digest that the seal should have.
    pub fn computed(&self) -> SealDigest {
        let mut bytes = SEAL_TAG.to_vec();
        for field in [
            Some(self.chain.clone()),
            number(Some(self.number)),
            self.org_id.clone(),
            self.app_id.clone(),
            number(Some(self.first_position)),
            number(Some(self.last_position)),
            number(Some(self.row_count)),
            Some(self.rows_digest.clone()),
            Some(self.previous.clone()),
            Some(self.key_id.clone()),
            Some(moment(self.sealed_at)),
        ] {
            put(&mut bytes, field.as_deref());
        }
        Sha256::digest(&bytes).into()
    }
}

fn put(bytes: &mut Vec<u8>, field: Option<&str>) {
    match field {
        None => bytes.push(0),
        Some(text) => {
            bytes.push(1);
            // A column holds at most 1 GB on either engine.
            bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn number(value: Option<i64>) -> Option<String> {
    value.map(|number| number.to_string())
}

/// As the API shows a time; one that no calendar has, as its milliseconds.
pub(super) fn moment(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).map_or_else(|| millis.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> RawAuditRow {
        RawAuditRow {
            id: "aud_1".to_owned(),
            org_id: Some("org_1".to_owned()),
            app_id: Some("app_1".to_owned()),
            end_user_id: Some("eu_1".to_owned()),
            request_id: "req_1".to_owned(),
            key_id: Some("key_1".to_owned()),
            user_id: Some("usr_1".to_owned()),
            permission: "runs:read".to_owned(),
            decision: "allowed".to_owned(),
            method: "GET".to_owned(),
            route: "/api/runs".to_owned(),
            path: "/api/runs".to_owned(),
            ip: None,
            user_agent: None,
            subject: None,
            detail: "null".to_owned(),
            status: Some(200),
            code: None,
            created_at: 1_795_262_400_000,
            chain: Some("app_1".to_owned()),
            seal: Some(1),
            position: Some(1),
        }
    }

    fn digest(row: &RawAuditRow) -> String {
        let mut digest = RowsDigest::default();
        digest.add(row);
        digest.finish()
    }

    /// Computed by the Python of docs/reference/audit-log.md.
    #[test]
    fn the_documented_example_holds() {
        assert_eq!(digest(&row()), "a069281e0d6ce224e70bfa5e78dca4f5f1948c87d682d453853320cd0660d4bf");
        let seal = AuditSeal {
            chain: "app_1".to_owned(),
            number: 1,
            org_id: Some("org_1".to_owned()),
            app_id: Some("app_1".to_owned()),
            first_position: 1,
            last_position: 1,
            row_count: 1,
            rows_digest: digest(&row()),
            previous: AuditSeal::START.to_owned(),
            digest: String::new(),
            key_id: "ak_0011223344556677".to_owned(),
            signature: String::new(),
            sealed_at: 1_795_262_400_000,
        };
        assert_eq!(hex::encode(seal.computed()), "2a071e56f4bb02ba7d9d4f881c469ece32a4673a5e4199951ca6f36396c629c8");
    }

    #[test]
    fn no_two_rows_share_their_bytes() {
        let moved = RawAuditRow { route: "/api/runs/api".to_owned(), path: "/runs".to_owned(), ..row() };
        let emptied = RawAuditRow { ip: Some(String::new()), ..row() };
        let late = RawAuditRow { created_at: i64::MAX, ..row() };
        let all = [row(), moved, emptied, late].map(|row| digest(&row));
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
    }
}
