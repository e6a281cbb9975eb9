//! A run's state as streams tell it: a function of the run and of the event that has changed it.

use domain::RunStatus;
use store::{RunOutline, RunRecord};
use wire::api::run_update::{RunUpdate, RunUpdateObject};
use wire::run_event::RunEvent;

use crate::run_log;

/// The run as it stood after the event; without one, as it stands now. What a run is never changes, so it comes from its row, which
/// may be ahead of the event in all else.
pub(crate) fn update(run: RunOutline, at: Option<(&RunRecord, &RunEvent)>) -> RunUpdate {
    let status = match at {
        Some((_, RunEvent::Created { .. })) => RunStatus::Pending,
        Some((_, RunEvent::Started { .. })) => RunStatus::Running,
        Some((_, RunEvent::Ended { status, .. })) => *status,
        _ => run.status,
    };
    let (has_started, has_ended) = (status != RunStatus::Pending, status.is_ended());
    let duration = run.duration_ms().filter(|_| has_ended);
    RunUpdate {
        object: RunUpdateObject::RunUpdate,
        id: run.id,
        org_id: run.org,
        application_id: run.app,
        package_id: run.agent,
        version: run.version,
        status,
        end_user_id: run.end_user,
        user_id: run.user,
        api_key_id: run.key,
        error: run.error.filter(|_| has_ended),
        error_code: run.error_code.filter(|_| has_ended),
        cost: has_ended.then(|| run.cost.as_dollars()),
        cost_nano_usd: has_ended.then_some(run.cost.0),
        created_at: run.created_at.into(),
        started_at: run.started_at.filter(|_| has_started).map(Into::into),
        completed_at: run.completed_at.filter(|_| has_ended).map(Into::into),
        duration,
        seq: at.map(|(record, _)| record.seq),
        event: at.map(|(_, event)| event.name()),
        message: at.map(|(record, event)| run_log::line(run.id, record, event).message),
    }
}

#[cfg(test)]
mod tests {
    use domain::{AppId, NanoUsd, OrgId, RandomIds, RunId};
    use store::EventData;

    use super::*;

    fn ended() -> RunOutline {
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).expect("a time");
        RunOutline {
            id: RunId::new(&RandomIds),
            org: OrgId::new(&RandomIds),
            app: AppId::new(&RandomIds),
            end_user: None,
            agent: None,
            version: None,
            status: RunStatus::Failed,
            user: None,
            key: None,
            error: Some("It broke.".to_owned()),
            error_code: Some("internal".to_owned()),
            cost: NanoUsd(5),
            created_at: at(1),
            started_at: Some(at(2)),
            completed_at: Some(at(4)),
        }
    }

    fn after(event: &RunEvent) -> RunUpdate {
        let record =
            RunRecord { seq: 1, name: event.name().to_owned(), data: EventData::Whole(event.clone()), created_at: ended().created_at };
        update(ended(), Some((&record, event)))
    }

    #[test]
    fn an_update_tells_no_more_than_was_known_after_its_event() {
        let created = after(&RunEvent::Created { agent: "@acme/x".to_owned() });
        assert_eq!((created.status, created.started_at.is_some(), created.error, created.cost), (RunStatus::Pending, false, None, None));
        let started = after(&RunEvent::Started { rung: "namespace".to_owned(), egress: serde_json::Value::Null });
        assert_eq!((started.status, started.started_at.is_some(), started.completed_at.is_some()), (RunStatus::Running, true, false));
        assert_eq!((started.duration, started.event, started.seq), (None, Some("run.started"), Some(1)));
        let end = RunEvent::Ended { status: RunStatus::Failed, failure: None, duration_ms: 2_000, cost: NanoUsd(5) };
        let ended_now = after(&end);
        assert_eq!((ended_now.status, ended_now.duration, ended_now.cost_nano_usd), (RunStatus::Failed, Some(2_000), Some(5)));
        let now = update(ended(), None);
        assert_eq!((now.status, now.error.as_deref(), now.seq, now.event), (RunStatus::Failed, Some("It broke."), None, None));
    }
}
