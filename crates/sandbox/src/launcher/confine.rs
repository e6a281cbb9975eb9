//! Giving up rights: user, resources, capabilities, Landlock.

use std::io;

use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, make_bitflags,
};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{self, Gid, Uid};
use wire::run_spec::SandboxLimits;

use super::guard::INNER_ID;
use crate::protocol::{Refusal, Step};
use crate::sys;

/// Open files of one process.
const OPEN_FILES: u64 = 4096;
/// Memory that one process may lock, in bytes.
const LOCKED_BYTES: u64 = 8 * 1024 * 1024;

/// Becomes the one user that the namespace maps. The capabilities of the namespace stay: its uid 0 is not mapped, so none is left.
pub(super) fn become_user() -> Result<(), Refusal> {
    let (uid, gid) = (Uid::from_raw(INNER_ID), Gid::from_raw(INNER_ID));
    unistd::setresgid(gid, gid, gid).map_err(|error| Refusal::new(Step::Identity, "setresgid", error))?;
    unistd::setresuid(uid, uid, uid).map_err(|error| Refusal::new(Step::Identity, "setresuid", error))
}

/// Sets the limits that hold without any cgroup. The process limit counts within the user namespace.
pub(super) fn limit_resources(limits: &SandboxLimits) -> Result<(), Refusal> {
    let wanted = [
        (Resource::RLIMIT_NPROC, u64::from(limits.processes)),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
        (Resource::RLIMIT_FSIZE, limits.workspace_bytes),
        (Resource::RLIMIT_MEMLOCK, LOCKED_BYTES),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_RTPRIO, 0),
        (Resource::RLIMIT_NICE, 0),
    ];
    for (resource, value) in wanted {
        let set = getrlimit(resource).and_then(|(_, most)| setrlimit(resource, value.min(most), value.min(most)));
        set.map_err(|error| Refusal::new(Step::Limits, format!("{resource:?} {value}"), error))?;
    }
    Ok(())
}

/// Leaves no capability in any set and no way to gain one; hides the memory of init and the tool host from what they start.
pub(super) fn drop_capabilities() -> Result<(), Refusal> {
    let refused = |detail: &'static str| move |error: io::Error| Refusal::new(Step::Capabilities, detail, error);
    prctl::set_no_new_privs().map_err(|error| refused("no_new_privs")(error.into()))?;
    sys::forbid_capabilities().map_err(refused("bounding set"))?;
    sys::keep_capabilities(0).map_err(refused("capset"))?;
    prctl::set_dumpable(false).map_err(|error| refused("dumpable")(error.into()))
}

/// Applies Landlock as far as the kernel has it, and says how far that was.
pub(super) fn apply_landlock() -> Result<String, Refusal> {
    let grants = grants()?;
    let refused = |error: RulesetError| Refusal::new(Step::Landlock, error.to_string(), io::Error::last_os_error());
    let status = restrict(grants).map_err(refused)?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => "none".to_owned(),
        (_, LandlockStatus::Available { effective_abi, .. }) => format!("abi {}", effective_abi as i32),
    })
}

/// What may be done where; all else is refused.
fn grants() -> Result<Vec<PathBeneath<PathFd>>, Refusal> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
    // Device nodes are nobody's business; /dev has the five that there are.
    let write = AccessFs::from_all(ABI::V9) & !make_bitflags!(AccessFs::{MakeChar | MakeBlock | IoctlDev});
    let in_place = make_bitflags!(AccessFs::{WriteFile | Truncate});
    let grants: [(&str, BitFlags<AccessFs>); 6] = [
        ("/", read),
        ("/workspace", write),
        ("/tmp", write),
        ("/dev/shm", write),
        ("/dev", in_place | AccessFs::IoctlDev),
        ("/proc", in_place),
    ];
    let open = |path| PathFd::new(path).map_err(|_| Refusal::new(Step::Landlock, path, io::Error::last_os_error()));
    grants.into_iter().map(|(path, access)| Ok(PathBeneath::new(open(path)?, access))).collect()
}

fn restrict(grants: Vec<PathBeneath<PathFd>>) -> Result<RestrictionStatus, RulesetError> {
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(ABI::V9))?.scope(Scope::from_all(ABI::V6))?.create()?;
    ruleset.add_rules(grants.into_iter().map(Ok::<_, RulesetError>))?.restrict_self()
}
