//! A form that is sent as JSON to the API, by the one script that these pages run.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::page;
use super::super::reference::escape;

/// Sends each form as JSON to where it leads and says below it what came of it. Nothing is sent before somebody presses the button:
/// scanners of mail open links, and a link works once. Neither is a cookie: the secret is in the form.
const SCRIPT: &str = "\
for (const form of document.forms) {
  const [button, told] = [form.querySelector('button'), form.nextElementSibling];
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = '';
    try {
      const body = JSON.stringify(Object.fromEntries(new FormData(form)));
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(form.getAttribute('action'), { method: 'POST', credentials: 'omit', headers, body });
      if (answer.ok) {
        form.hidden = true;
        told.textContent = form.dataset.done;
        history.replaceState(null, '', location.pathname);
      } else {
        told.textContent = (await answer.json()).detail;
      }
    } catch {
      told.textContent = 'The server could not be reached. Try again in a moment.';
    }
    button.disabled = false;
  });
}
";

/// This script, the API of this server, and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{hash}'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// What somebody sends by pressing a button.
pub(super) struct Form<'a> {
    /// Below the server's address, which may have a path of its own: every page with a form is at its top.
    pub(super) action: &'a str,
    /// Sent as it is.
    pub(super) token: Option<&'a str>,
    pub(super) field: Option<Field>,
    pub(super) button: &'a str,
    /// What is so when the API has agreed.
    pub(super) done: &'a str,
}

/// What somebody types in.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Email,
    NewPassword,
}

impl Field {
    const fn html(self) -> &'static str {
        match self {
            Self::Email => "<label>E-mail <input name=\"email\" type=\"email\" maxlength=\"320\" autocomplete=\"email\" required></label>",
            Self::NewPassword => {
                "<label>New password <input name=\"newPassword\" type=\"password\" minlength=\"8\" maxlength=\"256\" \
                 autocomplete=\"new-password\" required></label>"
            }
        }
    }

    /// The member of the body, for those who send it by themselves.
    const fn member(self) -> &'static str {
        match self {
            Self::Email => "\"email\":\"…\"",
            Self::NewPassword => "\"newPassword\":\"…\"",
        }
    }
}

impl Form<'_> {
    /// The form, and how to do the same without scripts.
    pub(super) fn html(&self, base: &str) -> String {
        let (action, done) = (escape(self.action), escape(self.done));
        let mut html = format!("<form method=\"post\" action=\"{action}\" data-done=\"{done}\">");
        let mut members = Vec::new();
        if let Some(token) = self.token {
            write!(html, "<input type=\"hidden\" name=\"token\" value=\"{}\">", escape(token)).expect("writing to text");
            members.push(format!("\"token\":\"{token}\""));
        }
        if let Some(field) = self.field {
            html.push_str(field.html());
            members.push(field.member().to_owned());
        }
        let call = format!("curl -X POST {base}/{} \\\n  -H 'Content-Type: application/json' -d '{{{}}}'", self.action, members.join(","));
        write!(
            html,
            "<button>{}</button></form><p role=\"status\"></p><noscript><p>Without scripts:</p><pre>{}</pre></noscript>",
            escape(self.button),
            escape(&call)
        )
        .expect("writing to text");
        html
    }
}

/// A page with forms.
pub(super) fn with_forms(title: &str, body: &str) -> Response {
    page(title, &format!("{body}<script>{SCRIPT}</script>"), &POLICY)
}
