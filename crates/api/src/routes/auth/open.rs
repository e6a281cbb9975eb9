//! What the ways to a session share: one write that carries session, audit row and answer.

use auth::AuthError;
use auth::mail::Letter;
use auth::sign_in::{Origin, SESSION_SECONDS, open_in};
use domain::UserId;
use store::{Audit, AuditFacts, SystemScope, Write, WriteContext};
use wire::api::session::Session;

use crate::app::App;
use crate::problem::Problem;
use crate::{convert, cookie};

/// Opens the write in which this user is signed in.
pub(super) async fn begin(app: &App, facts: &AuditFacts, user: Option<UserId>) -> Result<Write<SystemScope>, Problem> {
    let facts = AuditFacts { user, ..facts.clone() };
    Ok(app.store.system().write(WriteContext::of(facts)).await?)
}

/// Opens a session in this write; it, and its cookie.
pub(super) async fn open(
    app: &App,
    facts: &AuditFacts,
    write: &Write<SystemScope>,
    user: store::User,
) -> Result<(Session, String), Problem> {
    let origin = Origin { ip: facts.ip.clone(), user_agent: facts.user_agent.clone() };
    let opened = open_in(write, &app.store, user.id, origin).await?;
    write.audit(Audit { subject: Some(opened.session.id.to_string()), ..Audit::default() });
    let cookie = cookie::session(&app.options.app_url, &opened.token, SESSION_SECONDS);
    Ok((convert::session(&opened.session, user), cookie))
}

/// The refusal of a password, once its audit row is committed. Refusals unheard leave none: they would fill the log.
pub(super) async fn refuse(app: &App, facts: &AuditFacts, error: AuthError) -> Problem {
    let account = match &error {
        AuthError::InvalidCredentials { account } => *account,
        AuthError::EmailNotVerified { account } => Some(*account),
        _ => return Problem::of_auth(app, error),
    };
    let audit = Audit { subject: account.map(|user| user.to_string()), ..Audit::default() };
    let problem = Problem::of_auth(app, error);
    match app.store.system().append_unscoped_audit_about(facts, &audit, problem.code).await {
        Ok(()) => problem,
        Err(error) => error.into(),
    }
}

/// Mails what has happened already, where there is mail. The change stands whether or not the letter goes out.
pub(super) fn tell(app: &App, letter: Letter, email: &str) {
    let (Ok(letters), email) = (app.letters(), email.to_owned()) else { return };
    match app.place_after_answer() {
        Ok(place) => place.fill(async move { letters.send(letter, &email).await }),
        Err(problem) => tracing::warn!(reason = problem.detail, "a letter about a change of an account was left out"),
    }
}
