//! The system calls that no safe wrapper covers. All `unsafe` of the crate is here.
#![expect(unsafe_code, reason = "raw system calls of the launcher; each one carries its argument")]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that the kernel has just installed for this process.
pub(crate) fn adopt(raw: RawFd) -> OwnedFd {
    // SAFETY: the only caller passes numbers out of an SCM_RIGHTS message, which nobody else has seen.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

#[cfg(feature = "launcher")]
pub(crate) use launcher::*;

#[cfg(feature = "launcher")]
mod launcher {
    use std::ffi::CStr;
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::path::Path;

    use nix::unistd::Pid;

    fn check(result: i64) -> io::Result<i64> {
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
    }

    /// Closes every descriptor from `first` upwards, whoever opened it.
    pub(crate) fn close_from(first: u32) -> io::Result<()> {
        // SAFETY: called at the very start of the process, before it has made a descriptor of its own.
        check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) }).map(drop)
    }

    /// Forks into new namespaces. `None` in the child, which is their first process.
    ///
    /// `flags` are `CLONE_NEW*`; the caller must have one thread only.
    pub(crate) fn fork_into(flags: i32) -> io::Result<Option<Pid>> {
        let flags = i64::from(flags) | i64::from(libc::SIGCHLD);
        // SAFETY: no CLONE_VM, so this is a fork: the child has its own copy of memory and of the stack. With one thread no lock can be held.
        let pid = check(unsafe { libc::syscall(libc::SYS_clone, flags, 0_i64, 0_i64, 0_i64, 0_i64) })?;
        Ok((pid != 0).then(|| Pid::from_raw(i32::try_from(pid).expect("a pid fits an i32"))))
    }

    /// As [`fork_into`], with the child born in a version 2 cgroup. Needs Linux 5.7.
    pub(crate) fn fork_into_cgroup(flags: i32, cgroup: BorrowedFd<'_>) -> io::Result<Option<Pid>> {
        const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
        // SAFETY: `clone_args` is plain data for which zeroes are valid.
        let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
        arguments.flags = u64::from(flags.cast_unsigned()) | CLONE_INTO_CGROUP;
        arguments.exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
        arguments.cgroup = u64::from(cgroup.as_raw_fd().unsigned_abs());
        // SAFETY: no CLONE_VM and no stack, so this is a fork, as above; the structure lives across the call.
        let pid = check(unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, std::mem::size_of::<libc::clone_args>()) })?;
        Ok((pid != 0).then(|| Pid::from_raw(i32::try_from(pid).expect("a pid fits an i32"))))
    }

    /// Forks. `None` in the child. The caller must have one thread only.
    pub(crate) fn fork() -> io::Result<Option<Pid>> {
        // SAFETY: with one thread no lock can be held across the fork.
        let pid = check(i64::from(unsafe { libc::fork() }))?;
        Ok((pid != 0).then(|| Pid::from_raw(i32::try_from(pid).expect("a pid fits an i32"))))
    }

    /// `struct mount_attr` of mount_setattr(2).
    #[repr(C)]
    struct MountAttributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }

    pub(crate) const ATTR_READ_ONLY: u64 = 0x1;
    pub(crate) const ATTR_NO_SUID: u64 = 0x2;
    pub(crate) const ATTR_NO_DEVICES: u64 = 0x4;
    pub(crate) const ATTR_NO_EXEC: u64 = 0x8;

    /// Sets attributes of the mount at `path`, and of all below it when `recursive`. Needs Linux 5.12.
    pub(crate) fn set_mount_attributes(path: &Path, attributes: u64, recursive: bool) -> io::Result<()> {
        let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())?;
        let values = MountAttributes { set: attributes, clear: 0, propagation: 0, user_namespace: 0 };
        let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
        // SAFETY: path is a C string and values a live `mount_attr` of the size given; the kernel only reads them.
        let result = unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                libc::AT_FDCWD,
                path.as_ptr(),
                flags,
                &raw const values,
                std::mem::size_of::<MountAttributes>(),
            )
        };
        check(result).map(drop)
    }

    /// Brings the network interface `lo` up.
    pub(crate) fn loopback_up() -> io::Result<()> {
        // SAFETY: creates a descriptor that is adopted at once.
        let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        let socket = super::adopt(i32::try_from(check(i64::from(socket))?).expect("a descriptor fits an i32"));
        // SAFETY: `ifreq` is plain data for which zeroes are valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo\0") {
            *slot = libc::c_char::try_from(*byte).expect("ASCII");
        }
        request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).expect("the flags fit a short");
        // SAFETY: SIOCSIFFLAGS reads one `ifreq`, which lives on the stack.
        check(i64::from(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) })).map(drop)
    }

    /// Empties the NIS domain name, which a new UTS namespace inherits.
    pub(crate) fn clear_domain_name() -> io::Result<()> {
        const EMPTY: &CStr = c"";
        // SAFETY: reads zero bytes.
        check(i64::from(unsafe { libc::setdomainname(EMPTY.as_ptr(), 0) })).map(drop)
    }

    #[repr(C)]
    struct CapabilityHeader {
        version: u32,
        pid: i32,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct CapabilityWord {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }

    const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

    /// Keeps of the permitted capabilities those in `keep` (bit per number), effective; drops the inheritable ones.
    pub(crate) fn keep_capabilities(keep: u64) -> io::Result<()> {
        let mut header = CapabilityHeader { version: CAPABILITY_VERSION_3, pid: 0 };
        let mut words = [CapabilityWord::default(); 2];
        // SAFETY: version 3 writes two words, which is what the array holds.
        check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) })?;
        let halves = [keep & u64::from(u32::MAX), keep >> 32];
        for (word, half) in words.iter_mut().zip(halves) {
            word.permitted &= u32::try_from(half).expect("half of 64 bits");
            word.effective = word.permitted;
            word.inheritable = 0;
        }
        // SAFETY: version 3 reads two words.
        check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) }).map(drop)
    }

    /// Empties the bounding set and the ambient set, and locks the rule that uid 0 gains nothing.
    pub(crate) fn forbid_capabilities() -> io::Result<()> {
        const NOROOT_AND_NO_SETUID_FIXUP_LOCKED: u64 = 0b1111;
        const NO_AMBIENT_RAISE_LOCKED: u64 = 0b1100_0000;
        for capability in 0..64_u64 {
            // SAFETY: plain numbers.
            let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
            if result < 0 {
                let error = io::Error::last_os_error();
                if error.raw_os_error() == Some(libc::EINVAL) {
                    break; // Past the last capability that this kernel knows.
                }
                return Err(error);
            }
        }
        // SAFETY: plain numbers.
        check(i64::from(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) }))?;
        let bits = NOROOT_AND_NO_SETUID_FIXUP_LOCKED | NO_AMBIENT_RAISE_LOCKED;
        // SAFETY: plain numbers.
        check(i64::from(unsafe { libc::prctl(libc::PR_SET_SECUREBITS, bits, 0, 0, 0) })).map(drop)
    }
}
