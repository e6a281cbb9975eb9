//! Opening, prolonging and closing sessions.

use chrono::TimeDelta;
use domain::{Secret, SessionId, Timestamp, UserId};
use store::{NewSession, Session, SessionLogin, Store, StoreError, SystemScope, User, Write, WriteContext};

use crate::guess::Guess;
use crate::sign_up::{PLATFORM_REALM, canonical_email};
use crate::{AuthError, Passwords, token};

/// How long a session lasts from its last day of use, in seconds: a week.
pub const SESSION_SECONDS: i64 = 7 * 24 * 60 * 60;

/// A session in use gets its whole time again once a day, not with each request.
const PROLONGED_EVERY: TimeDelta = TimeDelta::days(1);

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

/// Who wants to sign in, and from where.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub email: String,
    pub password: Secret,
    pub ip: Option<String>,
}

/// A user whose password was given. The guess is taken back in the write that follows.
#[derive(Clone, Debug)]
pub struct Verified {
    pub user: User,
    pub guess: Guess,
}

/// Checks e-mail and password. An unknown e-mail takes as long as a wrong password, gets the same answer, and is slowed down alike.
///
/// # Errors
/// [`AuthError::InvalidCredentials`], [`AuthError::TooManyAttempts`].
pub async fn verify(store: &Store, passwords: &Passwords, credentials: Credentials) -> Result<Verified, AuthError> {
    let email = canonical_email(&credentials.email);
    let guess = Guess::begin(store, &email, credentials.ip.as_deref()).await?;
    let login = store.system().user_by_email(PLATFORM_REALM, &email).await?;
    let (user, hash) = match login {
        Some(login) => (Some(login.user), login.password_hash.map(|hash| hash.expose().clone())),
        None => (None, None),
    };
    let is_right = passwords.verify(credentials.password, hash).await?;
    match user {
        Some(user) if is_right => Ok(Verified { user, guess }),
        other => Err(AuthError::InvalidCredentials { account: other.map(|user| user.id) }),
    }
}

/// Opens a session for a user in this write.
pub async fn open_in(write: &Write<SystemScope>, store: &Store, user: UserId, origin: Origin) -> Result<Opened, StoreError> {
    let token = token::new_session_token(store.ids());
    let new = NewSession {
        user,
        token_hash: token::hash(token.expose()),
        expires_at: end(store.clock().now()),
        ip: origin.ip,
        user_agent: origin.user_agent,
    };
    let session = write.sessions().create(new).await?;
    write.audit_subject(&session.id.to_string());
    Ok(Opened { session, token })
}

/// Opens a session for a user.
pub async fn open(store: &Store, user: UserId, origin: Origin, context: WriteContext) -> Result<Opened, AuthError> {
    let write = store.system().write(context).await?;
    let opened = open_in(&write, store, user, origin).await?;
    write.commit().await?;
    Ok(opened)
}

fn end(now: Timestamp) -> Timestamp {
    now + TimeDelta::seconds(SESSION_SECONDS)
}

/// Gives a session that is in use its whole time again, at most once a day. `Some`: its new end; the cookie must follow.
pub async fn prolong(store: &Store, login: &SessionLogin) -> Result<Option<Timestamp>, StoreError> {
    let whole = end(store.clock().now());
    if whole - login.expires_at < PROLONGED_EVERY {
        return Ok(None);
    }
    Ok(store.system().extend_session(login.session.id, whole).await?.then_some(whole))
}

/// Ends a session. `false`: it was gone.
pub async fn close(store: &Store, session: SessionId, context: WriteContext) -> Result<bool, AuthError> {
    let write = store.system().write(context).await?;
    let ended = write.sessions().delete(session).await?;
    write.commit().await?;
    Ok(ended)
}
