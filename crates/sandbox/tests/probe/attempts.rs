//! The attempts by name. Each says what it got: `ok …` with what was gained, or the kernel's error.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::syscalls::{call, name, pointer, through_the_32_bit_gate};

const X32: i64 = 0x4000_0000;

pub(crate) fn carry_out(attempt: &str, argument: &str) -> String {
    match attempt {
        "environment" => std::env::vars_os().map(|(key, _)| key.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "),
        "read" => outcome(fs::read(argument).map(|bytes| format!("{} bytes", bytes.len()))),
        "content" => outcome(fs::read_to_string(argument)),
        "list" => outcome(names(argument)),
        "processes" => outcome(names("/proc").map(|names| names.split(' ').filter(|name| name.parse::<u32>().is_ok()).count().to_string())),
        "create" => outcome(File::create(argument).map(|_| String::new())),
        "mkdir" => outcome(fs::create_dir(argument).map(|()| String::new())),
        "append" => outcome(append(argument)),
        "remove" => outcome(fs::remove_file(argument).map(|()| String::new())),
        "hard link" => outcome(fs::hard_link(argument, "/workspace/linked").map(|()| String::new())),
        "follow link" => outcome(follow_link(argument)),
        "device number" => outcome(fs::metadata(argument).map(|metadata| format!("{:x}", metadata.rdev()))),
        "rewrite launcher" => outcome(rewrite_launcher()),
        "setuid programs" => outcome(setuid_programs()),
        "escape by dotdot" => outcome(names(&"../".repeat(40))),
        "tcp" => outcome(tcp(argument)),
        "listen" => outcome(TcpListener::bind(argument).map(|_| String::new())),
        "abstract socket" => outcome(abstract_socket(argument)),
        "path socket" => outcome(UnixStream::connect(argument).map(|_| String::new())),
        "families" => families(libc::SYS_socket, argument),
        "pair families" => families(libc::SYS_socketpair, argument),
        "status" => outcome(status(argument)),
        "32-bit gate" => through_the_32_bit_gate(),
        "signal" => signal(argument),
        other => system_call(other).unwrap_or_else(|| format!("no attempt is called {other}")),
    }
}

fn outcome(result: io::Result<String>) -> String {
    match result {
        Ok(gained) => format!("ok {gained}").trim_end().to_owned(),
        Err(error) => name(&error),
    }
}

fn names(directory: &str) -> io::Result<String> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names.join(" "))
}

fn append(path: &str) -> io::Result<String> {
    File::options().append(true).open(path)?.write_all(b"1").map(|()| String::new())
}

fn follow_link(target: &str) -> io::Result<String> {
    let link = Path::new("/workspace/link");
    if link.symlink_metadata().is_ok() {
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(target, link)?;
    fs::read(link).map(|bytes| format!("{} bytes", bytes.len()))
}

/// Makes the image writable if it can, then writes it.
fn rewrite_launcher() -> io::Result<String> {
    let path = Path::new("/proc/self/exe");
    // As an ordinary user the image is our own; its bits may change, its bytes must not.
    drop(fs::set_permissions(path, fs::Permissions::from_mode(0o777)));
    File::options().write(true).open(path)?.write_all(b"x").map(|()| String::new())
}

/// Runs every setuid or setgid program there is and looks who it became.
fn setuid_programs() -> io::Result<String> {
    let mut pending = vec![Path::new("/usr").to_path_buf(), Path::new("/workspace").to_path_buf()];
    let mut raised = Vec::new();
    while let Some(directory) = pending.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                pending.push(entry.path());
            } else if metadata.is_file() && metadata.mode() & 0o6000 != 0 {
                raised.extend(identity_when_run(&entry.path())?);
            }
        }
    }
    Ok(if raised.is_empty() { "nobody".to_owned() } else { raised.join(" ") })
}

fn identity_when_run(program: &Path) -> io::Result<Option<String>> {
    let spawned = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    // Programs that others may not execute cannot raise anybody.
    let Ok(mut child) = spawned else { return Ok(None) };
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    child.kill()?;
    child.wait()?;
    let ids = status.lines().filter(|line| line.starts_with("Uid:") || line.starts_with("Gid:"));
    let raised = ids.flat_map(|line| line.split_whitespace().skip(1)).any(|id| id != "1000");
    Ok(raised.then(|| program.display().to_string()))
}

fn tcp(address: &str) -> io::Result<String> {
    let address = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    let mut text = String::new();
    stream.write_all(b"hello\n")?;
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn abstract_socket(name: &str) -> io::Result<String> {
    UnixStream::connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?).map(|_| String::new())
}

/// Tries every address family with one type of socket, and names those that the kernel gives.
fn families(number: i64, kind: &str) -> String {
    let kind: i64 = kind.parse().unwrap_or_default();
    let mut pair = [0_i32; 2];
    let place = pair.as_mut_ptr() as i64;
    let given = (0..64).filter(|family| call(number, &[*family, kind, 0, place]).starts_with("ok"));
    given.map(|family| family.to_string()).collect::<Vec<_>>().join(" ")
}

fn status(fields: &str) -> io::Result<String> {
    let text = fs::read_to_string("/proc/self/status")?;
    let wanted: Vec<&str> = fields.split(' ').collect();
    let lines = text.lines().filter_map(|line| line.split_once(':')).filter(|(field, _)| wanted.contains(field));
    Ok(lines
        .map(|(field, value)| format!("{field}={}", value.split_whitespace().collect::<Vec<_>>().join(",")))
        .collect::<Vec<_>>()
        .join(" "))
}

fn signal(argument: &str) -> String {
    let numbers: Vec<i64> = argument.split(' ').filter_map(|number| number.parse().ok()).collect();
    call(libc::SYS_kill, &numbers)
}

fn system_call(attempt: &str) -> Option<String> {
    let namespace_clone = |flag: i32| call(libc::SYS_clone, &[i64::from(flag) | i64::from(libc::SIGCHLD)]);
    let socket = |family: i32, kind: i32| call(libc::SYS_socket, &[i64::from(family), i64::from(kind), 0]);
    let ioctl = |request: i64| call(libc::SYS_ioctl, &[0, request, pointer(b"x")]);
    let mut zeroes = [0_u64; 32];
    let buffer = zeroes.as_mut_ptr() as i64;
    let at_cwd = i64::from(libc::AT_FDCWD);
    Some(match attempt {
        "mount" => call(libc::SYS_mount, &[pointer(b"tmpfs\0"), pointer(b"/workspace\0"), pointer(b"tmpfs\0")]),
        "remount" => {
            let flags = libc::MS_REMOUNT | libc::MS_BIND;
            call(libc::SYS_mount, &[0, pointer(b"/usr\0"), 0, i64::try_from(flags).ok()?])
        }
        "umount" => call(libc::SYS_umount2, &[pointer(b"/proc/sys\0"), i64::from(libc::MNT_DETACH)]),
        "pivot_root" => call(libc::SYS_pivot_root, &[pointer(b"/workspace\0"), pointer(b"/workspace\0")]),
        "chroot" => call(libc::SYS_chroot, &[pointer(b"/workspace\0")]),
        "open_tree" => call(libc::SYS_open_tree, &[at_cwd, pointer(b"/usr\0"), 1]),
        "move_mount" => call(libc::SYS_move_mount, &[at_cwd, pointer(b"/usr\0"), at_cwd, pointer(b"/tmp\0")]),
        "fsopen" => call(libc::SYS_fsopen, &[pointer(b"tmpfs\0")]),
        "fsmount" => call(libc::SYS_fsmount, &[0]),
        "mount_setattr" => call(libc::SYS_mount_setattr, &[at_cwd, pointer(b"/\0"), 0, buffer, 32]),
        "ptrace traceme" => call(libc::SYS_ptrace, &[i64::from(libc::PTRACE_TRACEME)]),
        "ptrace attach" => call(libc::SYS_ptrace, &[i64::from(libc::PTRACE_ATTACH), 2]),
        "process_vm_readv" => call(libc::SYS_process_vm_readv, &[2, buffer, 1, buffer, 1]),
        "process_vm_writev" => call(libc::SYS_process_vm_writev, &[2, buffer, 1, buffer, 1]),
        "pidfd_getfd" => call(libc::SYS_pidfd_getfd, &[0, 0]),
        "kcmp" => call(libc::SYS_kcmp, &[1, 2]),
        "unshare user" => call(libc::SYS_unshare, &[i64::from(libc::CLONE_NEWUSER)]),
        "unshare time" => call(libc::SYS_unshare, &[0x80]),
        "setns" => call(libc::SYS_setns, &[0, 0]),
        "clone user" => namespace_clone(libc::CLONE_NEWUSER),
        "clone net" => namespace_clone(libc::CLONE_NEWNET),
        "clone mount" => namespace_clone(libc::CLONE_NEWNS),
        "clone cgroup" => namespace_clone(libc::CLONE_NEWCGROUP),
        "clone with high bits" => {
            let flags = i64::from(libc::CLONE_NEWUSER) | i64::from(libc::SIGCHLD) | 1 << 40;
            call(libc::SYS_clone, &[flags])
        }
        "clone3" => call(libc::SYS_clone3, &[buffer, 88]),
        "io_uring_setup" => call(libc::SYS_io_uring_setup, &[8, buffer]),
        "io_setup" => call(libc::SYS_io_setup, &[8, buffer]),
        "bpf" => call(libc::SYS_bpf, &[0, buffer, 72]),
        "keyctl" => call(libc::SYS_keyctl, &[0, -3, 0]),
        "add_key" => call(libc::SYS_add_key, &[pointer(b"user\0"), pointer(b"k\0"), buffer, 8, -3]),
        "request_key" => call(libc::SYS_request_key, &[pointer(b"user\0"), pointer(b"k\0"), 0, 0]),
        "perf_event_open" => call(libc::SYS_perf_event_open, &[buffer, 0, -1, -1]),
        "userfaultfd" => call(libc::SYS_userfaultfd, &[1]),
        "kexec_load" => call(libc::SYS_kexec_load, &[0, 0, buffer]),
        "kexec_file_load" => call(libc::SYS_kexec_file_load, &[0, 0]),
        "init_module" => call(libc::SYS_init_module, &[buffer, 8, pointer(b"\0")]),
        "finit_module" => call(libc::SYS_finit_module, &[0, pointer(b"\0")]),
        "delete_module" => call(libc::SYS_delete_module, &[pointer(b"x\0")]),
        "mknod disk" => call(libc::SYS_mknodat, &[at_cwd, pointer(b"/tmp/disk\0"), 0o060_666, 0x800]),
        "mknod memory" => call(libc::SYS_mknodat, &[at_cwd, pointer(b"/tmp/mem\0"), 0o020_666, 0x101]),
        "mknod whiteout" => call(libc::SYS_mknodat, &[at_cwd, pointer(b"/tmp/whiteout\0"), 0o020_666, 0]),
        "sethostname" => call(libc::SYS_sethostname, &[pointer(b"x\0"), 1]),
        "setdomainname" => call(libc::SYS_setdomainname, &[pointer(b"x\0"), 1]),
        "clock_settime" => call(libc::SYS_clock_settime, &[0, buffer]),
        "settimeofday" => call(libc::SYS_settimeofday, &[buffer, 0]),
        "adjtimex" => call(libc::SYS_adjtimex, &[buffer]),
        "reboot" => call(libc::SYS_reboot, &[0xfee1_dead, 672_274_793, 0x0123_4567]),
        "swapon" => call(libc::SYS_swapon, &[pointer(b"/tmp/x\0"), 0]),
        "acct" => call(libc::SYS_acct, &[0]),
        "syslog" => call(libc::SYS_syslog, &[3, buffer, 8]),
        "quotactl" => call(libc::SYS_quotactl, &[0, 0, 0, 0]),
        "open_by_handle_at" => call(libc::SYS_open_by_handle_at, &[at_cwd, buffer, 0]),
        "name_to_handle_at" => call(libc::SYS_name_to_handle_at, &[at_cwd, pointer(b"/\0"), buffer, buffer]),
        "fanotify_init" => call(libc::SYS_fanotify_init, &[0, 0]),
        "memfd_create" => call(libc::SYS_memfd_create, &[pointer(b"x\0"), 0]),
        "shmget" => call(libc::SYS_shmget, &[0, 4096, 0o1600]),
        "mq_open" => call(libc::SYS_mq_open, &[pointer(b"x\0"), 0o100, 0o600, 0]),
        "unknown call" => call(4000, &[]),
        "x32 call" => call(X32 | libc::SYS_getpid, &[]),
        "personality" => call(libc::SYS_personality, &[i64::from(libc::ADDR_NO_RANDOMIZE)]),
        "type into terminal" => ioctl(i64::try_from(libc::TIOCSTI).ok()?),
        "type with high bits" => ioctl(i64::try_from(libc::TIOCSTI).ok()? | 1 << 32),
        "paste into console" => ioctl(i64::try_from(libc::TIOCLINUX).ok()?),
        "netlink" => socket(libc::AF_NETLINK, libc::SOCK_RAW),
        "packet" => socket(libc::AF_PACKET, libc::SOCK_RAW),
        "vsock" => socket(libc::AF_VSOCK, libc::SOCK_STREAM),
        "kernel crypto" => socket(libc::AF_ALG, libc::SOCK_SEQPACKET),
        "raw" => socket(libc::AF_INET, libc::SOCK_RAW),
        "datagram" => socket(libc::AF_INET, libc::SOCK_DGRAM),
        "unix datagram" => socket(libc::AF_UNIX, libc::SOCK_DGRAM),
        "setuid 0" => call(libc::SYS_setuid, &[0]),
        "setgid 0" => call(libc::SYS_setgid, &[0]),
        "setgroups" => call(libc::SYS_setgroups, &[0, 0]),
        "raise capability" => {
            let header: [u32; 2] = [0x2008_0522, 0];
            let data: [u32; 6] = [1 << 21, 1 << 21, 0, 0, 0, 0];
            call(libc::SYS_capset, &[header.as_ptr() as i64, data.as_ptr() as i64])
        }
        "raise core limit" => raise(libc::RLIMIT_CORE),
        "raise process limit" => raise(libc::RLIMIT_NPROC),
        "real time" => {
            let priority = 1_i32;
            call(libc::SYS_sched_setscheduler, &[0, i64::from(libc::SCHED_FIFO), &raw const priority as i64])
        }
        "renice" => call(libc::SYS_setpriority, &[0, 0, -10]),
        "iopl" => call(libc::SYS_iopl, &[3]),
        "modify_ldt" => call(libc::SYS_modify_ldt, &[0, buffer, 8]),
        _ => return None,
    })
}

fn raise(resource: libc::__rlimit_resource_t) -> String {
    let limit = [u64::MAX; 2];
    call(libc::SYS_prlimit64, &[0, i64::from(resource), limit.as_ptr() as i64, 0])
}
