//! A request to stop, with the reason that the run will end with.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;
use wire::run_event::Failure;

/// Asks a run to stop. Clones share one request; the first reason holds.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: CancellationToken,
    failure: Arc<OnceLock<Failure>>,
}

impl Cancel {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end with `failure`, soon. A later request changes nothing.
    pub fn request(&self, failure: Failure) {
        self.failure.get_or_init(|| failure);
        self.token.cancel();
    }

    /// The reason, once somebody has asked.
    pub fn reason(&self) -> Option<&Failure> {
        self.failure.get()
    }

    /// Returns once somebody has asked. Cancel-safe.
    pub async fn requested(&self) -> Failure {
        self.token.cancelled().await;
        self.failure.get().expect("the reason is set before the token").clone()
    }
}

#[cfg(test)]
mod tests {
    use wire::run_event::FailureCode;

    use super::*;

    #[tokio::test]
    async fn the_first_reason_holds() {
        let cancel = Cancel::new();
        assert_eq!(cancel.reason(), None);
        cancel.clone().request(Failure::new(FailureCode::Cancelled, "first"));
        cancel.request(Failure::new(FailureCode::ServerRestarted, "second"));
        assert_eq!(cancel.requested().await.message, "first");
    }
}
