//! The attack probe: what code inside the sandbox gets when it tries.

use std::fmt::Write;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::support::{Kind, Worker, running_as_root};

/// What the host has that the sandbox must not reach. Alive during the probe.
struct Host {
    data: tempfile::TempDir,
    loopback: TcpListener,
    everywhere: TcpListener,
    abstract_name: String,
    _sockets: [UnixListener; 2],
}

impl Host {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("vault.key"), "canary-in-data").unwrap();
        let abstract_name = format!("appstrate-probe-{}-{}", std::process::id(), data.path().display());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let sockets = [UnixListener::bind_addr(&address).unwrap(), UnixListener::bind(data.path().join("worker.sock")).unwrap()];
        Self {
            data,
            loopback: TcpListener::bind("127.0.0.1:0").unwrap(),
            everywhere: TcpListener::bind("0.0.0.0:0").unwrap(),
            abstract_name,
            _sockets: sockets,
        }
    }

    fn path(&self, name: &str) -> String {
        self.data.path().join(name).display().to_string()
    }

    /// The address that the host would use towards the outside; a documentation address where it has none.
    fn address(&self) -> String {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let own = socket.connect("198.51.100.1:9").and_then(|()| socket.local_addr()).map(|address| address.ip());
        let ip = own.ok().filter(|ip| !ip.is_unspecified() && !ip.is_loopback()).unwrap_or(IpAddr::from([192, 0, 2, 1]));
        format!("{ip}:{}", self.everywhere.local_addr().unwrap().port())
    }
}

/// Name, argument, the only outcome that is right.
type Attempt = (&'static str, String, &'static str);

fn attempts(host: &Host, hidden: bool, image_is_ours: bool) -> Vec<Attempt> {
    let mut all = Vec::new();
    let mut add = |name: &'static str, argument: &str, expected: &'static str| all.push((name, argument.to_owned(), expected));
    let loopback = host.loopback.local_addr().unwrap().to_string();
    let unseen = if hidden { "ENOENT" } else { "EACCES" };

    // What there is to read.
    add("environment", "", "");
    add("read", "/proc/1/environ", unseen);
    add("read", "/proc/2/environ", unseen);
    add("read", "/proc/1/mem", unseen);
    add("read", "/proc/2/mem", unseen);
    add("read", "/proc/2/maps", unseen);
    add("list", "/proc/1/fd", unseen);
    add("list", "/proc/2/fd", unseen);
    add("append", "/proc/2/mem", unseen);
    add("append", "/proc/1/oom_score_adj", unseen);
    add("list", "/proc/1/root", unseen);
    add("list", "/proc/2/cwd", unseen);
    add("processes", "", if hidden { "ok 1" } else { "ok 3" });
    for path in
        ["/etc/shadow", "/etc/ssl/private", "/etc/ssh", "/etc/machine-id", "/root", "/home", "/work", "/opt", "/srv", "/mnt", "/boot"]
    {
        add("list", path, "ENOENT");
    }
    add("read", "/var/run/docker.sock", "ENOENT");
    add("read", "/run/docker.sock", "ENOENT");
    add("list", "/sys", "ENOENT");
    add("list", "/", "");
    add("escape by dotdot", "", "");
    add("list", "/run", "ok");
    add("list", "/dev", "ok fd full null random shm stderr stdin stdout urandom zero");
    for path in ["/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/tty", "/dev/ptmx", "/dev/kvm", "/dev/fuse", "/dev/net/tun"] {
        add("read", path, "ENOENT");
    }
    add("read", "/proc/kmsg", "ok 0 bytes");
    add("read", "/proc/keys", "ok 0 bytes");
    add("read", "/proc/cmdline", "ok 0 bytes");
    add("list", "/proc/bus", "ok");
    add("list", "/proc/fs", "ok");
    add("content", "/etc/resolv.conf", "ok");
    add("content", "/etc/hosts", "ok 127.0.0.1 localhost sidecar|::1 localhost ip6-localhost");
    add("content", "/proc/self/setgroups", "ok deny");
    add("content", "/proc/sys/kernel/hostname", "ok sandbox");
    add("content", "/proc/sys/kernel/domainname", "ok");
    add("read", &host.path("vault.key"), "ENOENT");
    add("follow link", &host.path("vault.key"), "ENOENT");
    add("follow link", "/etc/shadow", "ENOENT");

    // What there is to write.
    for path in ["/x", "/usr/x", "/etc/x", "/usr/bin/x", "/run/x", "/dev/x", "/var/x", "/etc/ssl/certs/x"] {
        add("create", path, "EROFS");
    }
    add("mkdir", "/root", "EROFS");
    add("append", "/etc/passwd", "EROFS");
    add("append", "/etc/hosts", "EROFS");
    add("remove", "/usr/bin/env", "EROFS");
    add("hard link", "/usr/bin/env", "EXDEV");
    add("append", "/proc/sys/kernel/core_pattern", "EACCES");
    add("append", "/proc/sys/vm/drop_caches", "EACCES");
    add("append", "/proc/sys/kernel/hostname", "EACCES");
    add("append", "/proc/self/uid_map", "EPERM");
    // Its owner may open the image for writing, but it runs, and it is sealed.
    add("rewrite launcher", "", if image_is_ours { "ETXTBSY" } else { "EACCES" });
    add("create", "/workspace/x", "ok");
    add("create", "/tmp/x", "ok");
    add("create", "/dev/shm/x", "ok");

    // Who one can become.
    for (set, empty) in [
        ("CapInh", "ok CapInh=0000000000000000"),
        ("CapPrm", "ok CapPrm=0000000000000000"),
        ("CapEff", "ok CapEff=0000000000000000"),
        ("CapBnd", "ok CapBnd=0000000000000000"),
        ("CapAmb", "ok CapAmb=0000000000000000"),
    ] {
        add("status", set, empty);
    }
    add("status", "NoNewPrivs Seccomp Seccomp_filters", "ok NoNewPrivs=1 Seccomp=2 Seccomp_filters=2");
    add("status", "Uid Gid", "ok Uid=1000,1000,1000,1000 Gid=1000,1000,1000,1000");
    add("setuid programs", "", "ok nobody");
    add("setuid 0", "", "EINVAL");
    add("setgid 0", "", "EINVAL");
    add("setgroups", "", "EPERM");
    add("raise capability", "", "EPERM");
    add("raise core limit", "", "EPERM");
    add("raise process limit", "", "EPERM");
    add("real time", "", "EPERM");
    add("renice", "", "EACCES");

    // Where one can connect.
    add("tcp", &loopback, "ECONNREFUSED");
    add("tcp", &host.address(), "ENETUNREACH");
    add("tcp", "169.254.169.254:80", "ENETUNREACH");
    add("tcp", "172.17.0.1:2375", "ENETUNREACH");
    add("tcp", "[2001:db8::1]:443", "ENETUNREACH");
    add("listen", "127.0.0.1:8080", "EADDRINUSE");
    add("listen", "0.0.0.0:8081", "EADDRINUSE");
    add("listen", "127.0.0.1:3000", "ok");
    add("abstract socket", &host.abstract_name, "ECONNREFUSED");
    add("path socket", &host.path("worker.sock"), "ENOENT");
    add("families", "1", "1 2 10");
    for kind in ["2", "3", "4", "5", "6", "10"] {
        add("families", kind, "");
    }
    // A pair of streams or of packets is what Rust's `Command` makes; it reaches nobody else.
    for (kind, families) in [("1", "1"), ("2", ""), ("3", ""), ("4", ""), ("5", "1"), ("6", ""), ("10", "")] {
        add("pair families", kind, families);
    }
    for name in ["netlink", "packet", "vsock", "kernel crypto", "raw", "datagram", "unix datagram"] {
        add(name, "", "EPERM");
    }

    // What the kernel offers.
    for name in REFUSED {
        add(name, "", "EPERM");
    }
    for name in ["clone3", "io_setup", "memfd_create", "shmget", "mq_open", "unknown call", "x32 call"] {
        add(name, "", "ENOSYS");
    }
    for name in ["mknod disk", "mknod memory", "mknod whiteout"] {
        add(name, "", "EACCES");
    }
    if cfg!(target_arch = "x86_64") {
        add("32-bit gate", "", "signal 31");
        add("iopl", "", "EPERM");
        add("modify_ldt", "", "EPERM");
    }

    // Whom one can reach.
    add("signal", "1 9", "ok 0"); // Init ignores what comes from inside; the attempts that follow show that it lives.
    add("signal", &format!("{} 9", std::process::id()), "ESRCH");
    add("signal", &format!("{} 0", std::os::unix::process::parent_id()), "ESRCH");
    all
}

/// Calls that answer EPERM whatever their arguments.
const REFUSED: [&str; 53] = [
    "mount",
    "remount",
    "umount",
    "pivot_root",
    "chroot",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsmount",
    "mount_setattr",
    "ptrace traceme",
    "ptrace attach",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "kcmp",
    "unshare user",
    "unshare time",
    "setns",
    "clone user",
    "clone net",
    "clone mount",
    "clone cgroup",
    "clone with high bits",
    "io_uring_setup",
    "bpf",
    "keyctl",
    "add_key",
    "request_key",
    "perf_event_open",
    "userfaultfd",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "sethostname",
    "setdomainname",
    "clock_settime",
    "settimeofday",
    "adjtimex",
    "reboot",
    "swapon",
    "acct",
    "syslog",
    "quotactl",
    "open_by_handle_at",
    "name_to_handle_at",
    "fanotify_init",
    "personality",
    "type into terminal",
    "type with high bits",
    "paste into console",
];

/// Carries every attempt out and compares; prints how many there were.
#[track_caller]
fn attack(kind: Kind) {
    let host = Host::new();
    let mut worker = Worker::start(kind);
    let hidden = worker.cgroup != "none";
    let mut surprises = String::new();
    let all = attempts(&host, hidden, kind == Kind::Ordinary || !running_as_root());
    for (number, (name, argument, expected)) in (1..).zip(&all) {
        let outcome = worker.probe.attempt(name, argument);
        // The roots differ by distribution (lib32, libx32): only names of the list may be there.
        let right = match (*name, argument.as_str()) {
            ("list", "/") | ("escape by dotdot", _) => only_the_root(&outcome),
            _ => outcome == *expected,
        };
        if !right {
            writeln!(surprises, "{number}. {name} {argument}: got {outcome:?}, granted is {expected:?}").unwrap();
        }
    }
    println!("{kind:?}, cgroup {}: {} attempts", worker.cgroup, all.len());
    assert!(surprises.is_empty(), "{kind:?}:\n{surprises}");
    assert!(all.len() >= 40, "the probe became too small");

    // The tool host itself: its descriptors are the standard streams and the tools socket (here twice: one to read, one to write).
    assert_eq!(worker.probe.ask("descriptors"), "/dev/null /dev/null /dev/null socket socket");
    // And what the worker had in its environment is nowhere among what can be read.
    let search = "cat /proc/[0-9]*/environ 2>/dev/null | grep -c canary-in-; grep -rsl canary-in- /etc /run /dev/shm /tmp /workspace";
    assert_eq!(worker.probe.shell(search), "exit 1 0");
}

fn only_the_root(outcome: &str) -> bool {
    const ALLOWED: [&str; 14] =
        ["bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "tmp", "usr", "var", "workspace"];
    const NEEDED: [&str; 5] = ["dev", "etc", "proc", "usr", "workspace"];
    let Some(names) = outcome.strip_prefix("ok ") else { return false };
    let names: Vec<&str> = names.split(' ').collect();
    names.iter().all(|name| ALLOWED.contains(name)) && NEEDED.iter().all(|name| names.contains(name))
}

#[test]
fn attacks_from_inside_get_only_what_is_granted() {
    attack(Kind::AsIs);
}

#[test]
fn attacks_get_no_more_without_cgroups() {
    attack(Kind::AsIsWithoutCgroups);
}

#[test]
fn attacks_get_no_more_when_the_worker_is_an_ordinary_user() {
    attack(Kind::Ordinary);
}
