//! The letters about accounts: each to the mailbox of an account that exists, and not too many of them.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{Secret, UserId};
use store::{Allowance, AttemptBucket, NewAccountToken, Store, StoreError, TokenPurpose, User, WriteContext};
use url::Url;

use super::{Mail, MailError, Mailer};
use crate::sign_up::{PLATFORM_REALM, canonical_email};
use crate::token;

/// What anybody may bring into one mailbox: three of a kind, then fewer and fewer.
pub(crate) const PER_MAILBOX: Allowance = Allowance { free: 3, first: TimeDelta::minutes(1), longest: TimeDelta::minutes(30) };

/// A letter about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// A link that proves the address. Nothing for an address that is proven.
    VerifyEmail,
    /// A link to a new password.
    ResetPassword,
    /// Somebody signed up with an address that has an account: with a link to a new password, which proves the address too, so that
    /// whoever signed up with it first keeps nothing.
    AccountExists,
    /// The password was changed or reset.
    PasswordChanged,
}

impl Letter {
    const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::AccountExists => "account_exists",
            Self::PasswordChanged => "password_changed",
        }
    }

    /// The secret in it, and how long that works.
    fn token(self) -> Option<(TokenPurpose, TimeDelta)> {
        match self {
            Self::VerifyEmail => Some((TokenPurpose::VerifyEmail, TimeDelta::hours(24))),
            Self::ResetPassword | Self::AccountExists => Some((TokenPurpose::ResetPassword, TimeDelta::hours(1))),
            Self::PasswordChanged => None,
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::VerifyEmail => "Confirm your e-mail address",
            Self::ResetPassword => "Choose a new password",
            Self::AccountExists => "You have an account already",
            Self::PasswordChanged => "Your password was changed",
        }
    }

    fn text(self, server: &str, link: &str) -> String {
        match self {
            Self::VerifyEmail => format!(
                "Confirm that this address is yours, and your account at {server} is ready:\n\n{link}\n\n\
                 The link works once, for 24 hours. If you did not sign up, ignore this mail.\n"
            ),
            Self::ResetPassword => format!(
                "Somebody, probably you, asked for a new password for your account at {server}. Choose one here:\n\n{link}\n\n\
                 The link works once, for one hour, and signs you out everywhere. If you did not ask for it, ignore this mail; your password \
                 stays as it is.\n"
            ),
            Self::AccountExists => format!(
                "Somebody, probably you, signed up at {server} with this address, which has an account already. Sign in as before, or \
                 choose a new password here:\n\n{link}\n\n\
                 The link works once, for one hour, and signs you out everywhere. If you did not sign up, ignore this mail; nothing has \
                 changed.\n"
            ),
            Self::PasswordChanged => format!(
                "The password of your account at {server} was changed just now. If that was not you, ask for a new password at once:\n\n\
                 {link}\n"
            ),
        }
    }
}

/// Why a letter did not go out.
#[derive(Debug, thiserror::Error)]
enum LetterError {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// Writes and sends letters about accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Letters {
    store: Store,
    mailer: Arc<dyn Mailer>,
    app_url: Url,
}

impl Letters {
    /// `app_url`: where links lead; the API serves their pages.
    pub fn new(store: Store, mailer: Arc<dyn Mailer>, app_url: Url) -> Self {
        Self { store, mailer, app_url }
    }

    /// Sends the letter to the account with this e-mail address. No account, nothing to prove, or too many letters: nothing happens.
    ///
    /// Takes as long as a mail server takes, so it runs after the answer: its duration would tell whether there is an account.
    pub async fn send(&self, letter: Letter, email: &str) {
        if let Err(error) = self.try_send(letter, email).await {
            tracing::error!(mail.letter = letter.name(), error = reason(&error), "a letter could not be sent");
        }
    }

    async fn try_send(&self, letter: Letter, email: &str) -> Result<(), LetterError> {
        let login = self.store.system().user_by_email(PLATFORM_REALM, &canonical_email(email)).await?;
        let Some(user) = login.map(|login| login.user) else { return Ok(()) };
        if letter == Letter::VerifyEmail && user.email_verified {
            return Ok(());
        }
        let Some(secret) = self.prepare(letter, &user).await? else {
            tracing::info!(user.id = %user.id, mail.letter = letter.name(), "user {} gets no further letter of this kind for now", user.id);
            return Ok(());
        };
        let link = self.link(letter, secret.as_ref());
        let mail = Mail { to: user.email, subject: letter.subject().to_owned(), text: letter.text(self.base(), &link) };
        self.mailer.send(mail).await?;
        Ok(())
    }

    /// The secret of the letter, kept. `None`: the mailbox has had enough.
    async fn prepare(&self, letter: Letter, user: &User) -> Result<Option<Option<Secret>>, StoreError> {
        let write = self.store.system().write(WriteContext::internal()).await?;
        let bucket = AttemptBucket::new(letter.name(), &user.id.to_string(), PER_MAILBOX);
        if letter != Letter::PasswordChanged && write.attempts().take(&[bucket]).await?.is_some() {
            return Ok(None);
        }
        let secret = match letter.token() {
            Some((purpose, lasts)) => Some(self.keep(&write, user.id, purpose, lasts).await?),
            None => None,
        };
        write.commit().await?;
        Ok(Some(secret))
    }

    async fn keep(
        &self,
        write: &store::Write<store::SystemScope>,
        user: UserId,
        purpose: TokenPurpose,
        lasts: TimeDelta,
    ) -> Result<Secret, StoreError> {
        let secret = token::new_session_token(self.store.ids());
        let token_hash = token::hash(secret.expose());
        let expires_at = self.store.clock().now() + lasts;
        write.account_tokens().create(NewAccountToken { user, purpose, token_hash, expires_at }).await?;
        Ok(secret)
    }

    fn base(&self) -> &str {
        self.app_url.as_str().trim_end_matches('/')
    }

    fn link(&self, letter: Letter, secret: Option<&Secret>) -> String {
        let page = match letter {
            Letter::VerifyEmail => "verify-email",
            Letter::ResetPassword | Letter::AccountExists => "reset-password",
            Letter::PasswordChanged => "forgot-password",
        };
        let base = self.base();
        match secret {
            // base64url needs no escaping.
            Some(secret) => format!("{base}/{page}?token={}", secret.expose()),
            None => format!("{base}/{page}"),
        }
    }
}

fn reason(error: &LetterError) -> String {
    match error {
        LetterError::Store(source) => format!("{error}: {source}"),
        LetterError::Mail(source) => source.to_string(),
    }
}
