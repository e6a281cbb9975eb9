//! Changing a password that is known, and replacing one that is not.

use domain::Secret;
use store::{Store, SystemScope, TokenPurpose, User, Write};

use crate::guess::{self, Guess};
use crate::{AuthError, Passwords, token};

/// A password that its owner has shown to know, and the next one.
#[derive(Debug)]
pub struct Change {
    old: Secret,
    new: Secret,
    guess: Guess,
}

/// What a user sends to change the password.
#[derive(Clone, Debug)]
pub struct Wish {
    pub current: Secret,
    pub new: Secret,
    pub ip: Option<String>,
}

/// Checks the current password and hashes the new one, before any write.
///
/// # Errors
/// [`AuthError::InvalidCredentials`], also for a user without a password; [`AuthError::TooManyAttempts`].
pub async fn check(store: &Store, passwords: &Passwords, user: &User, wish: Wish) -> Result<Change, AuthError> {
    let guess = Guess::begin(store, &user.email, wish.ip.as_deref()).await?;
    let login = store.system().user_by_email(&user.realm, &user.email).await?;
    let old = login.and_then(|login| login.password_hash);
    let is_right = passwords.verify(wish.current, old.as_ref().map(|hash| hash.expose().clone())).await?;
    match old {
        Some(old) if is_right => Ok(Change { old, new: Secret::new(passwords.hash(wish.new).await?), guess }),
        _ => Err(AuthError::InvalidCredentials { account: Some(user.id) }),
    }
}

/// Replaces the password that was checked, and makes the mailed links to a new one void.
///
/// # Errors
/// [`AuthError::InvalidCredentials`]: another change came first.
pub async fn change(write: &Write<SystemScope>, user: &User, change: &Change) -> Result<(), AuthError> {
    // User, tokens, attempts, sessions: the order of `reset`, so that of two writes about one account none waits for what the other holds.
    if !write.users().replace_password(user.id, &change.old, &change.new).await? {
        return Err(AuthError::InvalidCredentials { account: Some(user.id) });
    }
    write.account_tokens().delete_of_user(user.id).await?;
    change.guess.was_right(write).await?;
    Ok(())
}

/// Hashes the password for the owner of a mailed token, before any write. Nothing is computed for tokens that are none.
///
/// # Errors
/// [`AuthError::InvalidToken`].
pub async fn prepare_reset(store: &Store, passwords: &Passwords, token: &Secret, new: Secret) -> Result<Secret, AuthError> {
    let owner = store.system().account_token_owner(&token::hash(token.expose()), TokenPurpose::ResetPassword).await?;
    owner.ok_or(AuthError::InvalidToken)?;
    Ok(Secret::new(passwords.hash(new).await?))
}

/// Uses the token up and sets the password. Whoever was signed in is signed out; the address is proven.
///
/// # Errors
/// [`AuthError::InvalidToken`].
pub async fn reset(write: &Write<SystemScope>, token: &Secret, hash: &Secret) -> Result<User, AuthError> {
    let owner = write.account_tokens().consume(&token::hash(token.expose()), TokenPurpose::ResetPassword).await?;
    let user = write.users().reset_password(owner.ok_or(AuthError::InvalidToken)?, hash).await?.ok_or(AuthError::InvalidToken)?;
    write.account_tokens().delete_of_user(user.id).await?;
    // Attempts before sessions, as at a sign-in.
    guess::forget(write, &user.email).await?;
    write.sessions().delete_of_user(user.id, None).await?;
    Ok(user)
}

/// Uses the token up and marks its owner's address as proven.
///
/// # Errors
/// [`AuthError::InvalidToken`].
pub async fn verify_email(write: &Write<SystemScope>, token: &Secret) -> Result<domain::UserId, AuthError> {
    let owner = write.account_tokens().consume(&token::hash(token.expose()), TokenPurpose::VerifyEmail).await?;
    let owner = owner.ok_or(AuthError::InvalidToken)?;
    if write.users().set_email_verified(owner).await? { Ok(owner) } else { Err(AuthError::InvalidToken) }
}
