//! From an accepted run to the model's first request, one run at a time on a whole server with its default pool of sidecars.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use testkit::scripted_model::say;
use testkit::system::is_ended;

use crate::Options;
use crate::report::{Bar, Report};
use crate::world::World;

/// Between two runs: the pool refills, so that each run finds what an idle server has.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    for database in options.databases() {
        let world = World::start(&database, &[], vec![say("Done.")]).await?;
        let (mut from_answer, mut from_request, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        let path = format!("/api/agents/{}/run", world.agent);
        for round in 0..options.count(210, 12) {
            let sent = Instant::now();
            let started = world.customer.api.post(&path, &json!({})).await?;
            let answered = Instant::now();
            let run = started["runId"].as_str().context("a started run has an id")?;
            world.asked(round + 1).await?;
            let asked = world.system.model.received()[round].at;
            ended(&world, run).await?;
            let ended = sent.elapsed();
            tokio::time::sleep(PAUSE).await;
            // The first ten warm caches and pools.
            if round >= 10 {
                // The worker may be faster than the answer's way back.
                from_answer.push(asked.saturating_duration_since(answered));
                from_request.push(asked.duration_since(sent));
                whole.push(ended);
            }
        }
        let engine = database.name();
        report.durations(&format!("{engine}, from the answer"), &from_answer, Bar::at_most(15.0));
        report.durations(&format!("{engine}, from the request"), &from_request, Bar::None);
        report.durations(&format!("{engine}, whole run of one model turn (seen within 5 ms)"), &whole, Bar::None);
    }
    Ok(())
}

async fn ended(world: &World, run: &str) -> anyhow::Result<Value> {
    for _ in 0..2000 {
        let run = world.customer.api.get(&format!("/api/runs/{run}")).await?;
        if is_ended(&run) {
            anyhow::ensure!(run["status"] == "success", "a measured run did not succeed: {run:#}");
            return Ok(run);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    anyhow::bail!("run {run} did not end")
}
