//! The memory limit where no cgroup is writable: init sums its namespace and kills the largest process.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const KIB: u64 = 1024;

/// Sums anonymous and shared memory of every process of the sandbox. Pages shared after a fork count in each: the sum errs upwards.
pub(super) struct Supervisor {
    limit: u64,
}

impl Supervisor {
    /// Time between two looks. At one GB/s of page faults a bomb overshoots by 20 MB.
    pub(super) const INTERVAL_MS: u16 = 20;

    pub(super) const fn new(limit: u64) -> Self {
        Self { limit }
    }

    /// Kills the process with the most memory if the sum is above the limit; `true` when it did.
    pub(super) fn enforce(&mut self) -> io::Result<bool> {
        let own = i32::try_from(std::process::id()).ok();
        let mut sum = 0;
        let mut largest = None;
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            // A process that ended since the listing has no memory.
            let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            let bytes = resident_bytes(&status);
            sum += bytes;
            if Some(pid) != own && largest.is_none_or(|(_, most)| bytes > most) {
                largest = Some((pid, bytes));
            }
        }
        let Some((pid, _)) = largest.filter(|_| sum > self.limit) else { return Ok(false) };
        match kill(Pid::from_raw(pid), Signal::SIGKILL) {
            Ok(()) => Ok(true),
            Err(Errno::ESRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The memory that only this process keeps alive: `RssAnon` and `RssShmem` of `/proc/<pid>/status`, see proc_pid_status(5).
fn resident_bytes(status: &str) -> u64 {
    let kib = |line: &str| line.trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0);
    let counted = status.lines().filter_map(|line| line.strip_prefix("RssAnon:").or_else(|| line.strip_prefix("RssShmem:")));
    counted.map(kib).sum::<u64>() * KIB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_and_shared_memory_count_but_files_do_not() {
        let status = "Name:\tpython3\nVmRSS:\t   12000 kB\nRssAnon:\t    1000 kB\nRssFile:\t   10000 kB\nRssShmem:\t    1000 kB\n";
        assert_eq!(resident_bytes(status), 2000 * KIB);
        assert_eq!(resident_bytes("Name:\tkthreadd\n"), 0, "a zombie or kernel thread has none");
    }
}
