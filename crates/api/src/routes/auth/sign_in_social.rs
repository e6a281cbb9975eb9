use auth::social::FLOW_SECONDS;
use axum::extract::{RawQuery, State};
use url::Url;

use crate::answer::Answer;
use crate::app::App;
use crate::cookie;
use crate::extract::path::ProviderPath;
use crate::extract::{Can, paging, perm};
use crate::problem::Problem;

/// The longest path to end at, in characters: it travels in a cookie.
const MAX_PATH: usize = 512;

/// Sends the browser to a login provider.
#[utoipa::path(
    get,
    path = "/api/auth/sign-in/social/{provider}",
    operation_id = "signInSocial",
    tag = "Authentication",
    description = "For browsers: redirects to the provider, which sends the browser back to `/api/auth/callback/{provider}`. A provider that this server has no registration with reads as one that does not exist.",
    params(
        ("provider" = String, Path, description = "`google` or `github`.", example = "github"),
        ("redirectTo" = Option<String>, Query, description = "The path of this server to end at, signed in. Default `/`.", example = "/agents")
    ),
    responses((status = 302, description = "To the provider."), (status = 502, description = "The provider could not be reached."))
)]
pub(super) async fn sign_in_social(
    _can: Can<perm::Public>,
    State(app): State<App>,
    ProviderPath(provider): ProviderPath,
    RawQuery(query): RawQuery,
) -> Result<Answer, Problem> {
    let wanted = paging::parameter(query.as_deref(), "redirectTo", MAX_PATH)?.unwrap_or_else(|| "/".to_owned());
    let path = own_path(&app.options.app_url, &wanted)
        .ok_or_else(|| Problem::invalid("/redirectTo", "invalid_value", "must be a path of this server, such as /agents"))?;
    let begun = app.logins.begin(&app.store, &provider, path).await?;
    let cookie = cookie::begin_login(&app.options.app_url, &begun.carried, FLOW_SECONDS);
    Ok(Answer::found(begun.authorize_url.into()).with_cookie(cookie))
}

/// The path as it may follow our origin; `None` for anything that could lead elsewhere. Browsers read `\` as `/`, and skip tabs and
/// line breaks.
fn own_path(app_url: &Url, wanted: &str) -> Option<String> {
    let is_path = wanted.starts_with('/') && !wanted.starts_with("//") && !wanted.contains('\\') && !wanted.contains(char::is_control);
    let url = app_url.join(wanted).ok().filter(|url| is_path && url.origin() == app_url.origin())?;
    Some(url[url::Position::BeforePath..].to_owned()).filter(|path| !path.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_ends_at_a_path_of_this_server_only() {
        let own = |wanted: &str| own_path(&"https://app.example".parse().expect("url"), wanted);
        assert_eq!(own("/").as_deref(), Some("/"));
        assert_eq!(own("/agents?tab=runs#x").as_deref(), Some("/agents?tab=runs#x"));
        for bad in [
            "",
            "agents",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/e",
            "javascript:x",
        ] {
            assert_eq!(own(bad), None, "{bad:?}");
        }
        // Dots could make the second slash.
        assert_eq!(own("/..//evil.example"), None);
    }
}
