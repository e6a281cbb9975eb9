//! What happened: written with the change, read by streams, webhooks and notifications.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use domain::{AppId, EndUserId, EventId, RunId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, Order, Statement};
use serde_json::Value;

use crate::StoreError;
use crate::engine::{Queued, QueuedIn};
use crate::entities::{self, At, event};
use crate::live::Topic;
use crate::scope::{AppScope, Bounds, InOrg, Sight};
use crate::scoped::Tenant;
use crate::store::Inner;
use crate::unit::{Mode, Unit, Writing};

/// An event to write down.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// `resource.verb`, such as `end_user.created`.
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// Whose it is; under an end-user's scope it is that end-user's in any case.
    pub end_user: Option<EndUserId>,
    /// The run it belongs to and its number there, from 1.
    pub run: Option<(RunId, u64)>,
    pub data: Value,
}

/// An event as it was written down.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    pub id: EventId,
    pub app: Option<AppId>,
    pub end_user: Option<EndUserId>,
    pub kind: String,
    pub subject: String,
    pub run: Option<(RunId, u64)>,
    pub data: Value,
    pub created_at: Timestamp,
}

/// How far a reader of an application has come. Opaque; travels as `Last-Event-ID`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventCursor {
    /// PostgreSQL: the writing transaction. SQLite: 0.
    transaction: i64,
    position: i64,
}

impl EventCursor {
    /// Before the first event.
    pub const START: Self = Self { transaction: 0, position: 0 };

    pub(crate) const fn new(transaction: i64, position: i64) -> Self {
        Self { transaction, position }
    }

    pub(crate) const fn transaction(self) -> i64 {
        self.transaction
    }

    pub(crate) const fn position(self) -> i64 {
        self.position
    }
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transaction, self.position)
    }
}

impl FromStr for EventCursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parsed = text
            .split_once('-')
            .and_then(|(transaction, position)| Some(Self { transaction: transaction.parse().ok()?, position: position.parse().ok()? }));
        parsed.filter(|cursor| cursor.transaction >= 0 && cursor.position >= 0).ok_or(StoreError::Corrupt { what: "an event cursor" })
    }
}

impl<S: InOrg> Unit<S, Writing> {
    /// Writes the event down with the change, and wakes its readers after the commit.
    pub async fn emit(&self, event: NewEvent) -> Result<(), StoreError> {
        let tenant = self.tenant();
        topics(tenant.bounds, &event).for_each(|topic| tenant.wake(topic));
        tenant.append::<event::Entity>(row(tenant.store, event)?).await
    }
}

/// Who waits for the event.
fn topics(bounds: Bounds, event: &NewEvent) -> impl Iterator<Item = Topic> + use<> {
    let (app, run) = (bounds.sight.app(), event.run.map(|(run, _)| run));
    let end_user = bounds.sight.end_user().or(event.end_user);
    app.map(Topic::Application).into_iter().chain(run.map(Topic::Run)).chain(end_user.map(Topic::EndUser))
}

/// The row, without its tenant.
fn row(store: &Inner, event: NewEvent) -> Result<event::ActiveModel, StoreError> {
    let (run, seq) = event.run.unzip();
    Ok(event::ActiveModel {
        id: Set(EventId::new(&*store.ids).to_string()),
        end_user_id: Set(event.end_user.map(|id| id.to_string())),
        kind: Set(event.kind),
        subject: Set(event.subject),
        run_id: Set(run.map(|id| id.to_string())),
        seq: Set(seq.map(i64::try_from).transpose().map_err(|_| StoreError::Corrupt { what: "an event's number" })?),
        data: Set(entities::to_json(&event.data)),
        created_at: Set(At(store.clock.now())),
        ..Default::default()
    })
}

/// One event of the second lane, stamped with the tenant it was queued for.
struct QueuedEvent {
    row: event::ActiveModel,
    topics: Vec<Topic>,
}

#[async_trait]
impl Queued for QueuedEvent {
    type Output = ();

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<(), StoreError> {
        event::Entity::insert(self.row.clone()).exec_without_returning(within.transaction).await?;
        self.topics.iter().for_each(|topic| within.wake(*topic));
        Ok(())
    }
}

/// Queues the event in the second lane and waits until it is committed.
pub(crate) async fn queue(store: &Inner, bounds: Bounds, event: NewEvent) -> Result<(), StoreError> {
    let topics = topics(bounds, &event).collect();
    let mut row = row(store, event)?;
    row.org_id = Set(bounds.org.to_string());
    row.app_id = Set(bounds.sight.app().map(|app| app.to_string()));
    if let Some(own) = bounds.sight.end_user() {
        row.end_user_id = Set(Some(own.to_string()));
    }
    store.background.run(QueuedEvent { row, topics }).await
}

/// The events of one application.
#[derive(Debug)]
pub struct Events<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn events(&self) -> Events<'_, M> {
        Events(self.tenant())
    }
}

impl<M: Mode> Events<'_, M> {
    /// The next events after `cursor`, at most `limit`, each with the cursor to go on from. Never passes an event whose
    /// transaction is still open, so a later call misses none. On PostgreSQL an event therefore stays hidden while an older
    /// transaction of the cluster runs: readers look again soon after a wake, not only when woken.
    pub async fn after(&self, cursor: EventCursor, limit: u64) -> Result<Vec<(EventCursor, StoredEvent)>, StoreError> {
        let positions = match self.0.store.engine.backend() {
            DbBackend::Postgres => self.positions(cursor, limit).await?,
            _ => return self.after_on_sqlite(cursor, limit).await,
        };
        let Some(limit) = u64::try_from(positions.len()).ok().filter(|count| *count > 0) else {
            return Ok(Vec::new());
        };
        let ids = positions.iter().map(|at| at.position);
        let rows = self.0.find::<event::Entity>().filter(event::Column::Position.is_in(ids)).limit(limit).all().await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(at) = positions.iter().find(|at| at.position == row.position) {
                found.push((*at, StoredEvent::try_from(row)?));
            }
        }
        found.sort_by_key(|(at, _)| *at);
        Ok(found)
    }

    async fn after_on_sqlite(&self, cursor: EventCursor, limit: u64) -> Result<Vec<(EventCursor, StoredEvent)>, StoreError> {
        let rows = self.0.find::<event::Entity>().filter(event::Column::Position.gt(cursor.position));
        let rows = rows.order_by(Expr::col(event::Column::Position), Order::Asc).limit(limit).all().await?;
        let with_cursor = |row: event::Model| Ok((EventCursor { transaction: 0, position: row.position }, StoredEvent::try_from(row)?));
        rows.into_iter().map(with_cursor).collect()
    }

    async fn positions(&self, cursor: EventCursor, limit: u64) -> Result<Vec<EventCursor>, StoreError> {
        const POSITIONS: &str = "SELECT transaction_id::text::bigint, position FROM events
             WHERE app_id = $1 AND ($2 = '' OR end_user_id = $2)
               AND (transaction_id, position) > ($3::text::xid8, $4) AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY transaction_id, position LIMIT $5";
        let sight: Sight = self.0.bounds.sight;
        let text = |id: Option<String>| id.unwrap_or_default().into();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [
            text(sight.app().map(|id| id.to_string())),
            text(sight.end_user().map(|id| id.to_string())),
            cursor.transaction.to_string().into(),
            cursor.position.into(),
            limit.into(),
        ];
        let rows = self.0.transaction.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, POSITIONS, values)).await?;
        let cursor =
            |row: &sea_orm::QueryResult| Ok(EventCursor { transaction: row.try_get_by_index(0)?, position: row.try_get_by_index(1)? });
        rows.iter().map(cursor).collect()
    }
}

impl TryFrom<event::Model> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: event::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "an event";
        let run = entities::parse_some(row.run_id.as_deref(), WHAT)?;
        let seq = row.seq.map(u64::try_from).transpose().map_err(|_| StoreError::Corrupt { what: WHAT })?;
        Ok(Self {
            id: entities::parse(&row.id, WHAT)?,
            app: entities::parse_some(row.app_id.as_deref(), WHAT)?,
            end_user: entities::parse_some(row.end_user_id.as_deref(), WHAT)?,
            kind: row.kind,
            subject: row.subject,
            run: run.zip(seq),
            data: entities::json(&row.data, WHAT)?,
            created_at: row.created_at.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_cursor_survives_its_text(transaction in 0..i64::MAX, position in 0..i64::MAX) {
            let cursor = EventCursor { transaction, position };
            assert_eq!(cursor.to_string().parse::<EventCursor>().unwrap(), cursor);
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in "[0-9+-]{0,12}|\\PC{0,20}") {
            if let Ok(cursor) = text.parse::<EventCursor>() {
                assert!(cursor >= EventCursor::START);
            }
        }
    }
}
