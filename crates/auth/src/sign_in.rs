//! Opening and closing sessions.

use chrono::TimeDelta;
use domain::{Secret, SessionId, UserId};
use store::{NewSession, Session, Store, User, WriteContext};

use crate::sign_up::{PLATFORM_REALM, canonical_email};
use crate::{AuthError, Passwords, token};

/// How long a session lasts, in seconds: a week.
pub const SESSION_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Where a session is opened from, for its list.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// A session just opened: the only moment at which its token is known.
#[derive(Debug)]
pub struct Opened {
    pub session: Session,
    pub token: Secret,
}

/// Checks e-mail and password. An unknown e-mail takes as long as a wrong password and gets the same answer.
///
/// # Errors
/// [`AuthError::InvalidCredentials`].
pub async fn verify(store: &Store, passwords: &Passwords, email: &str, password: Secret) -> Result<User, AuthError> {
    let login = store.system().user_by_email(PLATFORM_REALM, &canonical_email(email)).await?;
    let (user, hash) = match login {
        Some(login) => (Some(login.user), login.password_hash.map(|hash| hash.expose().clone())),
        None => (None, None),
    };
    let matches = passwords.verify(password, hash).await?;
    user.filter(|_| matches).ok_or(AuthError::InvalidCredentials)
}

/// Opens a session for a user.
pub async fn open(store: &Store, user: UserId, origin: Origin, context: WriteContext) -> Result<Opened, AuthError> {
    let token = token::new_session_token(store.ids());
    let new = NewSession {
        user,
        token_hash: token::hash(token.expose()),
        expires_at: store.clock().now() + TimeDelta::seconds(SESSION_SECONDS),
        ip: origin.ip,
        user_agent: origin.user_agent,
    };
    let write = store.system().write(context).await?;
    let session = write.sessions().create(new).await?;
    write.commit().await?;
    Ok(Opened { session, token })
}

/// Ends a session. `false`: it was gone.
pub async fn close(store: &Store, session: SessionId, context: WriteContext) -> Result<bool, AuthError> {
    let write = store.system().write(context).await?;
    let ended = write.sessions().delete(session).await?;
    write.commit().await?;
    Ok(ended)
}
