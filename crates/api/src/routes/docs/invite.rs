//! `/invite/{token}`: where the link of an invitation leads until there is a dashboard: who invites, and how to accept.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::html;
use super::reference::escape;
use crate::app::App;
use crate::extract::TokenPath;
use crate::routes::invitations::refused;

pub(super) async fn page(State(app): State<App>, TokenPath(token): TokenPath) -> Response {
    let offer = match auth::invitation::find_open(&app.store, &token).await {
        Ok(offer) => offer,
        Err(error) => return refused(&app, error).into_response(),
    };
    let url = escape(&format!("{}/api/invitations/{token}/accept", app.options.app_url.as_str().trim_end_matches('/')));
    let inviter = escape(offer.inviter_name.as_deref().unwrap_or("Somebody"));
    let (organization, email, role) = (escape(&offer.org_name), escape(&offer.email), offer.role.as_str());
    let how = if offer.user.is_some() {
        format!("<p>Sign in as {email}, then accept:</p><pre>curl -b cookies.txt -X POST {url}</pre>")
    } else {
        format!(
            "<p>Choose a name and a password:</p><pre>curl -c cookies.txt -X POST {url} \\\n  -H 'Content-Type: application/json' \
             -d '{{\"name\":\"…\",\"password\":\"…\"}}'</pre>"
        )
    };
    html("Invitation", &format!("<h1>{inviter} invites you to {organization}</h1><p>As {role}, for {email}.</p>{how}"))
}
