//! Accepting a run: row, spec, event, job and counters, in the caller's transaction.

use domain::{KeyId, PackageName, RunStatus, UserId};
use sea_orm::ActiveValue::Set;
use serde_json::Value;
use wire::run_event::RunEvent;
use wire::run_spec::RunSpec;

use super::list::Runs;
use super::row::Run;
use super::{claim, events, owner, totals};
use crate::StoreError;
use crate::entities::{At, run, run_spec, to_json};
use crate::unit::Writing;

/// A run that preflight has accepted.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its organization, application and end-user must be those of the scope. Without a version the run is inline.
    pub spec: RunSpec,
    pub input: Value,
    pub config: Value,
    /// The member who starts it from a session.
    pub user: Option<UserId>,
    /// The key that starts it.
    pub key: Option<KeyId>,
}

/// The organization has as many active runs as it may have. Roll the unit back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Runs<'_, Writing> {
    /// Accepts a run; a worker is woken once the unit is committed.
    ///
    /// `most_active` is the number of runs that the organization may have pending or running, this one included; the count is
    /// checked under a lock, so concurrent starts cannot pass it together.
    ///
    /// # Errors
    /// [`StoreError::OutOfReach`] when the spec belongs to another tenant or end-user than the scope.
    pub async fn create(&self, new: &NewRun, most_active: u32) -> Result<Result<Run, Refused>, StoreError> {
        let spec = &new.spec;
        let sight = self.tenant.bounds.sight;
        let own = (self.tenant.bounds.org, sight.app(), sight.end_user());
        if own != (spec.org, Some(spec.app), spec.end_user) {
            return Err(StoreError::OutOfReach);
        }
        owner::hold(&self.tenant).await?;
        if !totals::enter(&self.tenant, most_active).await? {
            return Ok(Err(Refused));
        }
        let end_user = spec.end_user.map(|id| id.to_string());
        let row = self.tenant.insert::<run::Entity>(row(new, end_user.clone(), At(self.tenant.now()))).await?;
        // Only now: a deletion of the application, which the row above waits for, goes on to these counters.
        totals::count(&self.tenant, spec.run).await?;
        let frozen = run_spec::ActiveModel {
            run_id: Set(row.id.clone()),
            end_user_id: Set(end_user),
            spec: Set(to_json(spec)),
            ..Default::default()
        };
        self.tenant.append::<run_spec::Entity>(frozen).await?;
        let run = Run::try_from(row)?;
        events::emit(self.unit, &run, 1, &RunEvent::Created { agent: spec.agent.to_string() }).await?;
        claim::enqueue(self.unit, run.id).await?;
        Ok(Ok(run))
    }
}

fn row(new: &NewRun, end_user: Option<String>, now: At) -> run::ActiveModel {
    let spec = &new.spec;
    let agent: Option<&PackageName> = spec.version.as_ref().map(|_| &spec.agent);
    run::ActiveModel {
        id: Set(spec.run.to_string()),
        end_user_id: Set(end_user),
        agent: Set(agent.map(ToString::to_string)),
        version: Set(spec.version.clone()),
        status: Set(RunStatus::Pending.as_str().to_owned()),
        user_id: Set(new.user.map(|id| id.to_string())),
        key_id: Set(new.key.map(|id| id.to_string())),
        input: Set(to_json(&new.input)),
        config: Set(to_json(&new.config)),
        output: Set(None),
        report: Set(None),
        state: Set(None),
        error: Set(None),
        error_code: Set(None),
        model_id: Set(spec.model.id.map(|id| id.to_string())),
        model_label: Set(super::row::plain(&spec.model.label)),
        proxy_id: Set(spec.proxy.as_ref().map(|proxy| proxy.id.to_string())),
        proxy_label: Set(spec.proxy.as_ref().map(|proxy| super::row::plain(&proxy.label))),
        input_tokens: Set(0),
        output_tokens: Set(0),
        cache_read_tokens: Set(0),
        cache_write_tokens: Set(0),
        cost: Set(0),
        rung: Set(None),
        cancel_requested_at: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        completed_at: Set(None),
        // 1 is `run.created`.
        next_seq: Set(2),
        lease_epoch: Set(0),
        lease_worker: Set(None),
        lease_until: Set(None),
        read_at: Set(None),
        ..Default::default()
    }
}
