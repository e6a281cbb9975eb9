//! The slow look at the tables: one small query of each node every few seconds, however many readers it has. Whoever was not woken
//! for an event (the connection between nodes was away) is woken by this.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Statement};
use tokio::time::{Instant, MissedTickBehavior};

use super::{Live, Topic};
use crate::StoreError;
use crate::engine::Engine;
use crate::entities::{parse, parse_some};

/// Events that are looked at in one go. If there are more, everybody is woken.
const MOST: usize = 5_000;

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    /// The highest position at the last look, and at the one before: transactions commit out of order, and the time between two
    /// looks is long for one of ours.
    highest: i64,
    before: i64,
    /// The positions above `before` that were seen already.
    positions: HashSet<i64>,
}

/// Looks every `every`, as long as somebody listens, until the task is dropped.
pub(crate) async fn watch(engine: Engine, live: Live, every: Duration) {
    let mut tick = tokio::time::interval_at(Instant::now() + every, every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen: Option<Seen> = None;
    loop {
        tick.tick().await;
        if !live.has_readers() {
            seen = None;
            continue;
        }
        let looked = match &mut seen {
            Some(seen) => look(&engine, &live, seen).await,
            None => first_look(&engine, &live).await.map(|first| seen = Some(first)),
        };
        if let Err(error) = looked {
            tracing::debug!(%error, "could not look for events that nobody was woken for");
        }
    }
}

/// Readers came since the last look, and have read what was there when they came; from here on it is remembered.
async fn first_look(engine: &Engine, live: &Live) -> Result<Seen, StoreError> {
    let highest = engine.reader().query_one_raw(Statement::from_string(engine.backend(), "SELECT max(position) FROM events")).await?;
    let highest = highest.map(|row| row.try_get_by_index::<Option<i64>>(0)).transpose()?.flatten().unwrap_or(0);
    live.wake_all_here();
    Ok(Seen { highest, before: highest, positions: HashSet::new() })
}

async fn look(engine: &Engine, live: &Live, seen: &mut Seen) -> Result<(), StoreError> {
    const SINCE: &str = "SELECT position, app_id, end_user_id, run_id FROM events WHERE position > $1 ORDER BY position LIMIT $2";
    const WHAT: &str = "the owner of an event";
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let statement = Statement::from_sql_and_values(engine.backend(), SINCE, [seen.before.into(), most.into()]);
    let rows = engine.reader().query_all_raw(statement).await?;
    if rows.len() == MOST {
        *seen = first_look(engine, live).await?;
        return Ok(());
    }
    let mut topics = BTreeSet::new();
    let mut positions = HashSet::new();
    let mut highest = seen.highest;
    for row in rows {
        let position: i64 = row.try_get_by_index(0)?;
        highest = highest.max(position);
        positions.insert(position);
        if seen.positions.contains(&position) {
            continue;
        }
        let text = |index: usize| row.try_get_by_index::<Option<String>>(index);
        topics.extend(parse_some(text(1)?.as_deref(), WHAT)?.map(Topic::Application));
        topics.extend(parse_some(text(2)?.as_deref(), WHAT)?.map(Topic::EndUser));
        topics.extend(text(3)?.map(|run| parse(&run, WHAT)).transpose()?.map(Topic::Run));
    }
    for topic in topics {
        live.wake_here(topic);
    }
    *seen = Seen { before: seen.highest, highest, positions };
    Ok(())
}
