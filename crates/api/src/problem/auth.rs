//! The one place where a sign-up or sign-in error meets a status.

use auth::AuthError;
use domain::Code;

use super::Problem;

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::InvalidCredentials => Self::new(Code::InvalidCredentials, "E-mail and password do not belong together."),
            AuthError::EmailTaken => Self::new(Code::EmailTaken, "The e-mail is in use."),
            AuthError::Stopped => Self::new(Code::Unavailable, "The server is stopping.").retry_after(1),
            AuthError::Hash { .. } => Self::internal(&error),
            AuthError::Store(error) => error.into(),
        }
    }
}
