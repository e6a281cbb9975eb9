use domain::AppId;
use wire::api::audit_log::AuditSeal;
use wire::api::list::List;

use super::objects;
use super::query::OfApplication;
use crate::answer::Answer;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists the seals of the audit log.
#[utoipa::path(
    get,
    path = "/api/audit-log/seals",
    operation_id = "listAuditSeals",
    tag = "Audit log",
    description = "The signed seals over the same rows that the audit log lists, newest first. Number and digest of one, written down elsewhere, \
                   pin everything up to it: nobody can change it afterwards without being found out.",
    params(
        crate::openapi::PagingParameters,
        ("applicationId" = Option<AppId>, Query, description = "With a session alone: the seals of this application of the organization, also when \
                                                                it is deleted.")
    ),
    responses((status = 200, description = "A page of seals.", body = List<AuditSeal>))
)]
pub(super) async fn list_audit_seals(
    can: Can<perm::AuditLogRead>,
    paging: Paging,
    OfApplication(app): OfApplication,
) -> Result<Answer, Problem> {
    let page = match &can.app {
        Some(scope) => can.read_in(scope).await?.audit_seals_of(app, paging.into()).await?,
        None => can.read_org().await?.audit_seals_of(app, paging.into()).await?,
    };
    Answer::list(page.try_map(objects::seal)?, paging)
}
