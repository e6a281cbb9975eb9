use auth::social::{LoginError, Returned, resolve};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use serde_json::json;
use store::{Audit, AuditFacts, SystemScope, Write};

use super::open;
use crate::answer::Answer;
use crate::app::App;
use crate::cookie;
use crate::extract::path::ProviderPath;
use crate::extract::{Can, paging, perm};
use crate::problem::Problem;

/// The longest code or state that a provider may send, in characters.
const MAX_VALUE: usize = 2048;

/// Signs in whom a login provider sends back.
#[utoipa::path(
    get,
    path = "/api/auth/callback/{provider}",
    operation_id = "signInSocialCallback",
    tag = "Authentication",
    description = "For browsers, sent by the provider: signs in the user whose account at the provider is linked, or who has proven the same e-mail address here and there, or a new one. A refusal that a browser navigates to ends at `/login?error=<code>`; other clients get the problem.",
    params(
        ("provider" = String, Path, description = "`google` or `github`.", example = "github"),
        ("code" = Option<String>, Query, description = "From the provider.", example = "b7a1"),
        ("state" = Option<String>, Query, description = "From the beginning of the login.", example = "q1b2"),
        ("error" = Option<String>, Query, description = "From the provider, which refuses.", example = "access_denied")
    ),
    responses(
        (status = 302, description = "Signed in, to the path that the login began with; or refused, to `/login`."),
        (status = 400, description = "The login was not begun in this browser, or too long ago."),
        (status = 403, description = "The provider refuses, or vouches for no e-mail address."),
        (status = 409, description = "An account with this e-mail exists whose address was never proven here."),
        (status = 502, description = "The provider could not be reached.")
    )
)]
pub(super) async fn sign_in_social_callback(
    can: Can<perm::Public>,
    State(app): State<App>,
    ProviderPath(provider): ProviderPath,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let carried = cookie::login(&CookieJar::from_headers(&headers), &app.options.app_url);
    let outcome = async {
        let value = |name| paging::parameter(query.as_deref(), name, MAX_VALUE);
        let returned = Returned { code: value("code")?, state: value("state")?, error: value("error")? };
        finish(&app, can.facts(), &provider, (returned, carried.as_deref())).await
    };
    // Either way the flow is over.
    let ended = AppendHeaders([(header::SET_COOKIE, cookie::end_login(&app.options.app_url))]);
    match outcome.await {
        Ok((answer, session)) => (ended, AppendHeaders([(header::SET_COOKIE, session)]), answer).into_response(),
        Err(problem) if is_navigation(&headers) => {
            (ended, Answer::found(of_app(&app, &format!("/login?error={}", problem.code.as_str())))).into_response()
        }
        Err(problem) => (ended, problem).into_response(),
    }
}

async fn finish(
    app: &App,
    facts: &AuditFacts,
    provider: &str,
    (returned, carried): (Returned, Option<&str>),
) -> Result<(Answer, String), Problem> {
    let (identity, redirect_to) = match app.logins.finish(&app.store, provider, returned, carried).await {
        Ok(finished) => finished,
        Err(error) if leaves_row(&error) => return Err(refuse(open::begin(app, facts, None).await?, provider, error).await),
        Err(error) => return Err(error.into()),
    };
    let write = open::begin(app, facts, None).await?;
    let user = match resolve(&write, &identity).await {
        Ok(user) => user,
        Err(error) if leaves_row(&error) => return Err(refuse(write, identity.provider, error).await),
        Err(error) => return Err(error.into()),
    };
    let (user_id, provider) = (user.id, identity.provider);
    let (session, cookie) = open::open(app, facts, &write, user).await?;
    write.audit(Audit { subject: Some(session.id.to_string()), detail: json!({ "provider": provider, "user": user_id }) });
    write.reply(302, None).await?;
    Ok((Answer::found(of_app(app, &redirect_to)), cookie))
}

/// Whether the refusal says something about a login: not about what is none, and after a failure no row can be written.
fn leaves_row(error: &LoginError) -> bool {
    !matches!(error, LoginError::UnknownProvider | LoginError::Raced | LoginError::Seal(_) | LoginError::Store(_))
}

/// The refusal of a login, once its audit row is committed.
async fn refuse(write: Write<SystemScope>, provider: &str, error: LoginError) -> Problem {
    let problem = Problem::from(error);
    write.audit(Audit { subject: None, detail: json!({ "provider": provider, "code": problem.code.as_str() }) });
    match write.commit_refused(problem.code).await {
        Ok(()) => problem,
        Err(error) => error.into(),
    }
}

/// A path of ours as a whole address: the dashboard's, which is the API's own.
fn of_app(app: &App, path: &str) -> String {
    format!("{}{path}", app.options.app_url.origin().ascii_serialization())
}

/// Whether a person looks at the answer.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}
