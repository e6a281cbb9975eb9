//! `/docs/versions`: what each version changed, and until when an old one answers.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Response;

use super::html;
use crate::app::App;
use crate::versions::{DEFAULT, RELEASES};

pub(super) async fn page(State(app): State<App>) -> Response {
    let mut body = String::from(
        "<h1>API versions</h1><p>A request names its version in <code>Appstrate-Version</code>; otherwise the organization's pin counts, \
         and without a pin the default.</p>",
    );
    for release in RELEASES.iter().rev() {
        let date = release.version.as_str();
        let default = if release.version == DEFAULT { " (default)" } else { "" };
        write!(body, "<h2 id=\"{date}\">{date}{default}</h2>").expect("writing to text");
        if let Some(deprecation) = app.deprecation(release.version) {
            let (since, sunset) = (deprecation.since, deprecation.sunset);
            write!(body, "<p>Deprecated since {since}; it may be withdrawn from {sunset} on. Move to a later version before.</p>")
                .expect("writing to text");
        }
        body.push_str("<ul>");
        for note in release.notes {
            write!(body, "<li>{}</li>", code(note)).expect("writing to text");
        }
        write!(body, "</ul><p><a href=\"/api/openapi.json?version={date}\">OpenAPI document</a></p>").expect("writing to text");
    }
    html("API versions", &body)
}

/// The note with its backquotes as code.
fn code(note: &str) -> String {
    let note = note.replace('&', "&amp;").replace('<', "&lt;");
    note.split('`').enumerate().map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}
