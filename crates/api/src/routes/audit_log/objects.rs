//! Rows, seals and keys of the store as objects of the API.

use wire::api::audit_log::{AuditEntry, AuditEntryObject, AuditPublicKey, AuditPublicKeyObject, AuditSeal, AuditSealObject};

use crate::problem::Problem;

pub(super) fn entry(row: store::AuditRow) -> AuditEntry {
    AuditEntry {
        object: AuditEntryObject::AuditEntry,
        chain: row.seal.map(|_| row.chain().to_string()),
        id: row.id,
        organization_id: row.org,
        application_id: row.app,
        end_user_id: row.end_user,
        request_id: row.request,
        api_key_id: row.key,
        user_id: row.user,
        permission: row.permission,
        decision: row.decision,
        method: row.method,
        route: row.route,
        path: row.path,
        ip: row.ip,
        user_agent: row.user_agent,
        subject: row.subject,
        detail: row.detail,
        status: row.status,
        code: row.code,
        created_at: row.created_at.into(),
        seal: row.seal,
        position: row.position,
    }
}

pub(super) fn seal(seal: store::AuditSeal) -> Result<AuditSeal, Problem> {
    let sealed_at = seal.sealed_at().map_err(Problem::from)?;
    Ok(AuditSeal {
        object: AuditSealObject::AuditSeal,
        chain: seal.chain,
        number: seal.number,
        organization_id: seal.org_id,
        application_id: seal.app_id,
        first_position: seal.first_position,
        last_position: seal.last_position,
        row_count: seal.row_count,
        rows_digest: seal.rows_digest,
        previous: seal.previous,
        digest: seal.digest,
        key_id: seal.key_id,
        signature: seal.signature,
        sealed_at: sealed_at.into(),
    })
}

pub(super) fn public_key(key: store::AuditKey) -> AuditPublicKey {
    AuditPublicKey {
        object: AuditPublicKeyObject::AuditPublicKey,
        id: key.id,
        algorithm: "Ed25519".to_owned(),
        public_key: key.public_key,
        created_at: key.created_at.into(),
    }
}
