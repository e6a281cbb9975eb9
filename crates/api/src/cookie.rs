//! Cookies: `HttpOnly`, `SameSite=Lax`, and over https `Secure` under a `__Host-` name, which no other host can set.

use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::Secret;

/// A cookie by its two names.
#[derive(Clone, Copy)]
struct Name {
    plain: &'static str,
    host: &'static str,
}

const SESSION: Name = Name { plain: "appstrate_session", host: "__Host-appstrate_session" };
/// A login with another that is under way.
const LOGIN: Name = Name { plain: "appstrate_login", host: "__Host-appstrate_login" };

/// The token in the request's session cookie.
pub(crate) fn token(jar: &CookieJar, app_url: &url::Url) -> Option<String> {
    read(jar, app_url, SESSION)
}

/// The login that this browser has begun.
pub(crate) fn login(jar: &CookieJar, app_url: &url::Url) -> Option<String> {
    read(jar, app_url, LOGIN)
}

/// The cookie that keeps a session for `seconds`.
pub(crate) fn session(app_url: &url::Url, token: &Secret, seconds: i64) -> String {
    build(app_url, SESSION, token.expose(), seconds)
}

/// The token of a session that an answer with these headers opens.
pub(crate) fn opened(headers: &HeaderMap, app_url: &url::Url) -> Option<String> {
    let cookies = headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| Cookie::parse(cookie.to_str().ok()?).ok());
    let jar = cookies.fold(CookieJar::new(), |jar, cookie| jar.add(cookie.into_owned()));
    token(&jar, app_url)
}

/// The cookie that forgets a session.
pub(crate) fn forget(app_url: &url::Url) -> String {
    build(app_url, SESSION, "", 0)
}

/// The cookie that carries a login for `seconds`.
pub(crate) fn begin_login(app_url: &url::Url, carried: &Secret, seconds: i64) -> String {
    build(app_url, LOGIN, carried.expose(), seconds)
}

/// The cookie that forgets a login.
pub(crate) fn end_login(app_url: &url::Url) -> String {
    build(app_url, LOGIN, "", 0)
}

/// Over https only the name that a neighboring host cannot set: otherwise it could sign its visitors in as somebody else here.
fn read(jar: &CookieJar, app_url: &url::Url, name: Name) -> Option<String> {
    let name = if is_secure(app_url) { name.host } else { name.plain };
    jar.get(name).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
}

fn is_secure(app_url: &url::Url) -> bool {
    app_url.scheme() == "https"
}

fn build(app_url: &url::Url, name: Name, value: &str, seconds: i64) -> String {
    let secure = is_secure(app_url);
    let mut cookie = Cookie::new(if secure { name.host } else { name.plain }, value.to_owned());
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
