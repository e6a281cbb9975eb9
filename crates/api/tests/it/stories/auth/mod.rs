mod get_session;
mod sign_in;
mod sign_out;
mod sign_up;

use crate::world::Reply;

/// The session token in the reply's cookie.
fn token(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").expect("a session cookie");
    cookie.split(';').next().and_then(|pair| pair.strip_prefix("appstrate_session=")).expect("the session's name").to_owned()
}
