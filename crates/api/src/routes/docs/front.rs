//! `/`: the next steps of somebody who has just started a server.

use axum::extract::State;
use axum::response::Response;

use super::html;
use super::reference::escape;
use crate::app::App;

pub(super) async fn page(State(app): State<App>) -> Response {
    let base = escape(app.options.app_url.as_str().trim_end_matches('/'));
    let sign_up = |option: &str| {
        format!(
            "<pre>curl{option} -X POST {base}/api/auth/sign-up/email \\\n  -H 'Content-Type: application/json' \\\n  \
             -d '{{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"password\":\"correct horse\"}}'</pre>"
        )
    };
    // Where addresses are proven by mail, signing up opens no session.
    let account = if app.mailer.is_some() {
        format!(
            "<li>Sign up with an address whose mail you read:{}</li><li>Open the link in the mail, then sign in:\
             <pre>curl -c cookies.txt -X POST {base}/api/auth/sign-in/email \\\n  -H 'Content-Type: application/json' \\\n  \
             -d '{{\"email\":\"ada@example.com\",\"password\":\"correct horse\"}}'</pre></li>",
            sign_up("")
        )
    } else {
        format!("<li>Sign up:{}</li>", sign_up(" -c cookies.txt"))
    };
    html(
        "Next steps",
        &format!(
            "<h1>Appstrate is running</h1><p>Run AI agents on behalf of your customers.</p><ol>{account}\
             <li>Create an organization:<pre>curl -b cookies.txt -X POST {base}/api/orgs \\\n  -H 'Content-Type: application/json' -d '{{\"name\":\"Acme\"}}'</pre></li>\
             <li>Make an API key for its default application, then an end-user, then a run: the <a href=\"/docs/api-reference\">API reference</a> has every call.</li></ol>\
             <p><code>make run</code> does all of this with a demo tenant and prints the commands.</p>\
             <p><a href=\"/docs/api-reference\">API reference</a> · <a href=\"/api/docs\">Swagger UI</a> · <a href=\"/api/openapi.json\">OpenAPI document</a> · <a href=\"/health\">Health</a></p>"
        ),
    )
}
