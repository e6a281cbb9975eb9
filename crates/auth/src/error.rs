//! What can go wrong on the way to an identity.

use domain::{Timestamp, UserId};
use store::StoreError;

/// A refused or failed sign-up, sign-in or change of a password.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// `account` is whose password was not given, for the audit log alone: what a client sees must not tell.
    #[error("e-mail and password do not belong together")]
    InvalidCredentials { account: Option<UserId> },
    #[error("the e-mail is in use")]
    EmailTaken,
    /// The password is right.
    #[error("the e-mail was never proven to be the user's")]
    EmailNotVerified { account: UserId },
    #[error("there were too many attempts; the next one is heard at {until}")]
    TooManyAttempts { until: Timestamp },
    #[error("the token is unknown, used or expired")]
    InvalidToken,
    #[error("could not hash a password: {message}")]
    Hash { message: String },
    #[error("the server is stopping")]
    Stopped,
    #[error("could not reach the store")]
    Store(#[from] StoreError),
}
