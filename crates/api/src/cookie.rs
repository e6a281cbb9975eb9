//! The session cookie: `HttpOnly`, `SameSite=Lax`, and over https `Secure` under a `__Host-` name.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::Secret;

const NAME: &str = "appstrate_session";
const HOST_NAME: &str = "__Host-appstrate_session";

/// The token in the request's cookie, under either name.
pub(crate) fn token(jar: &CookieJar) -> Option<String> {
    jar.get(HOST_NAME).or_else(|| jar.get(NAME)).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
}

/// The cookie that keeps a session for `seconds`.
pub(crate) fn session(app_url: &url::Url, token: &Secret, seconds: i64) -> String {
    build(app_url, token.expose(), seconds)
}

/// The cookie that forgets a session.
pub(crate) fn forget(app_url: &url::Url) -> String {
    build(app_url, "", 0)
}

fn build(app_url: &url::Url, value: &str, seconds: i64) -> String {
    let secure = app_url.scheme() == "https";
    let mut cookie = Cookie::new(if secure { HOST_NAME } else { NAME }, value.to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(secure);
    format!("{cookie}; Max-Age={seconds}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_makes_a_host_cookie() {
        let cookie = session(&"https://app.example".parse().expect("url"), &"t".into(), 60);
        assert_eq!(cookie, "__Host-appstrate_session=t; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60");
        let cookie = session(&"http://localhost:3000".parse().expect("url"), &"t".into(), 60);
        assert_eq!(cookie, "appstrate_session=t; HttpOnly; SameSite=Lax; Path=/; Max-Age=60");
    }
}
