//! Wakes by NOTIFY of PostgreSQL. Sent after the commit they tell of, in statements of their own: NOTIFY within the transactions
//! would make their commits wait for each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};
use sqlx::postgres::PgListener;

use super::Topic;
use super::nodes::{Ears, Outbox, PAUSES, Pending, message};
use crate::engine::Engine;

const CHANNEL: &str = "appstrate_live";

/// Topics in one message. A payload may have 8,000 bytes; a topic has at most 38, its space included.
const TOPICS: usize = 150;

/// Sends what is told, until the task is dropped.
pub(super) async fn send(engine: Engine, outbox: Arc<Outbox>) {
    let mut failures = 0;
    loop {
        let Pending { topics, .. } = outbox.take().await;
        match notify(&engine, &outbox, &topics).await {
            Ok(()) => failures = 0,
            Err(error) => {
                if failures == 0 {
                    outbox.lost();
                }
                tracing::warn!(%error, "could not wake other nodes, trying again");
                outbox.put_back(topics);
                tokio::time::sleep(PAUSES[failures.min(PAUSES.len() - 1)]).await;
                failures += 1;
            }
        }
    }
}

async fn notify(engine: &Engine, outbox: &Outbox, topics: &BTreeSet<Topic>) -> Result<(), DbErr> {
    let all: Vec<&Topic> = topics.iter().collect();
    for some in all.chunks(TOPICS) {
        let values = [CHANNEL.into(), message(outbox.node(), some.iter().copied()).into()];
        engine.reader().query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_notify($1, $2)", values)).await?;
    }
    Ok(())
}

/// Hears the other nodes, over a connection of its own, until the task is dropped.
pub(super) async fn listen(url: String, ears: Ears) {
    let mut failures = 0;
    loop {
        let error = match hear(&url, &ears, &mut failures).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if failures == 0 {
            ears.outbox.lost();
        }
        tracing::warn!(%error, "does not hear other nodes at the moment, connecting again");
        tokio::time::sleep(PAUSES[failures.min(PAUSES.len() - 1)]).await;
        failures += 1;
    }
}

async fn hear(url: &str, ears: &Ears, failures: &mut usize) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // What was said while nobody listened is not known.
        ears.live.wake_all_here();
        *failures = 0;
        while let Some(notification) = listener.try_recv().await? {
            ears.hear(notification.payload());
        }
        tracing::info!("hears other nodes again, over a new connection");
    }
}
