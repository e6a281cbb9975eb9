//! Streams: whose they are, and that they can be left and taken up again.

use anyhow::Context as _;
use reqwest::{Method, Response};
use testkit::client::Api;
use testkit::system::System;

use crate::customers::World;
use crate::foreign::{Owned, nobodys};

/// One server-sent event (WHATWG HTML §9.2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub id: String,
    pub event: String,
    pub data: String,
}

/// The whole events of a text; what follows the last blank line is not one yet.
pub(crate) fn frames(text: &str) -> Vec<Frame> {
    let Some((whole, _)) = text.rsplit_once("\n\n") else { return Vec::new() };
    let frame = |block: &str| {
        let mut frame = Frame::default();
        for line in block.lines() {
            match line.split_once(':').map(|(name, value)| (name, value.trim_start())) {
                Some(("id", value)) => value.clone_into(&mut frame.id),
                Some(("event", value)) => value.clone_into(&mut frame.event),
                Some(("data", value)) => frame.data.push_str(value),
                _ => {}
            }
        }
        (!frame.id.is_empty()).then_some(frame)
    };
    whole.split("\n\n").filter_map(frame).collect()
}

/// Opens a stream and checks that it is one.
pub(crate) async fn open(api: &Api, path: &str) -> anyhow::Result<Response> {
    let response = api.request(Method::GET, path).send().await?;
    assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &"text/event-stream".parse()?));
    Ok(response)
}

/// Reads a stream to the end that the server gives it.
pub(crate) async fn whole(api: &Api, path: &str) -> anyhow::Result<Vec<Frame>> {
    Ok(frames(&open(api, path).await?.text().await?))
}

/// A sibling or another tenant finds no stream, with credentials in headers or in the query.
pub(crate) async fn never_cross(system: &System, world: &World, owned: &[Owned]) -> anyhow::Result<()> {
    let [grace, alan, _, eve] = &world.callers;
    let anonymous = system.anonymous();
    let run = &owned[grace.number].run;
    for (key, end_user) in [(&world.acme.key, &alan.customer.id), (&world.rival.key, &eve.customer.id)] {
        let mut bodies = Vec::new();
        for id in [run.clone(), nobodys(run)] {
            let path = format!("/api/realtime/runs/{id}?token={key}&endUser={end_user}");
            let (status, mut body) = anonymous.call(Method::GET, &path, None).await?;
            assert_eq!(status, 404, "{body}");
            body["requestId"].take();
            let text = body.to_string();
            assert!(!text.contains(key.as_str()), "the problem repeats the credential: {text}");
            bodies.push(text.replace(&id, "<id>"));
        }
        assert_eq!(bodies[0], bodies[1]);
    }
    // Whoever may see the run sees the same stream.
    let own = format!("/api/realtime/runs/{run}?token={}&endUser={}", world.acme.key, grace.customer.id);
    let replay = whole(&anonymous, &own).await?;
    assert!(replay.len() > 10 && replay.iter().any(|frame| frame.data.contains(&grace.mark("report"))), "{replay:?}");
    assert_eq!(replay, whole(&world.acme.api, &format!("/api/realtime/runs/{run}")).await?);
    let with_session = format!("/api/realtime/runs/{run}?orgId={}&appId={}", world.acme.org, world.acme.app);
    let cookie = world.acme.session.header("cookie").context("a session has a cookie")?;
    assert_eq!(replay, whole(&anonymous.with("cookie", cookie), &with_session).await?);
    Ok(())
}

/// A live stream that breaks in the middle and is taken up by its last id shows what a replay shows, each event once.
pub(crate) async fn resume_without_gap_or_duplicate(system: &System, world: &World) -> anyhow::Result<()> {
    let grace = &world.callers[0];
    let anonymous = system.anonymous();
    let run = world.start(grace, "slow").await?;
    let path = format!("/api/realtime/runs/{run}?token={}&endUser={}", world.acme.key, grace.customer.id);

    let mut bytes = Vec::new();
    let mut live = Vec::new();
    let mut response = open(&anonymous, &path).await?;
    while live.len() < 3 {
        bytes.extend(response.chunk().await?.context("the stream goes on until the run's end")?);
        live = frames(&String::from_utf8_lossy(&bytes));
    }
    drop(response);
    let status = grace.customer.api.get(&format!("/api/runs/{run}")).await?;
    assert!(!testkit::system::is_ended(&status), "the stream was followed live");

    let last = live.last().context("three events were read")?.id.clone();
    live.extend(whole(&anonymous.with("last-event-id", &last), &path).await?);
    let replay = whole(&anonymous, &path).await?;
    assert_eq!(live, replay);
    let numbers: Vec<u64> = replay.iter().map(|frame| frame.id.parse()).collect::<Result<_, _>>()?;
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    let end = replay.last().context("a stream has events")?;
    assert!(end.event == "run_update" && end.data.contains("ended: success"), "{end:?}");

    // The log over the API is the same lines.
    let log = grace.customer.log(&run).await?;
    let streamed: Vec<serde_json::Value> = replay.iter().map(|frame| serde_json::from_str(&frame.data)).collect::<Result<_, _>>()?;
    assert_eq!(streamed, log);
    for frame in &replay {
        let rest = whole(&anonymous.with("last-event-id", &frame.id), &path).await?;
        let seen: usize = frame.id.parse()?;
        assert_eq!(rest, replay[seen..]);
    }
    Ok(())
}
