//! A mail server that keeps what it is given.

use std::sync::Mutex;

use async_trait::async_trait;
use auth::mail::{Mail, MailError, Mailer};

/// The mails of a world, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Vec<Mail>>);

impl Mailbox {
    /// Everything that was sent since the last call.
    pub(crate) fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}
