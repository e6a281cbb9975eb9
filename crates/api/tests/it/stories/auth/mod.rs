mod audit;
mod change_password;
mod get_session;
mod guessing;
pub(super) mod pages;
mod reset_password;
mod sessions;
mod sign_in;
mod sign_in_social;
mod sign_out;
mod sign_up;
mod silence;
mod verify_email;

use auth::mail::Mail;

use crate::world::Reply;

/// The session token in the reply's cookie.
fn token(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").expect("a session cookie");
    cookie.split(';').next().and_then(|pair| pair.strip_prefix("appstrate_session=")).expect("the session's name").to_owned()
}

/// The secret in the link of a mail.
fn secret(mail: &Mail) -> String {
    let (_, rest) = mail.text.split_once("?token=").unwrap_or_else(|| panic!("no link: {mail:?}"));
    rest.split_whitespace().next().expect("a token").to_owned()
}
