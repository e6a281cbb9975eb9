//! The cgroups of one sandbox.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;
use wire::run_spec::SandboxLimits;

use super::PREFIX;
use crate::protocol::CgroupPlan;

/// Length of a CPU period in microseconds, for both versions.
const CPU_PERIOD_US: u64 = 100_000;
/// How often, and how long apart, removal is tried again: the kernel lets go of a group a moment after its last process.
const REMOVE_TRIES: u32 = 100;
const REMOVE_PAUSE: Duration = Duration::from_millis(10);

/// The directories made for one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Group {
    directories: Vec<PathBuf>,
    /// The version 2 directory, open: a process can be born in it.
    birthplace: Option<File>,
    /// The file whose `oom_kill` line counts, and where it lies.
    kills: Option<PathBuf>,
}

impl Group {
    /// Makes the groups that `plan` allows and sets their limits. Nothing is left when it fails.
    pub(crate) fn create(plan: &CgroupPlan, name: &str, limits: &SandboxLimits) -> io::Result<(Self, Doors)> {
        let leaf = format!("{PREFIX}{name}-{}", std::process::id());
        let mut group = Self::default();
        match group.fill(plan, &leaf, limits) {
            Ok(doors) => Ok((group, doors)),
            Err(error) => match group.remove() {
                None => Err(error),
                Some(leftover) => Err(io::Error::other(format!("{error}; and {leftover}"))),
            },
        }
    }

    fn fill(&mut self, plan: &CgroupPlan, leaf: &str, limits: &SandboxLimits) -> io::Result<Doors> {
        let mut doors = Doors::default();
        match plan {
            CgroupPlan::None => {}
            CgroupPlan::V1 { memory, pids, cpu } => {
                if let Some(parent) = memory {
                    let directory = self.make(parent, leaf)?;
                    write(&directory, "memory.limit_in_bytes", &limits.memory_bytes)?;
                    // Without swap accounting the file is not there; then swap is the machine's business.
                    if directory.join("memory.memsw.limit_in_bytes").exists() {
                        write(&directory, "memory.memsw.limit_in_bytes", &limits.memory_bytes)?;
                    }
                    self.kills = Some(directory.join("memory.oom_control"));
                }
                if let Some(parent) = pids {
                    let directory = self.make(parent, leaf)?;
                    write(&directory, "pids.max", &limits.processes)?;
                }
                if let Some(parent) = cpu {
                    let directory = self.make(parent, leaf)?;
                    write(&directory, "cpu.cfs_period_us", &CPU_PERIOD_US)?;
                    write(&directory, "cpu.cfs_quota_us", &quota(limits))?;
                }
            }
            CgroupPlan::V2 { parent } => {
                let directory = self.make(parent, leaf)?;
                write(&directory, "memory.max", &limits.memory_bytes)?;
                if directory.join("memory.swap.max").exists() {
                    write(&directory, "memory.swap.max", &0)?;
                }
                write(&directory, "pids.max", &limits.processes)?;
                if directory.join("cpu.max").exists() {
                    write(&directory, "cpu.max", &format!("{} {CPU_PERIOD_US}", quota(limits)))?;
                }
                self.kills = Some(directory.join("memory.events"));
                self.birthplace = Some(File::open(&directory).map_err(|error| in_context(&directory, &error))?);
            }
        }
        if matches!(plan, CgroupPlan::V1 { .. }) {
            for directory in &self.directories {
                let path = directory.join("tasks");
                doors.0.push(File::options().write(true).open(&path).map_err(|error| in_context(&path, &error))?);
            }
        }
        Ok(doors)
    }

    fn make(&mut self, parent: &Path, leaf: &str) -> io::Result<PathBuf> {
        let directory = parent.join(leaf);
        fs::create_dir(&directory).map_err(|error| in_context(&directory, &error))?;
        self.directories.push(directory.clone());
        Ok(directory)
    }

    /// The version 2 group, for clone3(2).
    pub(crate) fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        self.birthplace.as_ref().map(AsFd::as_fd)
    }

    /// Moves a process into the version 2 group; what it starts follows.
    ///
    /// The kernel may wait 10 ms before it moves another process. So this is for kernels that cannot give birth in a group.
    pub(crate) fn admit(&self, process: Pid) -> io::Result<()> {
        if self.birthplace.is_none() {
            return Ok(());
        }
        self.directories.iter().try_for_each(|directory| write(directory, "cgroup.procs", &process))
    }

    /// How many processes the kernel has killed for memory.
    pub(crate) fn memory_kills(&self) -> u64 {
        let Some(text) = self.kills.as_ref().and_then(|path| fs::read_to_string(path).ok()) else { return 0 };
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")).and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    }

    /// Removes the groups, whose processes are gone. `Some`: what would not go, in words.
    pub(crate) fn remove(&mut self) -> Option<String> {
        let mut leftovers = Vec::new();
        for directory in self.directories.drain(..) {
            if let Err(error) = remove_patiently(&directory) {
                leftovers.push(in_context(&directory, &error).to_string());
            }
        }
        (!leftovers.is_empty()).then(|| leftovers.join("; "))
    }
}

/// The version 1 groups as init inherits them, open. A thread that moves itself does not make the kernel wait (Linux 5.5).
#[derive(Debug, Default)]
pub(crate) struct Doors(Vec<File>);

impl Doors {
    /// Moves the calling thread, the only one of its process, into the groups; what it starts follows.
    pub(crate) fn enter(self) -> io::Result<()> {
        self.0.into_iter().try_for_each(|mut door| door.write_all(b"0"))
    }
}

fn remove_patiently(directory: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match fs::remove_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && tries < REMOVE_TRIES => {
                tries += 1;
                std::thread::sleep(REMOVE_PAUSE);
            }
            other => return other,
        }
    }
}

fn quota(limits: &SandboxLimits) -> u64 {
    u64::from(limits.cpu_percent.max(1)) * CPU_PERIOD_US / 100
}

fn write(directory: &Path, file: &str, value: &dyn Display) -> io::Result<()> {
    let path = directory.join(file);
    fs::write(&path, value.to_string()).map_err(|error| in_context(&path, &error))
}

fn in_context(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
