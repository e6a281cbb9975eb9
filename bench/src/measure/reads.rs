//! `GET /api/runs?pageSize=20` out of 10⁵ runs, in a closed loop of 16 connections from this process.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bench::load::{self, Plan, Stop};
use domain::{RandomIds, RunId};
use serde_json::json;
use testkit::scripted_model::say;
use testkit::system::Customer;

use crate::Options;
use crate::machine::{cpu_time, pss};
use crate::report::{Bar, Report};
use crate::world::{Database, World, run_sql};

const CONNECTIONS: usize = 16;
const CUSTOMERS: usize = 50;

/// Columns of `runs` that the filled rows have in common with the real run they are copied from.
const COPIED: &str = "org_id, app_id, agent, version, status, user_id, key_id, input, config, output, report, state, error, error_code, \
    model_id, model_label, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost, rung, cancel_requested_at, \
    started_at, completed_at, next_seq, lease_epoch, lease_worker, lease_until";

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    for database in options.databases() {
        let world = World::start(&database, &[], vec![say("Done.")]).await?;
        let customers = fill(&world, options.count(100_000, 2_000)).await?;
        one_database(options, report, (&world, &database), &customers).await?;
    }
    Ok(())
}

async fn one_database(
    options: &Options,
    report: &mut Report,
    (world, database): (&World, &Database),
    customers: &[Customer],
) -> anyhow::Result<()> {
    let engine = database.name();
    let request = |headers: &[String]| load::request("GET", "/api/runs?pageSize=20", &world.headers(headers), "");
    let as_customer = customers.iter().take(CONNECTIONS).map(|customer| request(&[format!("appstrate-user: {}", customer.id)])).collect();
    for (who, requests, bar) in
        [("key", vec![request(&[])], 4000.0), ("as audited end-users (one for each connection)", as_customer, 2000.0)]
    {
        let seconds = options.count(10, 1) as u64;
        let plan = Plan {
            address: world.address()?,
            requests,
            connections: CONNECTIONS,
            warmup: options.count(100, 5),
            stop: Stop::Time(Duration::from_secs(seconds)),
            interval: Duration::ZERO,
        };
        let single = Plan { connections: 1, stop: Stop::Requests(options.count(1000, 20)), ..plan.clone() };
        let server = world.server()?;
        let before = cpu_time(server)?;
        let outcome = tokio::task::spawn_blocking(move || load::run(&plan)).await??;
        let spent = cpu_time(server)?.saturating_sub(before);
        let single = tokio::task::spawn_blocking(move || load::run(&single)).await??;
        report.value(&format!("{engine}, {who}, rate"), outcome.per_second(), "req/s", Bar::AtLeast(bar));
        // Beside the rate: whatever else the machine does takes little of it.
        #[expect(clippy::cast_precision_loss, reason = "microseconds for people")]
        let each = spent.as_secs_f64() * 1e6 / outcome.latencies.len().max(1) as f64;
        report.value(&format!("{engine}, {who}, CPU of the server for each"), each, "µs", Bar::None);
        report.durations(&format!("{engine}, {who}, {CONNECTIONS} connections"), &outcome.latencies, Bar::None);
        report.durations(&format!("{engine}, {who}, 1 connection"), &single.latencies, Bar::None);
    }
    #[expect(clippy::cast_precision_loss, reason = "megabytes for people")]
    report.value(&format!("{engine}, memory of the server afterwards"), pss(world.server()?)? as f64 / 1024.0, "MB PSS", Bar::None);
    Ok(())
}

/// Makes `count` runs, spread over end-users, as copies of a real one: by SQL, because accepting them would take minutes.
async fn fill(world: &World, count: usize) -> anyhow::Result<Vec<Customer>> {
    let mut customers = Vec::new();
    for index in 0..CUSTOMERS {
        customers.push(world.tenant.customer(&format!("customer-{index}")).await?);
    }
    let run = world.customer.run(&world.agent, &json!({})).await?;
    ensure!(run["status"] == "success", "the run to copy did not succeed: {run:#}");
    let template = run["id"].as_str().context("a run has an id")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("fill.sql");
    std::fs::write(&file, sql(world, template, &customers, count)?)?;
    let begin = Instant::now();
    run_sql(world, &file).await?;
    let total = world.tenant.api.get("/api/runs?pageSize=20").await?;
    ensure!(total["pagination"]["total"] == count + 1, "the list says {}", total["pagination"]);
    let own = customers[0].api.get("/api/runs?pageSize=20").await?;
    ensure!(own["data"].as_array().is_some_and(|data| data.len() == 20), "an end-user sees {}", own["pagination"]);
    progress(&format!("{count} rows were filled in {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(customers)
}

#[expect(clippy::print_stderr, reason = "progress of a program")]
fn progress(text: &str) {
    eprintln!("bench: {text}");
}

fn sql(world: &World, template: &str, customers: &[Customer], count: usize) -> anyhow::Result<String> {
    let (org, app) = (&world.tenant.org, &world.tenant.app);
    let mut sql = String::from("CREATE TEMP TABLE filled (id TEXT, end_user_id TEXT, age BIGINT);\n");
    for start in (0..count).step_by(1000) {
        let rows: Vec<String> = (start..count.min(start + 1000))
            .map(|index| format!("('{}', '{}', {index})", RunId::new(&RandomIds), customers[index % CUSTOMERS].id))
            .collect();
        writeln!(sql, "INSERT INTO filled VALUES {};", rows.join(", "))?;
    }
    writeln!(
        sql,
        "INSERT INTO runs (id, end_user_id, created_at, {COPIED}) SELECT filled.id, filled.end_user_id, real.created_at - 1000 * age, {} \
         FROM filled JOIN runs AS real ON real.id = '{template}';",
        COPIED.split(", ").map(|column| format!("real.{}", column.trim())).collect::<Vec<_>>().join(", ")
    )?;
    let count_for = |owner: &str, total: usize| {
        format!(
            "INSERT INTO run_totals (app_id, owner, shard, org_id, total) VALUES ('{app}', '{owner}', 0, '{org}', {total}) \
             ON CONFLICT (app_id, owner, shard) DO UPDATE SET total = run_totals.total + excluded.total;"
        )
    };
    writeln!(sql, "{}", count_for("", count))?;
    for (index, customer) in customers.iter().enumerate() {
        writeln!(sql, "{}", count_for(&customer.id, (index..count).step_by(CUSTOMERS).count()))?;
    }
    // What autovacuum would do within a minute. SQLite plans without statistics, as in production.
    if world.database_url.is_some() {
        writeln!(sql, "ANALYZE runs; ANALYZE run_totals;")?;
    } else {
        sql.insert_str(0, "BEGIN;\n");
        writeln!(sql, "COMMIT;")?;
    }
    Ok(sql)
}
