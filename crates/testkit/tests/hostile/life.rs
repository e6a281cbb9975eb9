//! The ways a run can be ended from outside: asked, out of time, or by the death of what carries it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use testkit::scripted_model::{Step, call, say};
use testkit::system::Options;

use crate::processes::{below, gone};
use crate::support::Lab;

fn sleeps() -> Vec<Step> {
    vec![call("bash", json!({ "command": "sleep 300 & sleep 301", "timeout": 200 })), say("Done.")]
}

fn spent(run: &serde_json::Value) -> u64 {
    run["costNanoUsd"].as_u64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_wherever_it_stands() -> anyhow::Result<()> {
    // One at a time, so that the second waits.
    let options = Options { environment: vec![("WORKER_CONCURRENCY".to_owned(), "1".to_owned())], ..Options::default() };
    let lab = Lab::start_with("cancels", options).await?;
    let agent = lab.agent("sleeper", 100.0).await?;

    let first = lab.start_run(&agent, sleeps()).await?;
    lab.reached(&first, "sandbox.started").await?;
    let waiting = lab.start_run(&agent, sleeps()).await?;
    let (status, run) = lab.cancel(&waiting).await?;
    ensure!(status == 200 && run["status"] == "cancelled", "a waiting run ends at once: {status} {run}");
    let ended = lab.ended(&waiting).await?;
    ended.is("cancelled", Some("cancelled"))?;
    ensure!(spent(&ended.run) == 0 && ended.run["startedAt"].is_null(), "{:#}", ended.run);

    let inside = lab.process(|process| process.arguments.contains("sleep 301")).await?;
    let begin = Instant::now();
    let (status, run) = lab.cancel(&first).await?;
    ensure!(status == 200 && run["cancelRequestedAt"].is_string(), "{status} {run}");
    let (again, _) = lab.cancel(&first).await?;
    ensure!(again == 200 || again == 409, "{again}");
    let ended = lab.ended(&first).await?;
    ended.is("cancelled", Some("cancelled"))?;
    ensure!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    ensure!(spent(&ended.run) > 0, "the turn before is paid");
    gone(&[inside]).await?;
    lab.nothing_is_left(&first).await?;

    let during_model = lab.start_run(&agent, vec![call("ls", json!({})), Step::Hang]).await?;
    lab.reached(&during_model, "tool.completed").await?;
    let begin = Instant::now();
    lab.cancel(&during_model).await?;
    lab.ended(&during_model).await?.is("cancelled", Some("cancelled"))?;
    ensure!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());

    for run in [&first, &waiting, &during_model] {
        let (status, problem) = lab.cancel(run).await?;
        ensure!((status, &problem["code"]) == (409, &json!("not_cancellable")), "{status} {problem}");
    }
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_outlasts_its_run_is_stopped() -> anyhow::Result<()> {
    let lab = Lab::start("outlasts").await?;
    let agent = lab.agent("sleeper", 3.0).await?;
    let begin = Instant::now();
    let run = lab.start_run(&agent, sleeps()).await?;
    let inside = lab.process(|process| process.arguments.contains("sleep 301")).await?;
    let ended = lab.ended(&run).await?;
    ended.is("timeout", Some("timed_out"))?;
    ensure!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    ensure!(spent(&ended.run) > 0);
    gone(&[inside]).await?;
    lab.nothing_is_left(&run).await?;
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_what_carries_a_run_ends_that_run_alone() -> anyhow::Result<()> {
    let lab = Lab::start("deaths").await?;
    let agent = lab.agent("sleeper", 100.0).await?;
    let server = lab.server()?;

    // Of the sidecars one carries the run: the one whose death ends it. The others only wait for runs.
    let run = lab.start_run(&agent, sleeps()).await?;
    let inside = lab.process(|process| process.arguments.contains("sleep 301")).await?;
    let sidecars: Vec<_> = below(server).into_iter().filter(crate::processes::Process::is_sidecar).collect();
    ensure!(!sidecars.is_empty());
    for sidecar in sidecars {
        sidecar.kill()?;
    }
    let ended = lab.ended(&run).await?;
    ended.is("failed", Some("sidecar_lost"))?;
    ensure!(spent(&ended.run) > 0, "the turn before is paid: {:#}", ended.run);
    gone(&[inside]).await?;
    lab.nothing_is_left(&run).await?;
    lab.serves_the_next_run().await?;

    // The tool host is the parent of the shell; its guard is a child of the server.
    for name in ["tool host", "guard"] {
        let run = lab.start_run(&agent, [&sleeps()[..1], &sleeps()].concat()).await?;
        let inside = lab.process(|process| process.arguments.contains("sleep 301")).await?;
        let sandbox: Vec<_> =
            below(server).into_iter().filter(|process| !process.is_sidecar() && !process.arguments.contains("sleep")).collect();
        let victim = match name {
            "guard" => sandbox.iter().find(|process| process.name.contains("guard")),
            _ => sandbox
                .iter()
                .filter(|process| process.arguments.contains("toolhost") && !process.name.contains("guard"))
                .max_by_key(|process| process.pid),
        };
        victim.with_context(|| format!("no {name} in {sandbox:#?}"))?.kill()?;
        let ended = lab.ended(&run).await?;
        // The call in which the sandbox died says so; the next one finds none.
        ended.is("failed", Some("sandbox_failed"))?;
        let results = ended.results();
        ensure!(results[0].is_error && results[0].text.contains("the sandbox died"), "{name}: {results:?}");
        ensure!(spent(&ended.run) > 0, "the turns before are paid: {:#}", ended.run);
        gone(&[inside]).await?;
        lab.nothing_is_left(&run).await?;
    }
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_finds_its_runs_failed_when_it_is_back() -> anyhow::Result<()> {
    let mut lab = Lab::start("crashes").await?;
    let agent = lab.agent("sleeper", 200.0).await?;
    let sleeping = lab.start_run(&agent, sleeps()).await?;
    lab.process(|process| process.arguments.contains("sleep 301")).await?;
    let thinking = lab.start_run(&agent, vec![call("ls", json!({})), Step::Hang]).await?;
    lab.reached(&thinking, "tool.completed").await?;
    let family = below(lab.server()?);
    lab.system.crash_and_restart().await?;
    gone(&family).await.context("processes outlived their server")?;
    for run in [&sleeping, &thinking] {
        let ended = lab.ended(run).await?;
        ended.is("failed", Some("server_restarted"))?;
        ensure!(spent(&ended.run) > 0, "the cost is kept: {:#}", ended.run);
    }
    lab.nothing_is_left(&sleeping).await?;
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_lets_runs_end_and_stops_the_rest() -> anyhow::Result<()> {
    let mut lab = Lab::start("stops").await?;
    let agent = lab.agent("sleeper", 200.0).await?;
    let long = lab.start_run(&agent, sleeps()).await?;
    lab.process(|process| process.arguments.contains("sleep 301")).await?;
    let short = lab.start_run(&agent, vec![call("bash", json!({ "command": "sleep 3" })), say("Done.")]).await?;
    lab.process(|process| process.arguments.contains("sleep 3 ")).await?;
    let family = below(lab.server()?);
    let begin = Instant::now();
    lab.system.stop_and_restart().await?;
    ensure!(begin.elapsed() < Duration::from_secs(45), "the server took {:?} to stop", begin.elapsed());
    gone(&family).await.context("processes outlived their server")?;
    lab.ended(&short).await?.is("success", None)?;
    let ended = lab.ended(&long).await?;
    ended.is("failed", Some("server_restarted"))?;
    ensure!(spent(&ended.run) > 0, "the cost is kept: {:#}", ended.run);
    lab.serves_the_next_run().await
}
