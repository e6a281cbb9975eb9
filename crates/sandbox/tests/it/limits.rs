//! What the sandbox may use up, with cgroups and without.

use std::fs;

use sandbox::{ExitCause, NamespaceSandbox};

use crate::support::{MIB, Running, cgroups_of, limits, sandbox, tree};

/// The two ways limits are kept; the same where no cgroup is writable.
fn both() -> [NamespaceSandbox; 2] {
    [sandbox(), sandbox().without_cgroups()]
}

#[tokio::test]
async fn a_fork_bomb_stays_within_the_process_limit() {
    for sandbox in both() {
        let mut running = Running::start(&sandbox, "run_forks").await;
        let bomb = "i=0; while [ $i -lt 200 ]; do sleep 1000 </dev/null >/dev/null 2>&1 & i=$((i+1)); done; echo all";
        let answer = running.probe.shell(bomb);
        assert!(answer.contains("fork"), "the shell is told: {answer}");
        let guard = running.handle.guard().unwrap();
        let processes = tree(guard).len() - 1;
        let limit = usize::try_from(limits().processes).unwrap();
        assert!((limit / 2..=limit).contains(&processes), "{processes} processes");
        running.handle.kill();
        assert_eq!(running.handle.wait().await.cause, ExitCause::Killed);
    }
}

#[tokio::test]
async fn filling_the_disk_stops_at_the_workspaces_cap() {
    let mut running = Running::start(&sandbox(), "run_disk").await;
    let fill =
        "for d in /workspace /tmp /dev/shm; do head -c 9M /dev/zero > $d/big; done; cat /workspace/big /tmp/big /dev/shm/big | wc -c";
    let answer = running.probe.shell(fill);
    let written: u64 = answer.parse().unwrap_or_else(|_| panic!("{answer}"));
    assert!((9 * MIB..=limits().workspace_bytes).contains(&written), "one cap holds for all three: {written}");
    assert_eq!(running.probe.shell("rm /workspace/big /tmp/big; echo again > /workspace/small; cat /workspace/small"), "again");

    let single = running.probe.shell("rm -f /dev/shm/big; head -c 100M /dev/zero > /workspace/one; stat -c %s /workspace/one");
    assert!(single.parse::<u64>().unwrap_or_else(|_| panic!("{single}")) <= limits().workspace_bytes);
    let names = running.probe.shell("rm /workspace/one; cd /workspace; seq 1 10000 | xargs touch 2>/dev/null; ls | wc -l");
    assert!(names.parse::<u64>().unwrap_or_else(|_| panic!("{names}")) <= limits().workspace_bytes / 4096, "{names} files");
}

#[tokio::test]
async fn a_memory_bomb_is_killed_and_counted_while_the_tool_host_lives() {
    for sandbox in both() {
        let mut running = Running::start(&sandbox, "run_memory").await;
        // tail keeps a line without end in memory.
        let answer = running.probe.shell("head -c 400M /dev/zero | tail > /dev/null; echo $?");
        assert!(answer.ends_with("137"), "killed by SIGKILL: {answer}");
        assert_eq!(running.probe.shell("echo alive"), "alive");
        running.probe.send("exit 0");
        let exit = running.handle.wait().await;
        assert_eq!(exit.cause, ExitCause::Finished { code: 0 });
        assert!(exit.memory_kills >= 1, "{exit:?}");
    }
}

#[tokio::test]
async fn a_tool_host_that_is_the_bomb_ends_as_out_of_memory() {
    for sandbox in both() {
        let mut running = Running::start(&sandbox, "run_hoard").await;
        running.probe.send("hoard");
        let exit = running.handle.wait().await;
        assert_eq!(exit.cause, ExitCause::OutOfMemory, "{exit:?}");
        assert!(exit.memory_kills >= 1, "{exit:?}");
    }
}

#[tokio::test]
async fn a_crash_leaves_no_core() {
    let mut running = Running::start(&sandbox(), "run_core").await;
    let answer = running.probe.shell("cd /workspace; sh -c 'kill -SEGV $$'; ulimit -c; ls -A | wc -l");
    assert!(answer.ends_with("0|0"), "{answer}");
}

#[tokio::test]
async fn the_limits_stand_in_the_cgroups() {
    let running = Running::start(&sandbox(), "run_cgroup").await;
    let limits = limits();
    let expected = [
        ("memory.limit_in_bytes", limits.memory_bytes.to_string()),
        ("memory.max", limits.memory_bytes.to_string()),
        ("pids.max", limits.processes.to_string()),
        ("cpu.cfs_quota_us", "100000".to_owned()),
        ("cpu.max", "100000 100000".to_owned()),
    ];
    for directory in cgroups_of(running.handle.guard().unwrap()) {
        let found: Vec<_> = expected
            .iter()
            .filter_map(|(file, value)| fs::read_to_string(directory.join(file)).ok().map(|text| (text.trim().to_owned(), value)))
            .collect();
        assert!(!found.is_empty(), "{} limits nothing", directory.display());
        assert!(found.iter().all(|(text, value)| text == *value), "{}: {found:?}", directory.display());
        let members = fs::read_to_string(directory.join("cgroup.procs")).unwrap();
        assert_eq!(members.lines().count(), 2, "init and the tool host, not the guard: {members}");
    }
}
