//! What an operator can do about a machine that refuses.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::contract::{SandboxError, Unavailable};
use crate::{Refusal, Step};

/// Explains why no sandbox can be built here.
pub(super) fn explain(error: &SandboxError) -> Unavailable {
    let remedy = match error {
        SandboxError::Refused(refusal) => for_refusal(refusal, &Machine::read()),
        SandboxError::Spawn(source) if source.kind() == std::io::ErrorKind::PermissionDenied => {
            "allow programs to run from memory: sysctl vm.memfd_noexec must not be 2, and /proc must be mounted".to_owned()
        }
        _ => "see the log; is the file a working appstrate-toolhost?".to_owned(),
    };
    Unavailable { what: describe(error), remedy }
}

fn describe(error: &SandboxError) -> String {
    let mut text = error.to_string();
    let mut source = match error {
        // The refusal is already in the text.
        SandboxError::Refused(_) => None,
        other => other.source(),
    };
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Settings that decide about user namespaces; `None` where the kernel does not have them.
#[derive(Debug, Default)]
struct Machine {
    debian_user_namespaces: Option<String>,
    user_namespaces: Option<String>,
    apparmor_restriction: Option<String>,
    container: bool,
}

impl Machine {
    fn read() -> Self {
        let setting = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        Self {
            debian_user_namespaces: setting("/proc/sys/kernel/unprivileged_userns_clone"),
            user_namespaces: setting("/proc/sys/user/max_user_namespaces"),
            apparmor_restriction: setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            container: ["/.dockerenv", "/run/.containerenv"].iter().any(|path| Path::new(path).exists()),
        }
    }
}

fn for_refusal(refusal: &Refusal, machine: &Machine) -> String {
    const CONTAINER: &str = "run the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined \
                             (and --security-opt apparmor=unconfined), or use another RUN_ADAPTER";
    let is = |setting: &Option<String>, value: &str| setting.as_deref() == Some(value);
    let denied = matches!(refusal.errno, libc::EPERM | libc::EACCES);
    match refusal.step {
        Step::Namespaces if is(&machine.user_namespaces, "0") || refusal.errno == libc::ENOSPC => {
            "raise the number of user namespaces: sysctl -w user.max_user_namespaces=15000".to_owned()
        }
        Step::Namespaces if denied && is(&machine.debian_user_namespaces, "0") => {
            "allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1, or run the worker as root".to_owned()
        }
        Step::Namespaces | Step::IdMap | Step::Identity | Step::Network | Step::Root | Step::Proc
            if denied && is(&machine.apparmor_restriction, "1") =>
        {
            "AppArmor restricts user namespaces: give appstrate-toolhost a profile with `userns,`, or \
             sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run the worker as root"
                .to_owned()
        }
        Step::Namespaces | Step::Root | Step::Proc | Step::Network if denied && machine.container => CONTAINER.to_owned(),
        Step::Namespaces if refusal.errno == libc::EINVAL => "the kernel lacks user namespaces (CONFIG_USER_NS)".to_owned(),
        Step::Proc if denied => "parts of /proc are covered by other mounts; run the worker where /proc is whole".to_owned(),
        Step::IdMap => "the uid range of sandboxes must be mapped where the worker runs; choose one inside /proc/self/uid_map, \
                        or run the worker as an ordinary user"
            .to_owned(),
        Step::Root if refusal.errno == libc::ENOSYS => "Linux 5.12 or newer is needed".to_owned(),
        Step::Cgroup => "make the cgroup writable for the worker as a whole (Delegate=yes), or not at all".to_owned(),
        _ => "use another RUN_ADAPTER on this machine, or report this".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(step: Step, errno: i32) -> Refusal {
        Refusal { step, errno, detail: "x".to_owned() }
    }

    #[test]
    fn each_known_refusal_names_its_setting() {
        let ubuntu = Machine { apparmor_restriction: Some("1".to_owned()), ..Machine::default() };
        assert!(for_refusal(&refusal(Step::Root, libc::EACCES), &ubuntu).contains("apparmor_restrict_unprivileged_userns=0"));
        let debian = Machine { debian_user_namespaces: Some("0".to_owned()), ..Machine::default() };
        assert!(for_refusal(&refusal(Step::Namespaces, libc::EPERM), &debian).contains("unprivileged_userns_clone=1"));
        let closed = Machine { user_namespaces: Some("0".to_owned()), ..Machine::default() };
        assert!(for_refusal(&refusal(Step::Namespaces, libc::ENOSPC), &closed).contains("user.max_user_namespaces"));
        let docker = Machine { container: true, ..Machine::default() };
        assert!(for_refusal(&refusal(Step::Namespaces, libc::EPERM), &docker).contains("seccomp=unconfined"));
        assert!(for_refusal(&refusal(Step::Proc, libc::EPERM), &docker).contains("systempaths=unconfined"));
    }

    #[test]
    fn the_words_hold_the_step_the_path_and_the_kernels_answer() {
        let unavailable = explain(&SandboxError::Refused(Refusal { step: Step::Proc, errno: libc::EPERM, detail: "/proc".to_owned() }));
        assert_eq!(unavailable.what, "could not mount /proc in the sandbox (/proc): Operation not permitted");
    }
}
