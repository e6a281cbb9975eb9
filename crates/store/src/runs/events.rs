//! The events of one run: how they are stored, and reading them by number.

use domain::{EventId, IdSource, RunId, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, Order};
use serde::{Deserialize, Serialize};
use wire::run_event::RunEvent;

use super::row::Run;
use crate::entities::{At, event, json, parse, parse_some, run, to_json};
use crate::live::Topic;
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit};
use crate::{BlobKey, Blobs, NewEvent, Store, StoreError, Write};

/// The largest event that stands in its row, in bytes of JSON; a larger one is a blob, and the row names it.
const LARGEST_IN_ROW: usize = 32 * 1024;

/// Whose an event is, as the row of its run says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventOwner {
    pub(super) run: String,
    pub(super) org: String,
    pub(super) app: String,
    pub(super) end_user: Option<String>,
}

impl EventOwner {
    pub(super) fn of(row: &run::Model) -> Self {
        Self { run: row.id.clone(), org: row.org_id.clone(), app: row.app_id.clone(), end_user: row.end_user_id.clone() }
    }

    /// The topics of those who follow the run, its application, and its end-user.
    pub(super) fn topics(&self) -> Result<impl Iterator<Item = Topic> + use<>, StoreError> {
        const WHAT: &str = "the owner of a run";
        let of_all = [Topic::Run(parse(&self.run, WHAT)?), Topic::Application(parse(&self.app, WHAT)?)];
        let end_user = parse_some(self.end_user.as_deref(), WHAT)?.map(Topic::EndUser);
        Ok(of_all.into_iter().chain(end_user))
    }
}

/// An event as it goes into a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    kind: &'static str,
    data: String,
}

#[derive(Serialize, Deserialize)]
struct LargeEvent<'a> {
    r#type: std::borrow::Cow<'a, str>,
    blob: String,
    bytes: u64,
}

impl Encoded {
    /// For events that are small by their nature.
    pub(super) fn small(event: &RunEvent) -> Self {
        Self { kind: event.name(), data: to_json(event) }
    }

    /// Whether the event is in a blob.
    pub(super) fn is_large(&self) -> bool {
        serde_json::from_str::<LargeEvent>(&self.data).is_ok()
    }

    /// Puts a large event into a blob of its run first.
    pub(super) async fn new(event: &RunEvent, run: RunId, blobs: &Blobs) -> Result<Self, StoreError> {
        let whole = Self::small(event);
        if whole.data.len() <= LARGEST_IN_ROW {
            return Ok(whole);
        }
        let bytes = whole.data.len() as u64;
        let key = blobs.put_of_run(run, whole.data.into_bytes().into()).await?;
        let large = LargeEvent { r#type: whole.kind.into(), blob: key.to_string(), bytes };
        Ok(Self { kind: whole.kind, data: to_json(&large) })
    }

    pub(super) fn row(&self, owner: &EventOwner, seq: i64, ids: &dyn IdSource, now: Timestamp) -> event::ActiveModel {
        event::ActiveModel {
            id: Set(EventId::new(ids).to_string()),
            org_id: Set(owner.org.clone()),
            app_id: Set(Some(owner.app.clone())),
            end_user_id: Set(owner.end_user.clone()),
            kind: Set(self.kind.to_owned()),
            subject: Set(owner.run.clone()),
            run_id: Set(Some(owner.run.clone())),
            seq: Set(Some(seq)),
            data: Set(self.data.clone()),
            created_at: Set(At(now)),
            ..Default::default()
        }
    }
}

/// Writes a small event in a tenant's own transaction.
pub(super) async fn emit(unit: &Write<AppScope>, run: &Run, seq: i64, event: &RunEvent) -> Result<(), StoreError> {
    let corrupt = StoreError::Corrupt { what: "the number of an event" };
    unit.emit(NewEvent {
        kind: event.name().to_owned(),
        subject: run.id.to_string(),
        // An application's key may end an end-user's run; the event is the end-user's all the same.
        end_user: run.end_user,
        run: Some((run.id, u64::try_from(seq).map_err(|_| corrupt)?)),
        data: serde_json::to_value(event).expect("an event is JSON"),
    })
    .await
}

/// One event of a run, with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// From 1, without gaps.
    pub seq: i64,
    /// The event's name, also when the event itself is large.
    pub name: String,
    pub data: EventData,
    pub created_at: Timestamp,
}

/// The event itself, or where it is.
#[derive(Clone, Debug, PartialEq)]
pub enum EventData {
    Whole(RunEvent),
    /// Above 32 KiB. [`Store::whole_event`] reads it.
    Large {
        run: RunId,
        blob: BlobKey,
        bytes: u64,
    },
}

impl TryFrom<event::Model> for RunRecord {
    type Error = StoreError;

    fn try_from(row: event::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "an event of a run";
        let seq = row.seq.ok_or(StoreError::Corrupt { what: WHAT })?;
        let data = match serde_json::from_str::<LargeEvent>(&row.data) {
            Ok(large) => {
                let run = parse_some(row.run_id.as_deref(), WHAT)?.ok_or(StoreError::Corrupt { what: WHAT })?;
                EventData::Large { run, blob: large.blob.parse()?, bytes: large.bytes }
            }
            Err(_) => EventData::Whole(json(&row.data, WHAT)?),
        };
        Ok(Self { seq, name: row.kind, data, created_at: row.created_at.0 })
    }
}

/// The events of runs, as far as the scope reaches.
#[derive(Debug)]
pub struct RunEvents<'u, M> {
    pub(super) tenant: Tenant<'u, M>,
}

impl<M: Mode> Unit<AppScope, M> {
    pub fn run_events(&self) -> RunEvents<'_, M> {
        RunEvents { tenant: self.tenant() }
    }
}

impl<M> RunEvents<'_, M> {
    /// Events with a number above `after`, in order, at most `most`. Empty also for a run out of reach.
    pub async fn after(&self, run: RunId, after: i64, most: u32) -> Result<Vec<RunRecord>, StoreError> {
        self.rows(run, after, most).await?.into_iter().map(RunRecord::try_from).collect()
    }

    /// As [`Self::after`], before it is known whether they can be read.
    pub(super) async fn rows(&self, run: RunId, after: i64, most: u32) -> Result<Vec<event::Model>, StoreError> {
        let rows = self.tenant.find::<event::Entity>().filter(event::Column::RunId.eq(run.to_string()));
        let rows = rows.filter(event::Column::Seq.gt(after)).order_by(event::Column::Seq, Order::Asc);
        rows.limit(u64::from(most)).all().await
    }

    /// The number of the run's last event, which is also how many there are. 0 for a run out of reach.
    pub async fn last(&self, run: RunId) -> Result<i64, StoreError> {
        let rows = self.tenant.find::<event::Entity>().filter(event::Column::RunId.eq(run.to_string()));
        let last = rows.order_by(event::Column::Seq, Order::Desc).limit(1).one().await?;
        Ok(last.and_then(|row| row.seq).unwrap_or(0))
    }
}

impl Store {
    /// The event itself, wherever it is. Call it outside a transaction.
    pub async fn whole_event(&self, data: EventData) -> Result<RunEvent, StoreError> {
        match data {
            EventData::Whole(event) => Ok(event),
            EventData::Large { run, blob, .. } => {
                let bytes = self.blobs().get_of_run(run, blob).await?.ok_or(StoreError::Corrupt { what: "the blob of an event" })?;
                serde_json::from_slice(&bytes).map_err(|_| StoreError::Corrupt { what: "the blob of an event" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::run_event::LogLevel;

    use super::*;

    #[tokio::test]
    async fn a_large_event_is_a_blob_and_reads_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let event = RunEvent::Log { level: LogLevel::Info, message: "x".repeat(LARGEST_IN_ROW), data: None };
        let run = RunId::new(&domain::RandomIds);
        let encoded = Encoded::new(&event, run, &blobs).await.unwrap();
        assert!(encoded.data.len() < 200, "{}", encoded.data);
        let large: LargeEvent = serde_json::from_str(&encoded.data).unwrap();
        let bytes = blobs.get_of_run(run, large.blob.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<RunEvent>(&bytes).unwrap(), event);
    }
}
