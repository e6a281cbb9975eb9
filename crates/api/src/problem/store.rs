//! The one place where a store error meets a status.

use domain::Code;
use store::{StoreError, constraint};

use super::Problem;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict { constraint } if constraint == constraint::IDEMPOTENCY_KEY => store::Earlier::InFlight.into(),
            StoreError::Overtaken => store::Earlier::InFlight.into(),
            // A collision that the handler did not expect and name itself.
            StoreError::Conflict { .. } => Self::new(Code::Conflict, "The resource exists already."),
            StoreError::Reference { .. } => Self::new(Code::Conflict, "The resource is in use, or refers to one that no longer exists."),
            StoreError::InUse => Self::new(Code::Conflict, "The resource is in use."),
            StoreError::OutOfReach => Self::new(Code::Forbidden, "The resource belongs to an owner outside the caller's reach."),
            StoreError::Unavailable { .. } | StoreError::Closed => {
                tracing::warn!(%error, "the database is not available");
                Self::new(Code::Unavailable, "The service is not available right now.").retry_after(1)
            }
            StoreError::Options(_)
            | StoreError::RoleMissing { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Seal(_)
            | StoreError::Blob(_)
            | StoreError::File(_)
            | StoreError::Database { .. } => Self::internal(&error),
        }
    }
}
