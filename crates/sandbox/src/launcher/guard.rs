//! The guard: the process outside of the sandbox that owns its beginning and its end.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::waitpid;
use nix::unistd::{self, Pid};

use super::{Entered, Inherited, init};
use crate::cgroup::Group;
use crate::protocol::{self, Ended, Identity, InitReport, LaunchSpec, Refusal, Report, Step};
use crate::sys;

/// The user that the sandbox sees itself as. Not 0: nothing inside should take itself for root.
pub(super) const INNER_ID: u32 = 1000;

const CAP_DAC_OVERRIDE: u64 = 1 << 1;
const CAP_KILL: u64 = 1 << 5;

/// Starts init in new namespaces, and guards it until the end. Returns in the tool host only, or with a refusal.
pub(super) fn run(spec: &LaunchSpec, inherited: Inherited, control: &mut Option<OwnedFd>) -> Result<Entered, Refusal> {
    detach().map_err(|error| Refusal::new(Step::Namespaces, "leave the worker's session", error))?;
    if spec.identity != Identity::Own {
        unistd::setgroups(&[]).map_err(|error| Refusal::new(Step::IdMap, "setgroups", error))?;
    }
    let (outside, inside) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|error| Refusal::new(Step::Namespaces, "socketpair", error))?;
    let (mut group, doors) = Group::create(&spec.cgroup, &spec.name, &spec.limits).map_err(cgroup_refused)?;
    let forked = match fork(&group) {
        Ok(forked) => forked,
        Err(refusal) => {
            group.remove();
            return Err(refusal);
        }
    };
    let Some(child) = forked else {
        // The group holds a directory of the host open.
        drop((outside, group));
        return init::run(spec, inherited, inside, doors, control);
    };
    drop((inside, doors));
    let Inherited { tools, liveness } = inherited;
    drop(tools);

    let init = child.pid;
    if let Err(refusal) = admit(spec, &child, &outside, &group) {
        end(init).map_err(|error| Refusal::new(Step::Start, "end init after a refusal", error))?;
        group.remove();
        return Err(refusal);
    }
    let mut ended = watch(init, &outside, &liveness).map_err(|error| Refusal::new(Step::Start, "guard the sandbox", error))?;
    ended.memory_kills += group.memory_kills();
    ended.leftover = group.remove();
    if let Some(control) = control {
        // The worker may be gone; nobody else needs to know.
        drop(protocol::send(control.as_fd(), &Report::Ended(ended), &[]));
    }
    std::process::exit(0)
}

/// Forks init into its namespaces and, where the kernel can, into its cgroup. `None` in init.
fn fork(group: &Group) -> Result<Option<Child>, Refusal> {
    let namespaces = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    if let Some(birthplace) = group.birthplace()
        && let Ok(forked) = sys::fork_into_cgroup(namespaces.bits(), birthplace)
    {
        return Ok(forked.map(|pid| Child { pid, inside: true }));
    }
    // Before Linux 5.7, or where a container's filter knows no clone3.
    let forked = sys::fork_into(namespaces.bits())
        .map_err(|error| Refusal::new(Step::Namespaces, "clone with user, mount, pid, net, ipc and uts", error))?;
    Ok(forked.map(|pid| Child { pid, inside: false }))
}

/// Init as the guard sees it.
struct Child {
    pid: Pid,
    /// It was born in its cgroup.
    inside: bool,
}

fn cgroup_refused(error: io::Error) -> Refusal {
    Refusal { detail: error.to_string(), ..Refusal::new(Step::Cgroup, "", error) }
}

/// Leaves the worker's session, so that a signal to its terminal's group does not reach us, and its directory.
fn detach() -> io::Result<()> {
    unistd::setsid()?;
    unistd::chdir("/")?;
    umask(Mode::from_bits_truncate(0o022));
    prctl::set_name(c"sandbox-guard")?;
    Ok(())
}

/// Gives init its user and its limits, gives up what the guard no longer needs, and lets init go on.
fn admit(spec: &LaunchSpec, child: &Child, outside: &OwnedFd, group: &Group) -> Result<(), Refusal> {
    map_user(spec.identity, child.pid)?;
    if !child.inside {
        group.admit(child.pid).map_err(cgroup_refused)?;
    }
    sys::keep_capabilities(CAP_KILL | CAP_DAC_OVERRIDE).map_err(|error| Refusal::new(Step::Capabilities, "of the guard", error))?;
    prctl::set_no_new_privs().map_err(|error| Refusal::new(Step::Capabilities, "no_new_privs of the guard", error))?;
    match protocol::send(outside.as_fd(), &true, &[]) {
        // Init has given up, and reported why itself.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        sent => sent.map_err(|error| Refusal::new(Step::Start, "let init go on", error)),
    }
}

/// Maps the one user and the one group of the sandbox to the outside.
fn map_user(identity: Identity, init: Pid) -> Result<(), Refusal> {
    let (uid, gid) = match identity {
        Identity::Own => (unistd::geteuid().as_raw(), unistd::getegid().as_raw()),
        Identity::Given(id) => (id, id),
    };
    let entries = [
        // An ordinary user may map its group only once groups cannot be changed inside.
        ("setgroups", "deny".to_owned()),
        ("gid_map", format!("{INNER_ID} {gid} 1")),
        ("uid_map", format!("{INNER_ID} {uid} 1")),
    ];
    for (file, content) in entries {
        let path = format!("/proc/{init}/{file}");
        fs::write(&path, &content).map_err(|error| Refusal::new(Step::IdMap, format!("{file} {content}"), error))?;
    }
    Ok(())
}

/// Waits until init is gone, or the worker lets go; then nothing of the sandbox runs any more.
fn watch(init: Pid, outside: &OwnedFd, liveness: &OwnedFd) -> io::Result<Ended> {
    let mut ended = Ended::default();
    loop {
        let mut descriptors = [PollFd::new(outside.as_fd(), PollFlags::POLLIN), PollFd::new(liveness.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [reported, released] = descriptors.map(|descriptor| descriptor.any().unwrap_or(true));
        if released {
            break;
        }
        if reported {
            match protocol::receive::<InitReport>(outside.as_fd())? {
                Some((InitReport::HostEnded(end), _)) => ended.host = Some(end),
                Some((InitReport::MemoryKill, _)) => ended.memory_kills += 1,
                None => break,
            }
        }
    }
    end(init)?;
    Ok(ended)
}

/// Kills init, with which the kernel kills all of its namespace, and waits until it is gone.
fn end(init: Pid) -> io::Result<()> {
    match kill(init, Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(error.into()),
    }
    loop {
        match waitpid(init, None) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}
