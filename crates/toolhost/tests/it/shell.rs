//! `bash`: limits, exit codes, and trees that die whole.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use wire::hands::ToHands;

use crate::host::{Host, text};

/// Processes that carry this marker in their command line.
fn alive(marker: &str) -> usize {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(marker)).count()
}

#[test]
fn output_order_exit_code_and_environment_are_kept() {
    let mut host = Host::plain();
    let outcome = host.call("bash", json!({"command": "echo out; echo err >&2; echo $GREETING $PWD; cat; exit 3"}));
    let root = host.path("").to_str().expect("utf-8").trim_end_matches('/').to_owned();
    assert_eq!(text(&outcome), format!("out\nerr\nhello {root}\n\n[Command exited with code 3]"));
    assert!(outcome.is_error);
    assert_eq!(outcome.details.expect("details")["exitCode"], 3);
    assert_eq!(host.ok("bash", json!({"command": "true"})), "(no output)");
    assert!(host.fails("bash", json!({"command": "kill -9 $$"})).contains("killed by signal 9"));
    assert!(!host.ok("bash", json!({"command": "env"})).contains("CARGO"));
    assert!(host.fails("bash", json!({"command": "true", "timeout": -1})).contains("positive"));
    assert!(host.fails("bash", json!({"command": format!(": {}", "x".repeat(200_000))})).contains("128 KiB"));
}

#[test]
fn a_gigabyte_of_output_is_cut_and_kept_within_bounds() {
    let mut host = Host::plain();
    let outcome = host.call("bash", json!({"command": "head -c 1073741824 /dev/zero | tr '\\0' 'x'; echo; echo the end"}));
    let shown = text(&outcome);
    assert!(
        shown.len() < 51 * 1024
            && shown.contains("the end\n\n[Showing the end of 1073741833 bytes; the first 67108864 bytes are in .pi/output/bash-1.log]"),
        "{shown:.300}"
    );
    let file = outcome.details.expect("details")["fullOutputPath"].as_str().expect("path").to_owned();
    assert_eq!(fs::metadata(host.path(&file)).expect("kept").len(), 64 << 20);
    let status = fs::read_to_string(format!("/proc/{}/status", host.pid())).expect("status");
    let peak: u64 = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok()).expect("peak");
    assert!(peak < 64 * 1024, "peak of {peak} kB");
}

#[test]
fn long_output_shows_its_last_lines() {
    let mut host = Host::plain();
    let shown = host.ok("bash", json!({"command": "seq 5000"}));
    assert!(
        shown.starts_with("3001\n") && shown.contains("\n5000\n") && shown.contains("full output is in .pi/output/bash-1.log"),
        "{shown:.100}"
    );
    assert_eq!(fs::read_to_string(host.path(".pi/output/bash-1.log")).expect("kept").lines().count(), 5000);
}

#[test]
fn a_timeout_kills_the_whole_tree_whatever_it_did_to_hide() {
    let mut host = Host::plain();
    let marker = format!("31{:07}", host.pid());
    // Sleeping children of children, some in sessions of their own, some deaf to SIGTERM.
    let command = format!(
        "trap '' TERM; for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4; do sleep {marker} & done; setsid sleep {marker} & wait) & done; echo started; wait; sleep {marker}"
    );
    let outcome = host.call("bash", json!({"command": command, "timeout": 1}));
    assert!(outcome.is_error && text(&outcome).contains("timed out after"), "{outcome:?}");
    assert!(text(&outcome).starts_with("started\n"));
    assert_eq!(outcome.details.expect("details")["timedOut"], true);
    assert_eq!(alive(&marker), 0);
}

#[test]
fn a_cancellation_kills_the_tree_long_before_the_timeout() {
    let mut host = Host::plain();
    let marker = format!("32{:07}", host.pid());
    let call = host.begin("bash", json!({"command": format!("sleep {marker} | sleep {marker}; echo never")}), None);
    while alive(&marker) < 2 {
        std::thread::yield_now();
    }
    let started = Instant::now();
    host.send(&ToHands::Cancel { call });
    let outcome = host.end(call);
    assert!(outcome.is_error && text(&outcome).contains("cancelled") && !text(&outcome).contains("never"), "{outcome:?}");
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(alive(&marker), 0);
}

#[test]
fn a_background_process_does_not_hold_the_call_and_serves_the_next() {
    let mut host = Host::plain();
    let shown = host.ok("bash", json!({"command": "(while :; do echo tick > beat; sleep 0.05; echo noise; done) & echo started"}));
    assert!(shown.starts_with("started\n"), "{shown}");
    assert_eq!(host.ok("bash", json!({"command": "rm -f beat; until [ -e beat ]; do sleep 0.01; done; cat beat"})), "tick\n");
}

#[test]
fn a_default_timeout_applies_and_the_call_may_bound_it() {
    let mut host = Host::limited(crate::host::setup(), 1 << 26, Duration::from_millis(300));
    assert!(host.fails("bash", json!({"command": "sleep 1000"})).contains("timed out"));
    let bounded = host.begin("bash", json!({"command": "sleep 1000", "timeout": 1000}), Some(Duration::from_millis(300)));
    assert!(text(&host.end(bounded)).contains("timed out"));
    assert_eq!(host.ok("bash", json!({"command": "sleep 0.6; echo slept", "timeout": 30})), "slept\n");
}
