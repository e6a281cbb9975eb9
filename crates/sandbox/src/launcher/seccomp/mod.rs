//! The system call filters: an allow-list, and a second list of calls that are refused with EPERM.
//!
//! What neither names answers ENOSYS, as on an older kernel: programs then fall back, where EPERM makes many give up. Of two
//! filters that both refuse, the one installed last decides the error number.

mod calls;

use std::collections::BTreeMap;
use std::io;

use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use crate::protocol::{Refusal, Step};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Every `CLONE_NEW*` flag that clone(2) takes. `CLONE_NEWTIME` is not among them: its bit is part of the signal number there.
const CLONE_NEW_ANYTHING: u64 = 0x7E02_0000;
/// The bits of a socket's type that are the type; above lie `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
const SOCKET_TYPE: u64 = 0xf;
/// Of a socket pair: what the tool host and the programs it starts make.
const PAIR_TYPES: [i32; 2] = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET];
/// `personality` values that change nothing that matters: the default, 32-bit, its `uname26` variants, and the query.
const PERSONALITIES: [u64; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// Installs both filters for this process and all that it starts.
pub(super) fn install() -> Result<(), Refusal> {
    let refused = |error: BackendError| Refusal::new(Step::Seccomp, error.to_string(), io::Error::from_raw_os_error(libc::EINVAL));
    for program in [allowed().map_err(refused)?, forbidden().map_err(refused)?] {
        apply_filter(&program).map_err(|error| Refusal::new(Step::Seccomp, error.to_string(), io::Error::last_os_error()))?;
    }
    Ok(())
}

fn allowed() -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = calls::allowed().map(|call| (call, Vec::new())).collect();
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
    rules.insert(libc::SYS_socket, streams(&families)?);
    // A pair reaches nobody else, and Rust's `Command::spawn` makes one of packets to learn why a start failed.
    let pairs = PAIR_TYPES.into_iter().map(|kind| rule([when(0, Eq, libc::AF_UNIX)?, when(1, MaskedEq(SOCKET_TYPE), kind)?]));
    rules.insert(libc::SYS_socketpair, pairs.collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_clone, vec![rule([when(0, MaskedEq(CLONE_NEW_ANYTHING), 0)?])?]);
    // Typing into the terminal that the worker may have been started from.
    rules.insert(libc::SYS_ioctl, vec![rule([when(1, Ne, libc::TIOCSTI)?, when(1, Ne, libc::TIOCLINUX)?])?]);
    let personalities = PERSONALITIES.into_iter().map(|value| rule([when(0, Eq, value)?]));
    rules.insert(libc::SYS_personality, personalities.collect::<Result<_, _>>()?);
    compile(rules, SeccompAction::Errno(errno(libc::ENOSYS)), SeccompAction::Allow)
}

fn forbidden() -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = calls::forbidden().map(|call| (call, Vec::new())).collect();
    let namespaces = [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWPID, libc::CLONE_NEWNET, libc::CLONE_NEWIPC]
        .into_iter()
        .chain([libc::CLONE_NEWUTS, libc::CLONE_NEWCGROUP])
        .map(|flag| rule([when(0, MaskedEq(u64::from(flag.unsigned_abs())), u64::from(flag.unsigned_abs()))?]));
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_ioctl, vec![rule([when(1, Eq, libc::TIOCSTI)?])?, rule([when(1, Eq, libc::TIOCLINUX)?])?]);
    let not_a_stream = |call: i64| -> Result<(i64, Vec<SeccompRule>), BackendError> {
        let granted: &[i32] = if call == libc::SYS_socketpair { &PAIR_TYPES } else { &[libc::SOCK_STREAM] };
        let types = (0..=SOCKET_TYPE).filter(|kind| !granted.iter().any(|granted| u64::from(granted.unsigned_abs()) == *kind));
        let mut refused: Vec<SeccompRule> = types.map(|kind| rule([when(1, MaskedEq(SOCKET_TYPE), kind)?])).collect::<Result<_, _>>()?;
        let [unix, inet, inet6] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
        refused.push(if call == libc::SYS_socketpair {
            rule([when(0, Ne, unix)?])?
        } else {
            rule([when(0, Ne, unix)?, when(0, Ne, inet)?, when(0, Ne, inet6)?])?
        });
        Ok((call, refused))
    };
    rules.extend([not_a_stream(libc::SYS_socket)?, not_a_stream(libc::SYS_socketpair)?]);
    let unusual: Vec<SeccompCondition> = PERSONALITIES.into_iter().map(|value| when(0, Ne, value)).collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_personality, vec![SeccompRule::new(unusual)?]);
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(errno(libc::EPERM)))
}

fn streams(families: &[i32]) -> Result<Vec<SeccompRule>, BackendError> {
    families.iter().map(|family| rule([when(0, Eq, *family)?, when(1, MaskedEq(SOCKET_TYPE), libc::SOCK_STREAM)?])).collect()
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(Vec::from(conditions))
}

/// A condition on the low 32 bits of an argument: the kernel reads no more of these, so upper bits must not change the answer.
fn when(argument: u8, operator: SeccompCmpOp, value: impl TryInto<u64>) -> Result<SeccompCondition, BackendError> {
    let value = value.try_into().unwrap_or_else(|_| unreachable!("constants of this file are not negative"));
    SeccompCondition::new(argument, Dword, operator, value)
}

fn errno(number: i32) -> u32 {
    number.unsigned_abs()
}

fn compile(rules: Rules, otherwise: SeccompAction, matching: SeccompAction) -> Result<BpfProgram, BackendError> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, otherwise, matching, architecture)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_filters_compile_below_the_kernels_length_limit() {
        for program in [allowed().unwrap(), forbidden().unwrap()] {
            assert!(program.len() <= 4096, "BPF_MAXINSNS");
        }
    }

    #[test]
    fn no_call_is_both_allowed_and_forbidden() {
        let both: Vec<_> = calls::forbidden().filter(|call| calls::allowed().any(|other| other == *call)).collect();
        assert!(both.is_empty(), "{both:?}");
    }
}
