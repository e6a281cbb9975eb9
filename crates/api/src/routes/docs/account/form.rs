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
/// scanners of mail open links, and a link works once. Neither is a cookie, where the secret is in the form.
const SCRIPT: &str = "\
for (const form of document.forms) {
  const [button, told] = [form.querySelector('button'), form.nextElementSibling];
  const { done, session } = form.dataset;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = '';
    try {
      const body = JSON.stringify(Object.fromEntries(new FormData(form)));
      const headers = { 'Content-Type': 'application/json' };
      const credentials = session === undefined ? 'omit' : 'same-origin';
      const answer = await fetch(form.getAttribute('action'), { method: 'POST', credentials, headers, body });
      if (answer.ok && done === undefined) {
        location.reload();
        return;
      }
      if (answer.ok) {
        form.hidden = true;
        told.textContent = done;
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
    /// Relative to the page: the server's address may have a path of its own.
    pub(super) action: &'a str,
    /// Sent as it is.
    pub(super) token: Option<&'a str>,
    pub(super) fields: &'a [Field<'a>],
    pub(super) button: &'a str,
    pub(super) done: Done<'a>,
    /// Whether the visitor's session is sent along, or opened.
    pub(super) session: bool,
}

/// What follows when the API has agreed.
pub(super) enum Done<'a> {
    /// The page says that this is so.
    Says(&'a str),
    /// The page is opened again: it shows what is next.
    Reloads,
}

/// What somebody types in.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    Email,
    /// Only one address will do.
    KnownEmail(&'a str),
    Name,
    /// Of an account.
    Password,
    /// Of an account that is made.
    FirstPassword,
    /// In place of another.
    NewPassword,
}

impl Field<'_> {
    fn html(self) -> String {
        let (label, name, rest) = match self {
            Self::Email => ("E-mail", self.name(), "type=\"email\" maxlength=\"320\" autocomplete=\"email\" required".to_owned()),
            Self::KnownEmail(email) => {
                ("E-mail", self.name(), format!("type=\"email\" value=\"{}\" autocomplete=\"username\" readonly", escape(email)))
            }
            Self::Name => ("Name", self.name(), "maxlength=\"200\" autocomplete=\"name\" required".to_owned()),
            Self::Password => {
                ("Password", self.name(), "type=\"password\" maxlength=\"256\" autocomplete=\"current-password\" required".to_owned())
            }
            Self::FirstPassword | Self::NewPassword => {
                let label = if matches!(self, Self::NewPassword) { "New password" } else { "Password" };
                let rest = "type=\"password\" minlength=\"8\" maxlength=\"256\" autocomplete=\"new-password\" required";
                (label, self.name(), rest.to_owned())
            }
        };
        format!("<label>{label} <input name=\"{name}\" {rest}></label>")
    }

    /// The member of the body.
    const fn name(self) -> &'static str {
        match self {
            Self::Email | Self::KnownEmail(_) => "email",
            Self::Name => "name",
            Self::Password | Self::FirstPassword => "password",
            Self::NewPassword => "newPassword",
        }
    }
}

impl Form<'_> {
    /// The form, and how to do the same without scripts.
    pub(super) fn html(&self, base: &str) -> String {
        let session = if self.session { " data-session" } else { "" };
        let done = match self.done {
            Done::Says(text) => format!(" data-done=\"{}\"", escape(text)),
            Done::Reloads => String::new(),
        };
        let mut html = format!("<form method=\"post\" action=\"{}\"{done}{session}>", escape(self.action));
        if let Some(token) = self.token {
            write!(html, "<input type=\"hidden\" name=\"token\" value=\"{}\">", escape(token)).expect("writing to text");
        }
        html.extend(self.fields.iter().map(|field| field.html()));
        write!(
            html,
            "<button>{}</button></form><p role=\"status\"></p><noscript><p>Without scripts:</p><pre>{}</pre></noscript>",
            escape(self.button),
            escape(&self.call(base))
        )
        .expect("writing to text");
        html
    }

    /// The call for those who send it by themselves. What others have chosen is not in it: it is made to be put into a shell.
    pub(super) fn call(&self, base: &str) -> String {
        let mut members: Vec<_> = self.token.iter().map(|token| format!("\"token\":\"{token}\"")).collect();
        members.extend(self.fields.iter().map(|field| format!("\"{}\":\"…\"", field.name())));
        let cookies = if self.session { " -b cookies.txt -c cookies.txt" } else { "" };
        let path = self.action.trim_start_matches("../");
        format!("curl{cookies} -X POST {base}/{path} \\\n  -H 'Content-Type: application/json' -d '{{{}}}'", members.join(","))
    }
}

/// A page with forms.
pub(super) fn with_forms(title: &str, body: &str) -> Response {
    page(title, &format!("{body}<script>{SCRIPT}</script>"), &POLICY)
}
