//! `/invite/{token}`: where the link of an invitation leads. It says what `GET /api/invitations/{token}` tells whoever holds the link, and
//! who is signed in here.

use auth::invitation::{InvitationError, find_open};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use domain::Code;
use store::{InvitationOffer, StoreError, User};

use super::super::html;
use super::super::reference::{escape, prose};
use super::form::{Done, Field, Form, with_forms};
use super::{base, others};
use crate::app::App;
use crate::cookie;
use crate::extract::TokenPath;
use crate::routes::invitations::refused;

/// From this page to the server's address, which may have a path of its own.
const TOP: &str = "../";

pub(in crate::routes::docs) async fn page(State(app): State<App>, TokenPath(token): TokenPath, headers: HeaderMap) -> Response {
    let offer = match find_open(&app.store, &token).await {
        Ok(offer) => offer,
        Err(InvitationError::NotFound) => return html("No such invitation", UNKNOWN),
        Err(InvitationError::Closed) => return closed(),
        Err(error) => return refused(&app, error).into_response(),
    };
    match visitor(&app, &headers).await {
        Ok(visitor) => open(&app, &token, &offer, visitor.as_ref()),
        Err(error) => refused(&app, error.into()).into_response(),
    }
}

/// Who is signed in here. Pages stand outside the chain that finds out for the API.
async fn visitor(app: &App, headers: &HeaderMap) -> Result<Option<User>, StoreError> {
    let Some(token) = cookie::token(&CookieJar::from_headers(headers), &app.options.app_url) else { return Ok(None) };
    Ok(app.store.system().session_by_hash(&auth::token::hash(&token)).await?.map(|login| login.user))
}

const UNKNOWN: &str = "<h1>No such invitation</h1><p>The link is not whole, or the invitation was canceled or replaced by a newer one. \
                       Open the whole link of the newest invitation, or ask for another.</p>";

fn closed() -> Response {
    let (title, step) = (Code::InvitationExpired.title(), prose(Code::InvitationExpired.next_step()));
    html(title, &format!("<h1>{title}</h1><p>{step}</p><p><a href=\"{TOP}login\">Sign in</a></p>"))
}

/// Whoever has an account accepts as the one who is signed in; whoever has none makes it here.
fn open(app: &App, token: &str, offer: &InvitationOffer, visitor: Option<&User>) -> Response {
    let done = format!("You are a member of {}.", offer.org_name);
    let accept = Form {
        action: &format!("{TOP}api/invitations/{token}/accept"),
        token: None,
        fields: if offer.user.is_some() { &[] } else { &[Field::Name, Field::FirstPassword] },
        button: "Accept",
        done: Done::Says(&done),
        session: true,
    };
    let email = escape(&offer.email);
    let somebody = visitor.map(|user| format!("<p>You are signed in as {}.</p>", escape(&user.email))).unwrap_or_default();
    let how = match (offer.user, visitor) {
        (Some(invited), Some(user)) if invited == user.id => format!("{somebody}{}", accept.html(base(app))),
        (Some(_), _) => format!("{somebody}<p>Sign in as {email} to accept.</p>{}", sign_in(app, token, offer, &accept)),
        (None, _) => {
            format!("{somebody}<p>{email} has no account yet. Accepting makes it, and signs you in.</p>{}", accept.html(base(app)))
        }
    };
    let (inviter, organization) = (escape(offer.inviter_name.as_deref().unwrap_or("Somebody")), escape(&offer.org_name));
    let role = offer.role.as_str();
    with_forms("Invitation", &format!("<h1>{inviter} invites you to {organization}</h1><p>As {role}, for {email}.</p>{how}"))
}

/// Signs the invited one in, and comes back to this page.
fn sign_in(app: &App, token: &str, offer: &InvitationOffer, next: &Form<'_>) -> String {
    let form = Form {
        action: &format!("{TOP}api/auth/sign-in/email"),
        token: None,
        fields: &[Field::KnownEmail(&offer.email), Field::Password],
        button: "Sign in",
        done: Done::Reloads,
        session: true,
    };
    let then = format!("<noscript><pre>{}</pre></noscript>", escape(&next.call(base(app))));
    format!("{}{then}{}", form.html(base(app)), others(app, TOP, &format!("invite/{token}")))
}
