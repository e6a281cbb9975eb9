//! What can go wrong on the way to an identity.

use store::StoreError;

/// A refused or failed sign-up or sign-in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("e-mail and password do not belong together")]
    InvalidCredentials,
    #[error("the e-mail is in use")]
    EmailTaken,
    #[error("could not hash a password: {message}")]
    Hash { message: String },
    #[error("the server is stopping")]
    Stopped,
    #[error("could not reach the store")]
    Store(#[from] StoreError),
}
