//! What the machine says about itself and its processes, from /proc.

use std::collections::HashMap;
use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

/// CPU, cores, memory, kernel, load.
pub(crate) fn describe() -> anyhow::Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")).map_or("unknown CPU", |rest| rest.trim_matches(['\t', ' ', ':']));
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kilobytes: u64 =
        memory.split_whitespace().nth(1).and_then(|text| text.parse().ok()).context("/proc/meminfo begins with MemTotal")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = thread::available_parallelism()?;
    Ok(format!("{model}, {cores} cores, {} GB, Linux {}, load average {}", kilobytes >> 20, kernel.trim(), load_average()?))
}

/// Over one, five and fifteen minutes.
pub(crate) fn load_average() -> anyhow::Result<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

/// A process and its place in the tree.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// The child of the tree's root that it hangs below, or is.
    pub(crate) branch: u32,
    /// Its arguments, separated by spaces.
    pub(crate) command: String,
}

/// Everything below `root`, without it.
pub(crate) fn descendants(root: u32) -> anyhow::Result<Vec<Process>> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process that ends while it is looked at is no descendant any more.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name stands in parentheses and may hold anything; state and parent follow it.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let branch = |pid: u32| {
        let mut at = pid;
        while let Some(&parent) = parents.get(&at) {
            if parent == root {
                return Some(at);
            }
            at = parent;
        }
        None
    };
    let below = parents.keys().filter_map(|&pid| branch(pid).map(|branch| Process { pid, branch, command: command(pid) }));
    Ok(below.collect())
}

fn command(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// What a process has spent so far, its own code and the kernel's for it together. The clock of /proc ticks a hundred times a second.
pub(crate) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    // The name stands in parentheses and may hold anything. Behind it the state is field 3, utime and stime 14 and 15 (proc(5)).
    let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).with_context(|| format!("{path} has no name"))?;
    let ticks: Vec<u64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(10) * u32::try_from(ticks.iter().sum::<u64>())?)
}

/// Memory of a process in kilobytes, pages that are shared counted by their share.
pub(crate) fn pss(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).with_context(|| format!("{path} has no Pss"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
