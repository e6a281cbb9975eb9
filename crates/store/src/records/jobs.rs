//! What must be done: queued with the change, claimed by workers.

use domain::{JobId, Timestamp};
use sea_orm::ActiveValue::Set;
use serde_json::Value;

use crate::StoreError;
use crate::entities::{self, At, job};
use crate::live::Topic;
use crate::scope::InOrg;
use crate::unit::{Unit, Writing};

/// Work to queue.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// What a worker looks for, such as `run`.
    pub kind: String,
    /// The id of what it is about.
    pub subject: String,
    /// Whatever else the worker needs; never a secret.
    pub payload: Value,
    /// Not before this moment. `None`: now.
    pub due_at: Option<Timestamp>,
}

impl<S: InOrg> Unit<S, Writing> {
    /// Queues the job with the change, and wakes the workers after the commit.
    pub async fn enqueue(&self, job: NewJob) -> Result<JobId, StoreError> {
        let tenant = self.tenant();
        let (id, now) = (JobId::new(tenant.ids()), tenant.now());
        let row = job::ActiveModel {
            id: Set(id.to_string()),
            kind: Set(job.kind),
            subject: Set(job.subject),
            payload: Set(entities::to_json(&job.payload)),
            due_at: Set(At(job.due_at.unwrap_or(now))),
            attempts: Set(0),
            epoch: Set(0),
            created_at: Set(At(now)),
            ..Default::default()
        };
        tenant.append::<job::Entity>(row).await?;
        tenant.wake(Topic::Jobs);
        Ok(id)
    }
}
