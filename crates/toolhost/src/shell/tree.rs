//! Finds and kills everything that a command started: its process group, its descendants, and whatever carries its mark in the environment.

use std::collections::HashSet;
use std::fs;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// The environment variable that marks a command's processes, also those that left its group and session.
pub(super) const MARK: &str = "APPSTRATE_CALL_ID";

const MAX_ROUNDS: usize = 50;

/// The mark of one call of this host.
pub(super) fn mark(call: u64) -> String {
    format!("{MARK}={}.{call}\0", std::process::id())
}

/// The start of the marks of all calls of this host.
pub(super) fn mark_of_all() -> String {
    format!("{MARK}={}.", std::process::id())
}

/// Asks the whole tree to end.
pub(super) fn terminate(group: Pid, mark: &str) {
    signal_group(group, Signal::SIGTERM);
    for pid in marked(mark) {
        signal(pid, Signal::SIGTERM);
    }
}

/// Kills the whole tree.
pub(super) fn kill_tree(group: Pid, mark: &str) {
    signal_group(group, Signal::SIGKILL);
    kill_all(mark);
}

/// Kills every marked process, again until there is none: some may be starting others meanwhile.
pub(super) fn kill_all(mark: &str) {
    for _ in 0..MAX_ROUNDS {
        let pids = marked(mark);
        if pids.is_empty() {
            return;
        }
        for pid in pids {
            signal(pid, Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn signal_group(group: Pid, which: Signal) {
    // A group that has ended needs no signal.
    let _ended: Result<(), Errno> = killpg(group, which);
}

fn signal(pid: Pid, which: Signal) {
    // A process that has ended needs no signal.
    let _ended: Result<(), Errno> = kill(pid, which);
}

struct Process {
    pid: i32,
    parent: i32,
    is_marked: bool,
}

/// The living processes with the mark, and their descendants.
fn marked(mark: &str) -> Vec<Pid> {
    let own = std::process::id().cast_signed();
    let processes: Vec<Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| look_at(&entry.file_name().to_string_lossy(), mark))
        .collect();
    let mut found: HashSet<i32> =
        processes.iter().filter(|process| process.is_marked && process.pid != own).map(|process| process.pid).collect();
    loop {
        let before = found.len();
        found.extend(
            processes
                .iter()
                .filter(|process| process.pid != own && found.contains(&process.parent))
                .map(|process| process.pid)
                .collect::<Vec<_>>(),
        );
        if found.len() == before {
            return found.into_iter().map(Pid::from_raw).collect();
        }
    }
}

/// `None` for what is no living process of ours.
fn look_at(name: &str, mark: &str) -> Option<Process> {
    let pid: i32 = name.parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything; state and parent follow the last one.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let is_marked = contains_variable(&environment, mark.as_bytes());
    Some(Process { pid, parent, is_marked })
}

fn contains_variable(environment: &[u8], mark: &[u8]) -> bool {
    environment.starts_with(mark) || environment.windows(mark.len() + 1).any(|window| window[0] == 0 && window[1..] == *mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_variable_is_a_mark() {
        let mark = b"M=1.2\0";
        assert!(contains_variable(b"M=1.2\0A=b\0", mark));
        assert!(contains_variable(b"A=b\0M=1.2\0", mark));
        assert!(!contains_variable(b"A=M=1.2\0", mark));
        assert!(!contains_variable(b"A=b\0M=1.23\0", mark));
    }
}
