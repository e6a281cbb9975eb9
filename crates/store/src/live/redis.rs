//! Wakes, and the text that models produce, by pub/sub of Redis. Nothing is kept there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{RunId, Secret};
use futures::StreamExt as _;
use redis::aio::{MultiplexedConnection, PubSubSink};
use redis::{Client, ErrorKind, Msg, RedisError, RedisResult};

use super::nodes::{Ears, Outbox, PAUSES, Pending, message};
use crate::StoreError;

/// Where wakes go. Ids are unique, so installations that share a Redis only hear a little more than they need.
const WAKES: &str = "appstrate:live";

/// Where the text of a run's model goes, followed by the run's id. Only nodes on which somebody follows the run listen there.
const TEXT: &str = "appstrate:text:";

/// Topics in one message.
const TOPICS: usize = 1_000;

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a quiet connection is asked whether it still stands.
const PING_EVERY: Duration = Duration::from_secs(10);

/// # Errors
/// [`StoreError::Options`] when the URL does not parse.
pub(super) fn client(url: &Secret) -> Result<Client, StoreError> {
    // Its own text would repeat the URL, password included.
    Client::open(url.expose().as_str()).map_err(|_| StoreError::Options("the URL of Redis is not redis://… or rediss://…".to_owned()))
}

/// Sends what is told, until the task is dropped.
pub(super) async fn send(client: Client, outbox: Arc<Outbox>) {
    let mut connection = None;
    let mut failures = 0;
    loop {
        let pending = outbox.take().await;
        match publish(&client, &mut connection, &outbox, &pending).await {
            Ok(()) => {
                if failures > 0 {
                    tracing::info!("reaches other nodes over Redis again");
                }
                failures = 0;
            }
            Err(error) => {
                connection = None;
                if failures == 0 {
                    outbox.lost();
                    tracing::warn!(%error, "could not reach other nodes over Redis, trying again");
                }
                // Text is not kept: it is worth something at once or never.
                outbox.put_back(pending.topics);
                tokio::time::sleep(PAUSES[failures.min(PAUSES.len() - 1)]).await;
                failures += 1;
            }
        }
    }
}

async fn publish(client: &Client, connection: &mut Option<MultiplexedConnection>, outbox: &Outbox, pending: &Pending) -> RedisResult<()> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(in_time(client.get_multiplexed_async_connection()).await?),
    };
    let mut pipeline = redis::pipe();
    let topics: Vec<_> = pending.topics.iter().collect();
    for some in topics.chunks(TOPICS) {
        pipeline.publish(WAKES, message(outbox.node(), some.iter().copied())).ignore();
    }
    for (run, text) in &pending.texts {
        pipeline.publish(format!("{TEXT}{run}"), format!("{} {text}", outbox.node())).ignore();
    }
    in_time(pipeline.query_async(connection)).await
}

async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(RedisError::from((ErrorKind::Io, "Redis did not answer in time"))),
    }
}

/// Hears the other nodes, until the task is dropped.
pub(super) async fn listen(client: Client, ears: Ears) {
    let mut failures = 0;
    loop {
        let error = match hear(&client, &ears, &mut failures).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if failures == 0 {
            ears.outbox.lost();
            tracing::warn!(%error, "does not hear other nodes over Redis at the moment, connecting again");
        }
        tokio::time::sleep(PAUSES[failures.min(PAUSES.len() - 1)]).await;
        failures += 1;
    }
}

async fn hear(client: &Client, ears: &Ears, failures: &mut usize) -> RedisResult<std::convert::Infallible> {
    let (mut sink, mut messages) = in_time(client.get_async_pubsub()).await?.split();
    in_time(sink.subscribe(WAKES)).await?;
    if std::mem::take(failures) > 0 {
        tracing::info!("hears other nodes over Redis again");
    }
    // What was said while nobody listened is not known.
    ears.live.wake_all_here();
    let mut followed = BTreeSet::new();
    follow(&mut sink, ears, &mut followed).await?;
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => take(&message, ears),
                None => return Err(RedisError::from((ErrorKind::Io, "Redis closed the connection"))),
            },
            () = ears.deltas.interest_changed() => follow(&mut sink, ears, &mut followed).await?,
            _ = ping.tick() => {
                in_time(sink.ping::<redis::Value>()).await?;
            }
        }
    }
}

/// Listens to the text of exactly those runs that somebody follows here.
async fn follow(sink: &mut PubSubSink, ears: &Ears, followed: &mut BTreeSet<RunId>) -> RedisResult<()> {
    let wanted = ears.deltas.followed();
    let channels = |runs: Vec<&RunId>| runs.into_iter().map(|run| format!("{TEXT}{run}")).collect::<Vec<_>>();
    let (more, less) = (channels(wanted.difference(followed).collect()), channels(followed.difference(&wanted).collect()));
    if !more.is_empty() {
        in_time(sink.subscribe(&more)).await?;
    }
    if !less.is_empty() {
        in_time(sink.unsubscribe(&less)).await?;
    }
    *followed = wanted;
    Ok(())
}

fn take(message: &Msg, ears: &Ears) {
    let Ok(payload) = std::str::from_utf8(message.get_payload_bytes()) else { return };
    let Some(run) = message.get_channel_name().strip_prefix(TEXT) else { return ears.hear(payload) };
    if let (Ok(run), Some((node, text))) = (run.parse(), payload.split_once(' '))
        && node != ears.outbox.node()
    {
        ears.deltas.send_here(run, text);
    }
}
