//! The events of many runs as they pass: one sequence for all runs of an application, of an agent or of an end-user.
//!
//! Readers of one run go by its numbers. Readers of many go by [`EventCursor`], which never passes an event whose transaction is
//! still open. On PostgreSQL an event therefore stays hidden while an older transaction of the cluster runs; [`Rest::Hidden`]
//! tells the reader to look again soon.

use domain::{PackageName, RunId};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DbBackend, Statement, Value};

use super::events::{RunEvents, RunRecord};
use crate::StoreError;
use crate::entities::{event, parse};
use crate::records::EventCursor;
use crate::unit::Mode;

/// An event, and where a reader goes on after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    pub cursor: EventCursor,
    pub run: RunId,
    pub record: RunRecord,
}

/// What lies behind the last event that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing yet.
    Nothing,
    /// More, which may be read at once.
    More,
    /// Events that are committed but not to be passed yet: an older transaction is still running.
    Hidden,
}

/// A stretch of the sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct PassedEvents {
    /// In order. Those of other agents are left out, and those that cannot be read.
    pub events: Vec<Passed>,
    /// How far was read: go on from here, also when nothing was found.
    pub end: EventCursor,
    pub rest: Rest,
}

/// One row of the sequence, before it is known whether it is wanted.
struct Position {
    at: EventCursor,
    is_hidden: bool,
    is_wanted: bool,
}

/// A statement that grows, and the values in it.
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn push<const N: usize>(&mut self, parts: [&str; N]) {
        self.text.extend(parts);
    }
}

impl<M: Mode> RunEvents<'_, M> {
    /// The next events of all runs that the scope reaches, or of one agent's; `most` rows are looked at.
    pub async fn passing(&self, agent: Option<&PackageName>, after: EventCursor, most: u32) -> Result<PassedEvents, StoreError> {
        let positions = self.positions(agent, after, most).await?;
        let is_full = u32::try_from(positions.len()).is_ok_and(|found| found >= most);
        let is_hidden = positions.iter().any(|position| position.is_hidden);
        let visible: Vec<_> = positions.into_iter().take_while(|position| !position.is_hidden).collect();
        let end = visible.last().map_or(after, |last| last.at);
        let wanted: Vec<EventCursor> = visible.into_iter().filter(|position| position.is_wanted).map(|position| position.at).collect();
        let rest = match (is_hidden, is_full) {
            (true, _) => Rest::Hidden,
            (false, true) => Rest::More,
            (false, false) => Rest::Nothing,
        };
        Ok(PassedEvents { events: self.events_at(&wanted).await?, end, rest })
    }

    /// Where a reader begins who wants only what comes from now on.
    pub async fn end(&self) -> Result<EventCursor, StoreError> {
        let mut sql = self.sequence(None, "");
        let order = match self.backend() {
            DbBackend::Postgres => {
                sql.push([" AND e.transaction_id < (SELECT pg_snapshot_xmin(pg_current_snapshot()))"]);
                "e.transaction_id DESC, e.position DESC"
            }
            _ => "e.position DESC",
        };
        sql.push([" ORDER BY ", order, " LIMIT 1"]);
        let row = self.tenant.transaction.query_one_raw(Statement::from_sql_and_values(self.backend(), sql.text, sql.values)).await?;
        row.map_or(Ok(EventCursor::START), |row| Ok(EventCursor::new(row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
    }

    async fn positions(&self, agent: Option<&PackageName>, after: EventCursor, most: u32) -> Result<Vec<Position>, StoreError> {
        let is_postgres = self.backend() == DbBackend::Postgres;
        // A run that was deleted took its row along and left its events; they are nobody's to read any more.
        let of_agent = if agent.is_some() { " AND r.agent = $1" } else { "" };
        let hidden = if is_postgres {
            "CASE WHEN e.transaction_id < (SELECT pg_snapshot_xmin(pg_current_snapshot())) THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END"
        } else {
            "CAST(0 AS BIGINT)"
        };
        let flags = format!(
            ", CASE WHEN EXISTS (SELECT 1 FROM runs r WHERE r.id = e.run_id AND r.app_id = e.app_id{of_agent}) THEN CAST(1 AS BIGINT) \
             ELSE CAST(0 AS BIGINT) END, {hidden}"
        );
        let mut sql = self.sequence(agent, &flags);
        let beyond = if is_postgres {
            let (transaction, position) = (sql.bind(after.transaction().to_string()), sql.bind(after.position()));
            format!(" AND (e.transaction_id, e.position) > ({transaction}::text::xid8, {position}) ORDER BY e.transaction_id, e.position")
        } else {
            format!(" AND e.position > {} ORDER BY e.position", sql.bind(after.position()))
        };
        let limit = sql.bind(i64::from(most));
        sql.push([&beyond, " LIMIT ", &limit]);
        let rows = self.tenant.transaction.query_all_raw(Statement::from_sql_and_values(self.backend(), sql.text, sql.values)).await?;
        let position = |row: &sea_orm::QueryResult| {
            Ok(Position {
                at: EventCursor::new(row.try_get_by_index(0)?, row.try_get_by_index(1)?),
                is_wanted: row.try_get_by_index::<i64>(2)? == 1,
                is_hidden: row.try_get_by_index::<i64>(3)? == 1,
            })
        };
        rows.iter().map(position).collect()
    }

    /// The rows of the scope, by its index: an end-user's reader never touches another's rows. The agent's name is `$1`.
    fn sequence(&self, agent: Option<&PackageName>, flags: &str) -> Sql {
        let mut sql = Sql { text: String::new(), values: Vec::new() };
        if let Some(agent) = agent {
            sql.bind(agent.to_string());
        }
        let sight = self.tenant.bounds.sight;
        let transaction = if self.backend() == DbBackend::Postgres { "e.transaction_id::text::bigint" } else { "CAST(0 AS BIGINT)" };
        let app = sql.bind(sight.app().map(|id| id.to_string()).unwrap_or_default());
        sql.text = format!("SELECT {transaction}, e.position{flags} FROM events e WHERE e.app_id = {app}");
        if let Some(own) = sight.end_user() {
            let own = sql.bind(own.to_string());
            sql.push([" AND e.end_user_id = ", &own]);
        }
        sql
    }

    async fn events_at(&self, positions: &[EventCursor]) -> Result<Vec<Passed>, StoreError> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.tenant.find::<event::Entity>().filter(event::Column::Position.is_in(positions.iter().map(|at| at.position())));
        let mut events = Vec::with_capacity(positions.len());
        for row in rows.all().await? {
            let Some(cursor) = positions.iter().copied().find(|at| at.position() == row.position) else { continue };
            match passed(cursor, row) {
                Ok(event) => events.push(event),
                // Damaged, or of a kind that only a newer node knows. It must not keep everyone from all the others.
                Err(error) => tracing::error!(%cursor, %error, "an event was left out of streams: it cannot be read"),
            }
        }
        events.sort_by_key(|event| event.cursor);
        Ok(events)
    }

    fn backend(&self) -> DbBackend {
        self.tenant.store.engine.backend()
    }
}

fn passed(cursor: EventCursor, row: event::Model) -> Result<Passed, StoreError> {
    let run = parse(row.run_id.as_deref().unwrap_or_default(), "an event of a run")?;
    Ok(Passed { cursor, run, record: RunRecord::try_from(row)? })
}
