//! Tools that misbehave end in an error, and the next call works.

use std::time::{Duration, Instant};

use serde_json::json;
use wire::hands::ToHands;

use crate::host::{Host, fixture, text, with_packages};

const MEMORY: u64 = 32 * 1024 * 1024;

fn hostile() -> Host {
    let host = Host::limited(with_packages(&[fixture("hostile")]), MEMORY, Duration::from_millis(1500));
    assert_eq!(host.failures, []);
    host
}

/// Calls `tool`, which must fail with this text, and proves that the package still works.
fn fails_and_recovers(tool: &str, expected: &str) {
    let mut host = hostile();
    host.ok("count", json!({}));
    let error = host.fails(tool, json!({}));
    assert!(error.contains(expected), "{tool}: {error}");
    host.ok("count", json!({}));
}

#[test]
fn an_exception_is_an_error_with_its_message() {
    fails_and_recovers("throws", "RangeError: too far (the map ended)");
    fails_and_recovers("throws_text", "just text");
    fails_and_recovers("throws_at_once", "at once");
    fails_and_recovers("exits", "process.exit(3)");
    fails_and_recovers("execs", "pi.exec is not available");
}

#[test]
fn endless_loops_are_stopped_at_the_deadline() {
    for tool in ["loops", "storms", "backtracks", "ticks_for_ever"] {
        fails_and_recovers(tool, &format!("the call timed out in tool '{tool}'"));
    }
}

#[test]
fn a_loop_that_no_interrupt_reaches_is_left_behind() {
    fails_and_recovers("native_loop", "timed out");
}

#[test]
fn memory_and_stack_are_bounded() {
    fails_and_recovers("hoards", "out of memory");
    fails_and_recovers("recurses", "Maximum call stack size exceeded");
}

#[test]
fn many_small_objects_fill_the_memory_too() {
    let mut host = Host::limited(with_packages(&[fixture("hostile")]), MEMORY, Duration::from_secs(30));
    for _ in 0..4 {
        let started = Instant::now();
        let error = host.fails("hoards_small", json!({}));
        assert!(started.elapsed() < Duration::from_secs(30), "{error}");
        assert_eq!(host.ok("count", json!({})), "1");
    }
    assert!(host.close().success());
}

#[test]
fn a_promise_that_nothing_can_settle_ends_the_call_early() {
    fails_and_recovers("never", "never finished");
}

#[test]
fn a_timeout_aborts_the_signal() {
    let mut host = hostile();
    let error = host.fails("waits_for_abort", json!({}));
    assert!(error.contains("timed out"), "{error}");
    assert_eq!(host.lines, [("waits_for_abort".to_owned(), "aborted: TimeoutError".to_owned())]);
}

#[test]
fn a_cancellation_stops_waiting_and_running_code() {
    let mut host = Host::limited(with_packages(&[fixture("hostile")]), MEMORY, Duration::from_mins(2));
    for tool in ["waits_for_abort", "loops", "storms", "ticks_for_ever"] {
        let call = host.begin(tool, json!({}), None);
        host.send(&ToHands::Cancel { call });
        let outcome = host.end(call);
        assert!(outcome.is_error && text(&outcome).contains("cancelled"), "{tool}: {outcome:?}");
        host.ok("count", json!({}));
    }
}

#[test]
fn one_call_that_loops_does_not_fail_its_neighbors() {
    let mut host = Host::limited(with_packages(&[fixture("hostile")]), MEMORY, Duration::from_mins(2));
    let waiting = host.begin("waits_for_abort", json!({}), None);
    let looping = host.begin("loops", json!({}), Some(Duration::from_millis(300)));
    assert!(text(&host.end(looping)).contains("timed out"));
    host.ok("count", json!({}));
    host.send(&ToHands::Cancel { call: waiting });
    assert!(text(&host.end(waiting)).contains("cancelled"));
}

#[test]
fn strange_results_are_carried_or_refused_and_never_break_the_frame() {
    let mut host = Host::limited(with_packages(&[fixture("hostile")]), 256 * 1024 * 1024, Duration::from_mins(1));
    let halves = host.call("halves", json!({}));
    assert_eq!((text(&halves).as_str(), halves.details, halves.is_error), ("a\u{fffd}b \\ud800", None, false));
    assert!(host.fails("deep", json!({})).contains("not valid"));
    assert!(host.fails("giant", json!({})).contains("too large"));
    assert_eq!(host.ok("chatters", json!({})), "done");
    let sent: usize = host.lines.iter().map(|(_, line)| line.len()).sum();
    assert!(sent < 2 * 1024 * 1024, "{sent}");
}
