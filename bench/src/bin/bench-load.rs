//! `bench-load ADDRESS CONNECTIONS REQUESTS WARMUP INTERVAL_MICROSECONDS PATH [HEADER]...`: GETs, then one line
//! `BENCH count min p50 p90 p99 max rate` (nanoseconds, requests per second).

use std::process::ExitCode;
use std::time::Duration;

use bench::load::{self, Plan, Stop};
use bench::quantiles::Quantiles;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match measure(&arguments) {
        Ok(line) => {
            println!("BENCH {line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Result<String, String> {
    let [address, connections, requests, warmup, interval, path, headers @ ..] = arguments else {
        return Err("usage: ADDRESS CONNECTIONS REQUESTS WARMUP INTERVAL_MICROSECONDS PATH [HEADER]...".to_owned());
    };
    let number = |text: &str| text.parse::<usize>().map_err(|_| format!("{text:?} is not a number"));
    let plan = Plan {
        address: address.parse().map_err(|_| format!("{address:?} is not an address"))?,
        requests: vec![load::request("GET", path, headers, "")],
        connections: number(connections)?,
        warmup: number(warmup)?,
        stop: Stop::Requests(number(requests)?),
        interval: Duration::from_micros(number(interval)? as u64),
    };
    let outcome = load::run(&plan).map_err(|error| error.to_string())?;
    let quantiles = Quantiles::of(&outcome.latencies).ok_or("nothing was measured")?;
    Ok(format!("{quantiles} {:.0}", outcome.per_second()))
}
