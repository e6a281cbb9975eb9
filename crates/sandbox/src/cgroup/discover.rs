//! Which cgroups this process may divide.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PREFIX;
use crate::protocol::CgroupPlan;

/// How often, and how long apart, the groups of a killed guard are tried again.
const SWEEP_TRIES: u32 = 100;
const SWEEP_PAUSE: Duration = Duration::from_millis(10);

/// Finds the place for the cgroups of sandboxes. Writes nothing that stays, except that a delegated version 2 group is prepared.
pub(crate) fn discover() -> CgroupPlan {
    let (Ok(mounts), Ok(own)) = (fs::read_to_string("/proc/self/mountinfo"), fs::read_to_string("/proc/self/cgroup")) else {
        return CgroupPlan::None;
    };
    let layout = Layout::parse(&mounts, &own);
    if let Some(parent) = layout.unified.as_deref().and_then(divisible) {
        return CgroupPlan::V2 { parent };
    }
    let usable = |controller: &str| layout.controller(controller).filter(|path| may_create(path));
    let plan = CgroupPlan::V1 { memory: usable("memory"), pids: usable("pids"), cpu: usable("cpu") };
    if plan == (CgroupPlan::V1 { memory: None, pids: None, cpu: None }) { CgroupPlan::None } else { plan }
}

/// Removes groups of guards that no longer exist. Those of living ones are not touched: their processes keep them busy.
pub(crate) fn sweep(plan: &CgroupPlan) -> Vec<PathBuf> {
    let entries = parents(plan).filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_orphan(path)).filter(|path| fs::remove_dir(path).is_ok()).collect()
}

/// Removes the groups of a guard that was killed; waits a moment for the last processes to leave them.
pub(crate) fn sweep_after(plan: &CgroupPlan, guard: u32) {
    let suffix = format!("-{guard}");
    for _ in 0..SWEEP_TRIES {
        sweep(plan);
        let left = parents(plan).filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten();
        let ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(&suffix);
        if !left.into_iter().any(|entry| entry.file_name().to_str().is_some_and(ours)) {
            return;
        }
        std::thread::sleep(SWEEP_PAUSE);
    }
}

fn parents(plan: &CgroupPlan) -> impl Iterator<Item = &PathBuf> {
    let parents = match plan {
        CgroupPlan::None => [None, None, None],
        CgroupPlan::V1 { memory, pids, cpu } => [memory.as_ref(), pids.as_ref(), cpu.as_ref()],
        CgroupPlan::V2 { parent } => [Some(parent), None, None],
    };
    parents.into_iter().flatten()
}

fn is_orphan(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let guard = name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit('-').next()).and_then(|pid| pid.parse::<u32>().ok());
    guard.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
}

/// This process's own cgroup directories.
#[derive(Debug, Default, PartialEq, Eq)]
struct Layout {
    unified: Option<PathBuf>,
    /// Controller and directory, version 1.
    controllers: Vec<(String, PathBuf)>,
}

impl Layout {
    /// Joins where hierarchies are mounted (`/proc/self/mountinfo`) with this process's place in them (`/proc/self/cgroup`).
    fn parse(mounts: &str, own: &str) -> Self {
        let mounted: Vec<Mounted> = mounts.lines().filter_map(Mounted::parse).collect();
        let mut layout = Self::default();
        for line in own.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            if controllers.is_empty() {
                layout.unified = mounted.iter().filter(|mount| mount.unified).find_map(|mount| mount.locate(path));
                continue;
            }
            for controller in controllers.split(',') {
                let place = mounted.iter().filter(|mount| mount.options.iter().any(|option| option == controller));
                if let Some(directory) = place.into_iter().find_map(|mount| mount.locate(path)) {
                    layout.controllers.push((controller.to_owned(), directory));
                }
            }
        }
        layout
    }

    fn controller(&self, name: &str) -> Option<PathBuf> {
        self.controllers.iter().find(|(controller, _)| controller == name).map(|(_, path)| path.clone())
    }
}

struct Mounted {
    /// The group that the mount shows at its top.
    root: String,
    point: PathBuf,
    unified: bool,
    options: Vec<String>,
}

impl Mounted {
    /// Reads a line of mountinfo, see proc_pid_mountinfo(5).
    fn parse(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?.to_owned(), PathBuf::from(mount.next()?));
        let mut file_system = file_system.split(' ');
        let kind = file_system.next()?;
        let options = file_system.nth(1).unwrap_or_default().split(',').map(str::to_owned).collect();
        matches!(kind, "cgroup" | "cgroup2").then(|| Self { root, point, unified: kind == "cgroup2", options })
    }

    fn locate(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(&self.root).ok()?;
        let directory = self.point.join(below);
        Some(directory)
    }
}

/// Where a version 2 group with memory and pids limits can be made: below the own group, beside it, or below it after moving this
/// process one level down (a group with processes of its own cannot hand controllers on).
fn divisible(own: &Path) -> Option<PathBuf> {
    let hands_on = |group: &Path| {
        let enabled = fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
        ["memory", "pids"].iter().all(|wanted| enabled.split_whitespace().any(|controller| controller == *wanted))
    };
    [Some(own), own.parent()]
        .into_iter()
        .flatten()
        .find(|group| hands_on(group) && may_create(group))
        .map(Path::to_path_buf)
        .or_else(|| prepare_delegated(own).filter(|group| hands_on(group)))
}

/// Moves this process, alone in its group, into a leaf and enables the controllers for the leaf's siblings.
fn prepare_delegated(own: &Path) -> Option<PathBuf> {
    let offered = fs::read_to_string(own.join("cgroup.controllers")).ok()?;
    let offers = |controller: &str| offered.split_whitespace().any(|each| each == controller);
    let processes = fs::read_to_string(own.join("cgroup.procs")).ok()?;
    let alone = processes.split_whitespace().all(|pid| pid == std::process::id().to_string());
    if !(offers("memory") && offers("pids") && alone) {
        return None;
    }
    let leaf = own.join("worker");
    if let Err(error) = fs::create_dir(&leaf)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return None;
    }
    fs::write(leaf.join("cgroup.procs"), std::process::id().to_string()).ok()?;
    let wanted = if offers("cpu") { "+memory +pids +cpu" } else { "+memory +pids" };
    fs::write(own.join("cgroup.subtree_control"), wanted).ok()?;
    Some(own.to_path_buf())
}

fn may_create(parent: &Path) -> bool {
    let trial = parent.join(format!("{PREFIX}trial-{}", std::process::id()));
    fs::create_dir(&trial).is_ok() && fs::remove_dir(&trial).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 24 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw
34 30 0:30 / /sys/fs/cgroup/memory rw,relatime shared:15 - cgroup cgroup rw,memory
35 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:16 - cgroup cgroup rw,cpu,cpuacct
";

    #[test]
    fn a_hybrid_host_is_read() {
        let layout = Layout::parse(HYBRID, "9:name=systemd:/\n4:memory:/service/one\n2:cpu,cpuacct:/\n0::/user.slice\n");
        assert_eq!(layout.unified, Some(PathBuf::from("/sys/fs/cgroup/unified/user.slice")));
        assert_eq!(layout.controller("memory"), Some(PathBuf::from("/sys/fs/cgroup/memory/service/one")));
        assert_eq!(layout.controller("cpu"), Some(PathBuf::from("/sys/fs/cgroup/cpu,cpuacct/")));
        assert_eq!(layout.controller("pids"), None);
    }

    #[test]
    fn inside_a_container_the_mount_shows_only_a_part() {
        let mounts = "40 30 0:30 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let layout = Layout::parse(mounts, "4:memory:/docker/abc\n");
        assert_eq!(layout.controller("memory"), Some(PathBuf::from("/sys/fs/cgroup/memory/")));
        assert_eq!(Layout::parse(mounts, "4:memory:/elsewhere\n").controller("memory"), None, "a group outside of the mount is not ours");
    }

    #[test]
    fn a_version_2_group_is_used_where_it_hands_controllers_on() {
        let tree = tempfile::tempdir().expect("temporary directory");
        let own = tree.path().join("app.slice/appstrate.service");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("cgroup.subtree_control"), "").unwrap();
        fs::write(own.join("cgroup.controllers"), "memory pids cpu").unwrap();
        fs::write(own.join("cgroup.procs"), format!("{}\n1\n", std::process::id())).unwrap();
        assert_eq!(divisible(&own), None, "the group has another process and its parent hands nothing on");

        fs::write(own.parent().unwrap().join("cgroup.subtree_control"), "cpu memory pids").unwrap();
        assert_eq!(divisible(&own), own.parent().map(Path::to_path_buf), "beside the own group");

        fs::write(own.join("cgroup.subtree_control"), "memory pids").unwrap();
        assert_eq!(divisible(&own), Some(own.clone()), "below the own group");
    }

    #[test]
    fn a_delegated_version_2_group_is_prepared() {
        let tree = tempfile::tempdir().expect("temporary directory");
        let own = tree.path().join("appstrate.service");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("cgroup.controllers"), "cpuset cpu memory pids").unwrap();
        fs::write(own.join("cgroup.procs"), format!("{}\n", std::process::id())).unwrap();
        assert_eq!(prepare_delegated(&own), Some(own.clone()));
        assert_eq!(fs::read_to_string(own.join("worker/cgroup.procs")).unwrap(), std::process::id().to_string());
        assert_eq!(fs::read_to_string(own.join("cgroup.subtree_control")).unwrap(), "+memory +pids +cpu");
    }

    #[test]
    fn only_groups_of_dead_guards_are_swept() {
        let tree = tempfile::tempdir().expect("temporary directory");
        let living = tree.path().join(format!("{PREFIX}run_a-{}", std::process::id()));
        // Above the largest pid that Linux can give.
        let dead = tree.path().join(format!("{PREFIX}run_b-4194305"));
        let foreign = tree.path().join("docker-4194305");
        for directory in [&living, &dead, &foreign] {
            fs::create_dir(directory).unwrap();
        }
        let swept = sweep(&CgroupPlan::V2 { parent: tree.path().to_path_buf() });
        assert_eq!(swept, [dead]);
        assert!(living.exists() && foreign.exists());
    }
}
