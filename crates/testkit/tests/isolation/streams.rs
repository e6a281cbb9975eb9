//! Streams: whose they are, and that they can be left and taken up again.

use anyhow::Context as _;
use reqwest::Method;
use testkit::events::{Frame, frames, open, whole};
use testkit::system::System;

use crate::customers::World;
use crate::foreign::{Owned, nobodys};

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
    let numbers: Vec<u64> = replay.iter().map(Frame::number).collect::<Result<_, _>>()?;
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    let end = replay.last().context("a stream has events")?;
    assert!(end.event == "run_update" && end.data.contains("ended: success"), "{end:?}");

    // The log over the API is the same lines; a change of state tells its line and how the run stands besides.
    let log = grace.customer.log(&run).await?;
    assert_eq!(log.len(), replay.len());
    for (frame, line) in replay.iter().zip(&log) {
        let told = frame.json()?;
        if frame.event == "run_log" {
            assert_eq!(&told, line);
        } else {
            let of = |value: &serde_json::Value| ["seq", "event", "message"].map(|name| value[name].clone());
            assert_eq!((of(&told), told["id"].as_str()), (of(line), Some(run.as_str())));
        }
    }
    let updates = replay.iter().filter(|frame| frame.event == "run_update").map(Frame::json).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(updates.iter().map(|update| update["status"].as_str()).collect::<Vec<_>>(), ["pending", "running", "success"].map(Some));
    for frame in &replay {
        let rest = whole(&anonymous.with("last-event-id", &frame.id), &path).await?;
        let seen = usize::try_from(frame.number()?)?;
        assert_eq!(rest, replay[seen..]);
    }
    Ok(())
}
