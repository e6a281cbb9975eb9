//! The one place where a sign-up or sign-in error meets a status.

use auth::AuthError;
use auth::social::LoginError;
use domain::Code;

use super::Problem;
use crate::app::App;

impl Problem {
    /// The problem of a refused sign-up or sign-in. Needs the time, for `Retry-After`.
    pub(crate) fn of_auth(app: &App, error: AuthError) -> Self {
        match error {
            AuthError::TooManyAttempts { until } => {
                let milliseconds = (until - app.now()).num_milliseconds();
                let seconds = u64::try_from(milliseconds).unwrap_or_default().div_ceil(1000);
                Self::new(Code::TooManyAttempts, "There were too many attempts. Wait before the next one.").retry_after(seconds.max(1))
            }
            error => error.into(),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::InvalidCredentials { .. } => Self::new(Code::InvalidCredentials, "E-mail and password do not belong together."),
            AuthError::EmailTaken => Self::new(Code::EmailTaken, "The e-mail is in use."),
            AuthError::EmailNotVerified { .. } => Self::new(Code::EmailNotVerified, "The e-mail address was not confirmed yet."),
            AuthError::TooManyAttempts { .. } => {
                Self::new(Code::TooManyAttempts, "There were too many attempts. Wait before the next one.").retry_after(1)
            }
            AuthError::InvalidToken => Self::new(Code::InvalidToken, "The link is unknown, used or expired."),
            AuthError::Stopped => Self::new(Code::Unavailable, "The server is stopping.").retry_after(1),
            AuthError::Hash { .. } => Self::internal(&error),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::UnknownProvider => Self::not_found(),
            LoginError::ForeignFlow => {
                Self::new(Code::InvalidRequest, "The login was not begun in this browser, or too long ago. Begin again.").param("state")
            }
            // The provider's own word is not repeated: it comes from the browser.
            LoginError::Denied(_) => Self::new(Code::LoginRefused, "The provider did not sign the caller in."),
            LoginError::UnverifiedEmail => {
                Self::new(Code::LoginRefused, "The provider does not vouch for an e-mail address of the account.")
            }
            LoginError::NotLinked => {
                Self::new(Code::AccountNotLinked, "An account with this e-mail exists, and its address was never confirmed here.")
            }
            LoginError::Raced => Self::new(Code::Conflict, "Another login of the same account came in between. Begin again."),
            LoginError::Provider { .. } => {
                tracing::warn!(%error, "a login provider failed");
                Self::new(Code::LoginProviderFailed, "The login provider could not be reached or answered something unexpected.")
            }
            LoginError::Seal(_) => Self::internal(&error),
            LoginError::Store(error) => error.into(),
        }
    }
}
