//! The platform's own work, outside every tenant. The list of what it can do is closed: each method is here because nobody has a
//! scope yet (a credential comes in), because the work spans tenants (claims, queues), or because it makes a tenant.

mod accounts;
mod health;
mod invitations;
mod keys;
mod leases;
mod sessions;
mod tickets;

pub use self::health::Backlog;
pub use self::invitations::InvitationOffer;
pub use self::keys::KeyLogin;
pub use self::leases::Lease;
pub use self::sessions::{Membership, SessionLogin};
pub use self::tickets::TakenTicket;
use crate::records::audit::{self, Audit, Outcome, QueuedAudit};
use crate::records::{NewEvent, events};
use crate::scope::{InOrg, Scope, SystemScope};
use crate::unit::{AuditFacts, Claim, Draft, Opened, WriteContext, idempotency};
use crate::{Store, StoreError, Write};

/// See [`Store::system`].
#[derive(Clone, Copy, Debug)]
pub struct System<'s> {
    pub(crate) store: &'s Store,
}

impl System<'_> {
    /// Opens a write for users, sessions and new organizations.
    pub async fn write(&self, context: WriteContext) -> Result<Write<SystemScope>, StoreError> {
        self.store.write(&SystemScope(()), context).await
    }

    /// As [`Self::write`], under the context's idempotency key.
    pub async fn begin_write(&self, context: WriteContext) -> Result<Opened<SystemScope>, StoreError> {
        self.store.begin_write(&SystemScope(()), context).await
    }

    /// As [`Store::settle`], for a request outside every organization.
    pub async fn settle(&self, claim: &Claim, answer: &Draft) -> Result<(), StoreError> {
        self.store.settle(&SystemScope(()), claim, answer).await
    }

    /// Queues an audit row of a read, a refusal or a failure in `scope`, and waits until it is committed with others. Never while
    /// holding a [`Write`].
    pub async fn append_audit<S: Scope>(
        &self,
        scope: &S,
        facts: &AuditFacts,
        audit: Option<&Audit>,
        outcome: impl Into<Outcome>,
    ) -> Result<(), StoreError> {
        let inner = &self.store.inner;
        inner.background.run(QueuedAudit(audit::row(inner, scope.tenant(), facts, audit, outcome.into()))).await?;
        facts.recorded.note();
        Ok(())
    }

    /// As [`Self::append_audit`], for a request that never came to have a scope.
    pub async fn append_unscoped_audit(&self, facts: &AuditFacts, outcome: impl Into<Outcome>) -> Result<(), StoreError> {
        self.append_audit(&SystemScope(()), facts, None, outcome).await
    }

    /// As [`Self::append_unscoped_audit`], with what the request was about.
    pub async fn append_unscoped_audit_about(
        &self,
        facts: &AuditFacts,
        audit: &Audit,
        outcome: impl Into<Outcome>,
    ) -> Result<(), StoreError> {
        self.append_audit(&SystemScope(()), facts, Some(audit), outcome).await
    }

    /// Queues an event in `scope` and waits until it is committed with others. Never while holding a [`Write`].
    pub async fn append_event<S: InOrg>(&self, scope: &S, event: NewEvent) -> Result<(), StoreError> {
        events::queue(&self.store.inner, scope.bounds(), event).await
    }

    /// Deletes idempotency records that no longer answer; how many.
    pub async fn prune_idempotency(&self) -> Result<u64, StoreError> {
        idempotency::prune(&self.store.inner, self.store.inner.clock.now()).await
    }
}
