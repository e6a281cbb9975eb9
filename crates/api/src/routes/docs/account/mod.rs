//! The pages that mails about accounts and invitations lead to, and the one to sign in on. A person can finish on them; opening one
//! changes nothing.

mod form;
mod invite;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::Code;

use self::form::{Done, Field, Form, with_forms};
pub(super) use self::invite::page as invite;
use super::html;
use super::reference::{escape, prose};
use crate::app::App;
use crate::extract::paging;

/// No parameter of these pages is longer.
const MAX_VALUE: usize = 256;

/// The parameter, if there is one to use. Whoever has broken a link is told what to do by the page.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    paging::parameter(query, name, MAX_VALUE).ok().flatten()
}

/// The secret of the link, if it has the form of one.
fn token(query: Option<&str>) -> Option<String> {
    parameter(query, "token").filter(|token| auth::token::is_account_token(token))
}

fn base(app: &App) -> &str {
    app.options.app_url.as_str().trim_end_matches('/')
}

/// `/verify-email?token=`: the link of a letter that proves an address.
pub(super) async fn verify_email(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let again = Form {
        action: "api/auth/send-verification-email",
        token: None,
        fields: &[Field::Email],
        button: "Send a new link",
        done: Done::Says("If the address has an account that is not confirmed, a mail is on its way."),
        session: false,
    };
    let again = format!("<h2>A new link</h2><p>A link works once, for 24 hours.</p>{}", again.html(base(&app)));
    let Some(token) = token(query.as_deref()) else {
        return with_forms("Confirm your e-mail address", &format!("{INCOMPLETE}{again}"));
    };
    let confirm = Form {
        action: "api/auth/verify-email",
        token: Some(&token),
        fields: &[],
        button: "Confirm",
        done: Done::Says("Your e-mail address is confirmed. You can sign in now."),
        session: false,
    };
    let confirm = confirm.html(base(&app));
    with_forms(
        "Confirm your e-mail address",
        &format!("<h1>Confirm your e-mail address</h1><p>Press the button, and your account is ready.</p>{confirm}{again}"),
    )
}

/// `/reset-password?token=`: the link of a letter to a new password.
pub(super) async fn reset_password(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let again = "<p>A link works once, for one hour. <a href=\"forgot-password\">Ask for a new one.</a></p>";
    let Some(token) = token(query.as_deref()) else {
        return with_forms("Choose a new password", &format!("{INCOMPLETE}{again}"));
    };
    let choose = Form {
        action: "api/auth/reset-password",
        token: Some(&token),
        fields: &[Field::NewPassword],
        button: "Set the password",
        done: Done::Says("The password is set, and you are signed out everywhere. Sign in with it."),
        session: false,
    };
    let choose = choose.html(base(&app));
    with_forms("Choose a new password", &format!("<h1>Choose a new password</h1><p>8 to 256 characters.</p>{choose}{again}"))
}

/// `/forgot-password`: asks for a link to a new password.
pub(super) async fn forgot_password(State(app): State<App>) -> Response {
    if app.mailer.is_none() {
        let (title, step) = (Code::MailNotConfigured.title(), prose(Code::MailNotConfigured.next_step()));
        return html(title, &format!("<h1>{title}</h1><p>{step}</p>"));
    }
    let ask = Form {
        action: "api/auth/forgot-password",
        token: None,
        fields: &[Field::Email],
        button: "Send a link",
        done: Done::Says("If the address has an account, a mail is on its way."),
        session: false,
    };
    let ask = ask.html(base(&app));
    with_forms(
        "Ask for a new password",
        &format!("<h1>Ask for a new password</h1><p>A link to choose one with is mailed to the address of your account.</p>{ask}"),
    )
}

/// `/login?error=<code>`: to sign in on, and where a login with others ends that was refused.
pub(super) async fn login(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let error = parameter(query.as_deref(), "error");
    let refusal = Code::ALL.iter().find(|code| Some(code.as_str()) == error.as_deref()).map_or_else(
        || "<h1>Sign in</h1>".to_owned(),
        |code| {
            let (title, slug) = (code.title(), code.slug());
            format!(
                "<h1>{title}</h1><p>{}</p><p><a href=\"docs/errors/{slug}\"><code>{}</code></a></p>",
                prose(code.next_step()),
                code.as_str()
            )
        },
    );
    let sign_in = Form {
        action: "api/auth/sign-in/email",
        token: None,
        fields: &[Field::Email, Field::Password],
        button: "Sign in",
        done: Done::Says("You are signed in."),
        session: true,
    };
    let sign_in = sign_in.html(base(&app));
    with_forms("Sign in", &format!("{refusal}<h2>Sign in with a password</h2>{sign_in}{}", others(&app, "", "")))
}

/// The other ways to a session: a new password, and the providers. `top` leads from the page to the server's address; a login with a
/// provider ends on `back`, below that.
fn others(app: &App, top: &str, back: &str) -> String {
    let path = app.options.app_url.path().trim_end_matches('/');
    let links = app.logins.offered().map(|(provider, name)| {
        let href = escape(&format!("{top}api/auth/sign-in/social/{provider}?redirectTo={path}/{back}"));
        format!("<p><a href=\"{href}\">Sign in with {name}</a></p>")
    });
    let forgotten = app.mailer.is_some().then(|| format!("<p><a href=\"{top}forgot-password\">Ask for a new password</a></p>"));
    links.chain(forgotten).collect()
}

const INCOMPLETE: &str = "<h1>The link is not whole</h1><p>Copy the whole link out of the mail, and open it again.</p>";
