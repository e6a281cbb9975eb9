//! Making an account.

use domain::Secret;
use store::{Audit, NewUser, Store, StoreError, SystemScope, User, Write, WriteContext, constraint};

use crate::{AuthError, Passwords};

/// The realm of people who sign in to the platform itself.
pub const PLATFORM_REALM: &str = "platform";

/// What a new account needs. `email` is trimmed and lower-cased here.
#[derive(Clone, Debug)]
pub struct SignUp {
    pub name: String,
    pub email: String,
    pub password: Secret,
}

/// Hashes the password of a new account, before any write.
pub async fn prepare(passwords: &Passwords, account: SignUp) -> Result<NewUser, AuthError> {
    Ok(NewUser {
        realm: PLATFORM_REALM.to_owned(),
        email: canonical_email(&account.email),
        name: account.name,
        email_verified: false,
        password_hash: Some(Secret::new(passwords.hash(account.password).await?)),
    })
}

/// Creates the user in the caller's write.
///
/// # Errors
/// [`AuthError::EmailTaken`] when the e-mail is in use.
pub async fn create(write: &Write<SystemScope>, new: NewUser) -> Result<User, AuthError> {
    write.users().create(new).await.map_err(|error| if is_taken(&error) { AuthError::EmailTaken } else { error.into() })
}

fn is_taken(error: &StoreError) -> bool {
    error.is_conflict(constraint::USER_EMAIL)
}

/// What became of a sign-up that nobody may watch.
#[derive(Clone, Debug)]
pub enum Registered {
    New(User),
    /// The address has an account already. Only its mailbox is told.
    Known(User),
}

/// As [`create`], for servers that prove addresses by mail: a known e-mail takes as long, writes as much, and is no error.
pub async fn register(store: &Store, new: NewUser, context: WriteContext) -> Result<Registered, AuthError> {
    match try_register(store, new.clone(), context.clone()).await {
        // Somebody else took the address between the look and the insert: by now it is known. That two came at once must not show.
        Err(error) if is_taken(&error) => Ok(try_register(store, new, context).await?),
        registered => Ok(registered?),
    }
}

async fn try_register(store: &Store, new: NewUser, context: WriteContext) -> Result<Registered, StoreError> {
    let write = store.system().write(context).await?;
    let registered = match write.users().by_email(&new.realm, &new.email).await? {
        Some(user) => Registered::Known(user),
        None => Registered::New(write.users().create(new).await?),
    };
    let (Registered::New(user) | Registered::Known(user)) = &registered;
    let detail = serde_json::json!({ "known": matches!(registered, Registered::Known(_)) });
    write.audit(Audit { subject: Some(user.id.to_string()), detail });
    write.reply(201, None).await?;
    Ok(registered)
}

/// The form in which e-mails are stored and compared.
pub fn canonical_email(email: &str) -> String {
    email.trim().to_lowercase()
}
