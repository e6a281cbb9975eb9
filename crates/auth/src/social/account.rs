//! An identity becomes a user: the one that it is linked to, the one with the same proven address, or a new one.

use store::{NewUser, StoreError, SystemScope, User, Write, constraint};

use super::{Identity, LoginError};
use crate::sign_up::{PLATFORM_REALM, canonical_email};

/// Names have at most this many characters, as at sign-up.
const MAX_NAME: usize = 200;

/// The user of the identity, linked or made in this write.
///
/// Equal addresses make one person only when both sides have proven theirs: otherwise whoever signs up first with a foreign address,
/// here or there, would share the account of its owner.
///
/// # Errors
/// [`LoginError::UnverifiedEmail`], [`LoginError::NotLinked`].
pub async fn resolve(write: &Write<SystemScope>, identity: &Identity) -> Result<User, LoginError> {
    if let Some(user) = write.login_identities().user(identity.provider, &identity.subject).await? {
        return Ok(user);
    }
    if !identity.email_verified {
        return Err(LoginError::UnverifiedEmail);
    }
    let email = canonical_email(&identity.email);
    let user = match write.users().by_email(PLATFORM_REALM, &email).await? {
        Some(user) if user.email_verified => user,
        Some(_) => return Err(LoginError::NotLinked),
        None => {
            let name = identity.name.chars().filter(|letter| !letter.is_control()).take(MAX_NAME).collect();
            let new = NewUser { realm: PLATFORM_REALM.to_owned(), email, name, email_verified: true, password_hash: None };
            write.users().create(new).await.map_err(raced)?
        }
    };
    write.login_identities().link(identity.provider, &identity.subject, user.id).await.map_err(raced)?;
    Ok(user)
}

fn raced(error: StoreError) -> LoginError {
    if error.is_conflict(constraint::USER_EMAIL) || error.is_conflict(constraint::LOGIN_IDENTITY) {
        LoginError::Raced
    } else {
        error.into()
    }
}
