//! The server's processes, seen from outside through `/proc`.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// A process that does not change its meaning when its number is used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    parent: u32,
    /// Clock ticks since boot.
    started: u64,
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// All living processes.
fn all() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// `None`: gone, or only waiting for its parent to take note of its end.
fn read(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
    Some(Process { pid, parent: fields.get(1)?.parse().ok()?, started: fields.get(19)?.parse().ok()?, name, arguments })
}

impl Process {
    pub(crate) fn is_alive(&self) -> bool {
        read(self.pid).is_some_and(|now| now.started == self.started)
    }

    pub(crate) fn is_sidecar(&self) -> bool {
        self.arguments.contains(" sidecar ")
    }

    /// Ends it as the kernel's out-of-memory killer would.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        let status = std::process::Command::new("kill").args(["-KILL", &self.pid.to_string()]).status()?;
        if status.success() { Ok(()) } else { bail!("could not kill {self:?}") }
    }
}

/// All descendants of a process.
pub(crate) fn below(root: u32) -> Vec<Process> {
    let all = all();
    let mut family: HashSet<u32> = HashSet::from([root]);
    loop {
        let before = family.len();
        family.extend(all.iter().filter(|process| family.contains(&process.parent)).map(|process| process.pid).collect::<Vec<_>>());
        if family.len() == before {
            break;
        }
    }
    all.into_iter().filter(|process| process.pid != root && family.contains(&process.pid)).collect()
}

/// The processes of sandboxes: guards, inits, tool hosts and all that these have started.
pub(crate) fn of_sandboxes(server: u32) -> Vec<Process> {
    below(server).into_iter().filter(|process| !process.is_sidecar()).collect()
}

/// Waits until these are gone, at most ten seconds.
pub(crate) async fn gone(processes: &[Process]) -> anyhow::Result<()> {
    let alive = || processes.iter().filter(|process| process.is_alive()).collect::<Vec<_>>();
    until("processes to end", || Ok(alive().is_empty())).await.with_context(|| format!("{:#?}", alive()))
}

/// Polls what another process does, at most ten seconds.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    for _ in 0..400 {
        if is_so()? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    bail!("waited in vain for {what}")
}

/// Cgroup directories that carry the name of a run.
pub(crate) fn cgroups_of(run: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(std::path::PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((folder, depth)) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().to_string_lossy().contains(run) {
                found.push(entry.path());
            } else if depth < 5 {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    found
}
