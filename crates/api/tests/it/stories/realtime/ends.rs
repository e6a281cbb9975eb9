//! Streams that end because their caller may see no more, and streams that are silent for long.

use std::time::Duration;

use domain::Role;
use serde_json::json;

use super::{carry_out, start};
use crate::walk::Stage;
use crate::world::{KeyPlan, Stream, World};

const ALL: &str = "/api/realtime/runs";

async fn world() -> World {
    World::with(|options| options.streams.reauthorize_every = Duration::from_millis(20)).await
}

/// Everything until the server ends the stream.
async fn to_its_end(mut stream: Stream) -> usize {
    let mut frames = 0;
    while stream.next().await.is_some() {
        frames += 1;
    }
    frames
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams_and_its_tickets_streams() {
    let world = world().await;
    let stage = Stage::set(&world).await;
    let full: Vec<&str> = vec!["runs:read"];
    let (id, key) = stage.own.key_of(stage.own.plan(&full)).await;
    let run = start(&stage.key, "@own/helper").await;
    let of_run = format!("/api/realtime/runs/{run}");
    let ticket = key.post("/api/realtime/tickets", &json!({})).await.is(201).text_at("/ticket");
    let of_grace = key.as_user(stage.grace);
    let streams = [
        key.open(ALL).await,
        key.open(&of_run).await,
        key.open("/api/realtime/agents/@own/helper/runs").await,
        of_grace.open(ALL).await,
        world.anonymous().open(&format!("{ALL}?ticket={ticket}")).await,
    ];
    let mut stays = stage.key.open(ALL).await;
    stage.own.revoke(id).await;
    for stream in streams {
        to_its_end(stream).await;
    }
    stays.take(1).await;
    carry_out(&world, &run, &["seen"]).await;
    assert_eq!(stays.take(3).await[1].text("message"), "seen");
}

#[tokio::test]
async fn a_stream_ends_with_its_end_user_its_session_its_membership_and_its_keys_creator() {
    let world = world().await;
    let stage = Stage::set(&world).await;
    let grace = stage.key.as_user(stage.grace);
    let run = start(&grace, "@own/helper").await;
    let of_end_user = [grace.open(ALL).await, grace.open(&format!("/api/realtime/runs/{run}")).await];
    // The application's own stream of that run ends because the run is gone.
    let of_key = stage.key.open(&format!("/api/realtime/runs/{run}")).await;
    stage.own.delete_end_user(stage.grace).await;
    for stream in of_end_user.into_iter().chain([of_key]) {
        to_its_end(stream).await;
    }

    let member = stage.own.member(Role::Viewer).await;
    let ticket = member.post("/api/realtime/tickets", &json!({})).await.is(201).text_at("/ticket");
    let streams = [member.open(ALL).await, world.anonymous().open(&format!("{ALL}?ticket={ticket}")).await];
    member.post("/api/auth/sign-out", &json!({})).await;
    for stream in streams {
        to_its_end(stream).await;
    }

    let creator = stage.own.joined(Role::Admin).await;
    let session = world.session(creator).await;
    let signed_in = stage.own.instead("cookie", format!("appstrate_session={}", session.token.expose()));
    let (_, key) = stage.own.key_of(KeyPlan { creator, ..stage.own.plan(&["runs:read"]) }).await;
    let streams = [signed_in.open(ALL).await, key.open(ALL).await];
    stage.own.leave(creator).await;
    for stream in streams {
        to_its_end(stream).await;
    }
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_there_and_goes_on() {
    let world = World::with(|options| options.streams.keep_alive_every = Duration::from_millis(10)).await;
    let stage = Stage::set(&world).await;
    let run = start(&stage.key, "@own/helper").await;
    for path in [ALL.to_owned(), format!("/api/realtime/runs/{run}")] {
        let mut stream = stage.key.open(&path).await;
        stream.take(1).await;
        while stream.comments < 3 {
            assert!(stream.read().await);
        }
    }
    let mut stream = stage.key.open(&format!("/api/realtime/runs/{run}")).await;
    carry_out(&world, &run, &["loud"]).await;
    assert_eq!(stream.take(4).await[2].text("message"), "loud");
}
