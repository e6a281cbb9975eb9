//! Making an account.

use domain::Secret;
use store::{Audit, NewUser, Store, StoreError, User, WriteContext, constraint};

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

/// Creates the user. The password is hashed before the database is touched.
///
/// # Errors
/// [`AuthError::EmailTaken`] when the e-mail is in use.
pub async fn sign_up(store: &Store, passwords: &Passwords, account: SignUp, context: WriteContext) -> Result<User, AuthError> {
    let hash = passwords.hash(account.password).await?;
    let write = store.system().write(context).await?;
    let new = NewUser {
        realm: PLATFORM_REALM.to_owned(),
        email: canonical_email(&account.email),
        name: account.name,
        email_verified: false,
        password_hash: Some(Secret::new(hash)),
    };
    let created = write.users().create(new).await;
    match created {
        Ok(user) => {
            write.audit_subject(&user.id.to_string());
            write.commit().await?;
            Ok(user)
        }
        Err(StoreError::Conflict { constraint }) if constraint == constraint::USER_EMAIL => Err(AuthError::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// What became of a sign-up that nobody may watch.
#[derive(Clone, Debug)]
pub enum Registered {
    New(User),
    /// The address has an account already. Only its mailbox is told.
    Known(User),
}

/// As [`sign_up`], for servers that prove addresses by mail: a known e-mail takes as long, writes as much, and is no error.
pub async fn register(store: &Store, passwords: &Passwords, account: SignUp, context: WriteContext) -> Result<Registered, AuthError> {
    let hash = passwords.hash(account.password).await?;
    let email = canonical_email(&account.email);
    let write = store.system().write(context).await?;
    let known = write.users().by_email(PLATFORM_REALM, &email).await?;
    let registered = if let Some(user) = known {
        Registered::Known(user)
    } else {
        let password_hash = Some(Secret::new(hash));
        let new = NewUser { realm: PLATFORM_REALM.to_owned(), email, name: account.name, email_verified: false, password_hash };
        Registered::New(write.users().create(new).await?)
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
