use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::{AppId, Decision, EndUserId, KeyId, RequestId, UserId};
use store::InOrg;
use wire::api::audit_log::AuditEntry;
use wire::api::list::List;

use super::export::export;
use super::objects;
use super::query::{AuditQuery, Format};
use crate::answer::Answer;
use crate::app::App;
use crate::chain::authenticate::Standing;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists the audit log.
#[utoipa::path(
    get,
    path = "/api/audit-log",
    operation_id = "listAuditLog",
    tag = "Audit log",
    description = "Who did what for whom: each impersonated request and each change, newest first. With `X-App-Id` or a key the rows of that \
                   application; with a session alone those of the organization that belong to no application, or of the one that `applicationId` names. `format=jsonl` (or `Accept: \
                   application/x-ndjson`) streams all matching rows instead, oldest first, one JSON object a line. Rows get their seal about a \
                   second after they are written.",
    params(
        crate::openapi::PagingParameters,
        ("applicationId" = Option<AppId>, Query, description = "With a session alone: the rows of this application of the organization, also when \
                                                                it is deleted."),
        ("from" = Option<String>, Query, description = "Only rows from this moment on, RFC 3339.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only rows before this moment, RFC 3339.", format = DateTime),
        ("endUserId" = Option<EndUserId>, Query, description = "Only what was done for this end-user."),
        ("apiKeyId" = Option<KeyId>, Query, description = "Only what was done with this key."),
        ("userId" = Option<UserId>, Query, description = "Only what this user did, or keys that the user created."),
        ("permission" = Option<String>, Query, description = "Only requests that asked for this permission.", max_length = 64),
        ("method" = Option<String>, Query, description = "Only requests with this method.", max_length = 16),
        ("decision" = Option<Decision>, Query, description = "Only requests with this decision."),
        ("status" = Option<u16>, Query, description = "Only requests that were answered with this status.", minimum = 100, maximum = 599),
        ("subject" = Option<String>, Query, description = "Only what concerned this id or package.", max_length = 256),
        ("requestId" = Option<RequestId>, Query, description = "Only this request."),
        ("format" = Option<String>, Query, description = "`json` for a page, `jsonl` for everything.")
    ),
    responses((status = 200, description = "A page of rows, or all of them as lines.", content(
        (List<AuditEntry> = "application/json"),
        (AuditEntry = "application/x-ndjson")
    )))
)]
pub(super) async fn list_audit_log(
    can: Can<perm::AuditLogRead>,
    State(app): State<App>,
    Extension(standing): Extension<Standing>,
    paging: Paging,
    query: AuditQuery,
) -> Result<Response, Problem> {
    match &can.app {
        Some(scope) => answer(&can, (app, standing), *scope, (paging, query)).await,
        None => answer(&can, (app, standing), can.scope, (paging, query)).await,
    }
}

async fn answer<S: InOrg>(
    can: &Can<perm::AuditLogRead>,
    (app, standing): (App, Standing),
    scope: S,
    (paging, query): (Paging, AuditQuery),
) -> Result<Response, Problem> {
    if query.format == Format::Lines {
        return Ok(export(app, standing, scope, query.filter));
    }
    let page = can.read_in(&scope).await?.search_audit(&query.filter, paging.into()).await?;
    let page = page.try_map(|row| Ok::<_, Problem>(objects::entry(row)))?;
    Ok(Answer::list(page, paging)?.into_response())
}
