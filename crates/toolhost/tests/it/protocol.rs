//! The socket: one answer per call, and an end that leaves nothing behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use serde_json::json;
use wire::frame::{read_frame, write_frame};
use wire::hands::{File, FromHands, ToHands};

use crate::host::{Host, file, fixture, setup, start, text, wait, with_packages};

#[test]
fn files_are_put_with_their_mode_and_in_order() {
    let mut setup = setup();
    setup.files.push(File { mode: 0o755, ..file("bin/run.sh", "#!/bin/sh\necho ran\n") });
    let mut host = Host::new(setup);
    assert_eq!(host.ok("bash", json!({"command": "bin/run.sh"})), "ran\n");
    assert_eq!(fs::metadata(host.path("bin/run.sh")).expect("stat").permissions().mode() & 0o777, 0o755);
    for (call, part) in ["one ", "two ", "three"].into_iter().enumerate() {
        host.send(&ToHands::Put { call: 100 + call as u64, file: file("documents/a.txt", part), append: call > 0 });
    }
    for call in 100..103 {
        assert!(!host.end(call).is_error);
    }
    assert_eq!(fs::read_to_string(host.path("documents/a.txt")).expect("reads"), "one two three");
}

#[test]
fn a_put_never_leaves_the_workspace() {
    let mut host = Host::plain();
    let outside = tempfile::tempdir().expect("temp");
    symlink(outside.path(), host.path("link")).expect("link");
    for (call, path) in ["../x", "/etc/x", "a/../../x", "link/x", "a//b", ""].into_iter().enumerate() {
        host.send(&ToHands::Put { call: 200 + call as u64, file: file(path, "x"), append: false });
        assert!(host.end(200 + call as u64).is_error, "{path}");
    }
    assert_eq!(fs::read_dir(outside.path()).expect("reads").count(), 0);
}

#[test]
fn a_setup_that_cannot_be_carried_out_says_why_and_ends() {
    let directory = tempfile::tempdir().expect("temp");
    let (mut child, mut socket) = start(directory.path());
    let mut setup = setup();
    setup.files.push(file("../escape", "x"));
    write_frame(&mut socket, &ToHands::Setup(setup)).expect("sends");
    let answer = read_frame::<FromHands>(&mut socket).expect("receives");
    assert!(matches!(&answer, Some(FromHands::Failed { message }) if message.contains("'../escape'")), "{answer:?}");
    assert!(!wait(&mut child).success());
}

#[test]
fn a_peer_that_breaks_the_protocol_is_left() {
    for first in [ToHands::Cancel { call: 1 }, ToHands::Put { call: 1, file: file("a", "b"), append: false }] {
        let directory = tempfile::tempdir().expect("temp");
        let (mut child, mut socket) = start(directory.path());
        write_frame(&mut socket, &first).expect("sends");
        assert!(!wait(&mut child).success());
    }
    let directory = tempfile::tempdir().expect("temp");
    let (mut child, mut socket) = start(directory.path());
    std::io::Write::write_all(&mut socket, &[0, 0, 0, 4, b'n', b'o', b'n', b'e']).expect("sends");
    assert!(!wait(&mut child).success());
}

#[test]
fn a_closed_socket_ends_the_host_and_everything_it_started() {
    let mut host = Host::new(with_packages(&[fixture("hostile")]));
    let pids = host.ok("bash", json!({"command": "setsid sleep 1000 >/dev/null 2>&1 & echo $!; sleep 1000 & echo $!"}));
    host.begin("bash", json!({"command": "sleep 1000 | sleep 1000"}), None);
    host.begin("loops", json!({}), Some(Duration::from_mins(1)));
    assert!(host.close().success());
    for pid in pids.lines() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_else(|_| ") Z".to_owned());
        assert!(stat.rsplit_once(") ").expect("stat").1.starts_with(['Z', 'X']), "{stat}");
    }
}

#[test]
fn an_unknown_tool_and_wrong_arguments_are_errors() {
    let mut host = Host::plain();
    assert_eq!(host.fails("nonsense", json!({})), "there is no tool 'nonsense' here");
    for tool in ["bash", "read", "write", "edit", "ls", "find", "grep"] {
        let error = host.fails(tool, json!({"path": 5, "pattern": 5}));
        assert!(error.contains("arguments do not fit"), "{tool}: {error}");
    }
}

#[test]
fn many_calls_at_once_each_get_one_answer() {
    let mut host = Host::plain();
    let calls: Vec<_> = (0..40).map(|n| host.begin("bash", json!({"command": format!("echo {n}; exit {}", n % 2)}), None)).collect();
    for (n, call) in calls.into_iter().enumerate() {
        let outcome = host.end(call);
        assert!(text(&outcome).starts_with(&format!("{n}\n")) && outcome.is_error == (n % 2 == 1), "{outcome:?}");
    }
}
