//! Mail to people: what is sent, and the way out. A server without a way out has none to give: `Option<Arc<dyn Mailer>>`.

mod letters;
mod smtp;

pub(crate) use letters::PER_MAILBOX;
pub use letters::{Letter, Letters};
pub use smtp::{InvalidSender, Security, Smtp, SmtpOptions};

use async_trait::async_trait;

/// One message to one person, as plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// A message that did not go out.
#[derive(Debug, thiserror::Error)]
#[error("could not send a mail: {message}")]
pub struct MailError {
    pub message: String,
}

/// Sends mail. Never called inside a transaction.
#[async_trait]
pub trait Mailer: Send + Sync + std::fmt::Debug {
    /// Hands the message over to a mail server.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;
}
