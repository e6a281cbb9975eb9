//! `POST /api/agents/@scope/name/run`, from the request's first byte to the answer's last.
//!
//! The server has the role `api`: what is measured is accepting (preflight, row, spec, event, job, counters, commit), not a worker that
//! carries out the runs before it on the same two cores.

use std::time::Duration;

use bench::load::{self, Plan, Stop};

use crate::Options;
use crate::report::{Bar, Report};
use crate::world::World;

const BAR: Bar = Bar::AtMost { p50: 2.0, p99: Some(10.0) };

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    for database in options.databases() {
        let world = World::start(&database, &[("ROLE", "api")], Vec::new()).await?;
        let engine = database.name();
        let with_key = world.start_request(&[]);
        let for_customer = world.start_request(&[format!("appstrate-user: {}", world.customer.id)]);
        let plan = Plan {
            address: world.address()?,
            requests: vec![with_key],
            connections: 1,
            warmup: options.count(100, 5),
            stop: Stop::Requests(options.count(1000, 20)),
            interval: Duration::ZERO,
        };
        let one = plan.clone();
        let outcome = tokio::task::spawn_blocking(move || load::run(&one)).await??;
        report.durations(&format!("{engine}, key, 1 connection"), &outcome.latencies, BAR);
        let one = Plan { requests: vec![for_customer.clone()], ..plan.clone() };
        let outcome = tokio::task::spawn_blocking(move || load::run(&one)).await??;
        report.durations(&format!("{engine}, for an end-user, 1 connection"), &outcome.latencies, BAR);
        let many = Plan { requests: vec![for_customer], connections: 16, warmup: 5, stop: Stop::Requests(options.count(200, 5)), ..plan };
        let outcome = tokio::task::spawn_blocking(move || load::run(&many)).await??;
        let what = format!("{engine}, for an end-user, 16 connections in a closed loop ({:.0} runs/s)", outcome.per_second());
        report.durations(&what, &outcome.latencies, Bar::None);
    }
    Ok(())
}
