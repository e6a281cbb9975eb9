use axum::extract::State;
use store::Paged;
use wire::api::audit_log::AuditPublicKey;
use wire::api::list::List;

use super::objects;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists the public keys of the audit log.
#[utoipa::path(
    get,
    path = "/api/audit-log/public-keys",
    operation_id = "listAuditPublicKeys",
    tag = "Audit log",
    description = "The keys that this server's seals are checked with, newest first; retired ones stay. They are the same for every organization.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of public keys.", body = List<AuditPublicKey>))
)]
pub(super) async fn list_audit_public_keys(
    _can: Can<perm::AuditLogRead>,
    State(app): State<App>,
    paging: Paging,
) -> Result<Answer, Problem> {
    // One for each master key that the server ever had.
    let keys = app.store.system().audit_keys().await?;
    let total = keys.len() as u64;
    let skipped = usize::try_from((paging.page - 1) * paging.page_size).unwrap_or(usize::MAX);
    let size = usize::try_from(paging.page_size).unwrap_or(usize::MAX);
    let items = keys.into_iter().skip(skipped).take(size).map(objects::public_key).collect();
    Answer::list(Paged { items, total }, paging)
}
