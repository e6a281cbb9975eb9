//! Memory by proportional share (PSS): of an idle server, of a run that waits for its model, of a run with a started sandbox.

use std::collections::HashSet;
use std::time::Duration;

use bench::quantiles::Quantiles;
use serde_json::json;
use testkit::scripted_model::{Step, call};
use testkit::system::{Options as SystemOptions, System};

use crate::Options;
use crate::machine::{Process, descendants, pss};
use crate::report::{Bar, Report};
use crate::world::{Database, World, environment};

const KILOBYTES_PER_MEGABYTE: f64 = 1024.0;

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    idle(options, report).await?;
    let waiting = vec![Step::Hang];
    let at_work = vec![call("bash", json!({ "command": "true" })), Step::Hang];
    for runs in [1, options.count(20, 3)] {
        let bar = Bar::at_most(12.0);
        of_runs(report, "waiting for its model, no sandbox", runs, (&waiting, 1), bar).await?;
        of_runs(report, "waiting for its model, sandbox started", runs, (&at_work, 2), bar).await?;
    }
    Ok(())
}

/// The server alone and with its pool, some seconds after its start.
async fn idle(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..options.count(5, 1) {
        let system = System::start_with(SystemOptions { database_url: None, environment: environment(&[]) }).await?;
        let server = system.pid().ok_or_else(|| anyhow::anyhow!("the server runs"))?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let own = pss(server)?;
        let pool = descendants(server)?.iter().map(|process| pss(process.pid)).sum::<anyhow::Result<u64>>()?;
        alone.push(own);
        together.push(own + pool);
    }
    megabytes(report, "idle server with its pool of 2 sidecars (SQLite)", together, Bar::at_most(64.0));
    megabytes(report, "– of it the server alone", alone, Bar::None);
    Ok(())
}

/// Starts `count` runs one after the other, each until the model was asked `turns` times, and measures all while they wait.
async fn of_runs(report: &mut Report, what: &str, count: usize, (steps, turns): (&[Step], usize), bar: Bar) -> anyhow::Result<()> {
    let world = World::start(&Database::Sqlite, &[("SIDECAR_POOL_SIZE", "0")], steps.to_vec()).await?;
    let server = world.server()?;
    let mut known: HashSet<u32> = HashSet::new();
    let mut runs: Vec<Vec<Process>> = Vec::new();
    for index in 1..=count {
        world.customer.start(&world.agent, &json!({})).await?;
        world.asked(index * turns).await?;
        let new: Vec<Process> = descendants(server)?.into_iter().filter(|process| !known.contains(&process.pid)).collect();
        known.extend(new.iter().map(|process| process.pid));
        runs.push(new);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mut all, mut sidecars) = (Vec::new(), Vec::new());
    for processes in &runs {
        // What the command of the sandbox left behind has ended by now.
        let sizes: Vec<(bool, u64)> =
            processes.iter().filter_map(|process| Some((process.command.contains(" sidecar "), pss(process.pid).ok()?))).collect();
        all.push(sizes.iter().map(|(_, size)| size).sum());
        sidecars.push(sizes.iter().filter(|(is_sidecar, _)| *is_sidecar).map(|(_, size)| size).sum());
    }
    let branches: HashSet<u32> = runs.iter().flatten().map(|process| process.branch).collect();
    anyhow::ensure!(branches.len() == count * turns, "{} process trees for {count} runs of {turns} turns", branches.len());
    let many = if count == 1 { "one run".to_owned() } else { format!("{count} runs at once") };
    megabytes(report, &format!("{what}; {many}"), all, bar);
    if turns > 1 {
        megabytes(report, "– of it the sidecar", sidecars, Bar::None);
    }
    Ok(())
}

fn megabytes(report: &mut Report, what: &str, kilobytes: Vec<u64>, bar: Bar) {
    if let Some(quantiles) = Quantiles::of_numbers(kilobytes) {
        report.quantiles(what, quantiles, (KILOBYTES_PER_MEGABYTE, "MB PSS"), bar);
    }
}
