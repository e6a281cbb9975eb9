//! The file system of the sandbox: a read-only root of the system's `/usr`, and one capped tmpfs for all that may be written.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd;

use super::guard::INNER_ID;
use crate::protocol::{LaunchSpec, Refusal, Step};
use crate::sys::{self, ATTR_NO_DEVICES, ATTR_NO_EXEC, ATTR_NO_SUID, ATTR_READ_ONLY};

/// Where the new root is built. Only this mount namespace sees it.
const NEW_ROOT: &str = "/tmp";
/// Links (or directories, on older systems) at the root that lead into `/usr`.
const USR_LINKS: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/// Parts of the system's `/etc` that programs of `/usr` need and that say nothing about the host.
const ETC_PARTS: [&str; 6] = ["alternatives", "ld.so.cache", "ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust/extracted"];
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Files of /proc that tell about the host or act on it: read as empty.
const MASKED_FILES: [&str; 11] = [
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "sysrq-trigger",
    "timer_list",
    "sched_debug",
    "latency_stats",
    "interrupts",
    "cmdline",
    "config.gz",
];
const MASKED_DIRECTORIES: [&str; 8] = ["acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "tty"];
/// Bytes of workspace per file that may exist in it.
const BYTES_PER_INODE: u64 = 4096;
/// What the read-only part may hold: generated files and empty mount points.
const SKELETON_OPTIONS: &str = "mode=0755,size=256k,nr_inodes=512";

/// Builds the root, makes it `/` and lets go of the host's.
pub(super) fn build(spec: &LaunchSpec) -> Result<(), Refusal> {
    let root = Path::new(NEW_ROOT);
    attempt("/", mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>))?;
    let hardened = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    attempt(NEW_ROOT, mount(Some("tmpfs"), root, Some("tmpfs"), hardened, Some(SKELETON_OPTIONS)))?;
    bind_system(root)?;
    write_etc(root, &spec.host_names)?;
    bind_devices(root)?;
    mount_storage(root, spec.limits.workspace_bytes)?;
    // Init must see every process to sum their memory; with a cgroup nobody needs to see init or the tool host.
    mount_proc(root, spec.cgroup.limits_memory())?;
    enter(root)
}

/// A step of building the root, named by the path it is about.
fn attempt<T, E: Into<io::Error>>(path: impl AsRef<Path>, result: Result<T, E>) -> Result<T, Refusal> {
    result.map_err(|error| Refusal::new(Step::Root, path.as_ref().display().to_string(), error))
}

fn bind_system(root: &Path) -> Result<(), Refusal> {
    bind_read_only(Path::new("/usr"), &root.join("usr"))?;
    for name in USR_LINKS {
        let host = Path::new("/").join(name);
        let inside = root.join(name);
        match fs::symlink_metadata(&host) {
            Ok(metadata) if metadata.is_symlink() => {
                let target = attempt(&host, fs::read_link(&host))?;
                attempt(&inside, symlink(target, &inside))?;
            }
            Ok(_) => bind_read_only(&host, &inside)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return attempt(&host, Err(error)),
        }
    }
    for name in ETC_PARTS {
        let host = Path::new("/etc").join(name);
        if host.exists() {
            bind_read_only(&host, &root.join("etc").join(name))?;
        }
    }
    Ok(())
}

/// Binds a file or directory of the host with all mounted below it, and takes writing, setuid and devices away.
fn bind_read_only(host: &Path, inside: &Path) -> Result<(), Refusal> {
    bind(host, inside)?;
    attempt(inside, sys::set_mount_attributes(inside, ATTR_READ_ONLY | ATTR_NO_SUID | ATTR_NO_DEVICES, true))
}

fn bind(from: &Path, to: &Path) -> Result<(), Refusal> {
    if attempt(from, fs::metadata(from))?.is_dir() {
        attempt(to, fs::create_dir_all(to))?;
    } else if !to.exists() {
        if let Some(parent) = to.parent() {
            attempt(parent, fs::create_dir_all(parent))?;
        }
        attempt(to, fs::File::create_new(to))?;
    }
    attempt(to, mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>))
}

fn write_etc(root: &Path, host_names: &[String]) -> Result<(), Refusal> {
    let names = host_names.join(" ");
    let files = [
        ("passwd", passwd()),
        ("group", format!("root:x:0:\nagent:x:{INNER_ID}:\nnogroup:x:65534:\n")),
        ("hosts", format!("127.0.0.1 localhost {names}\n::1 localhost ip6-localhost\n")),
        ("hostname", "sandbox\n".to_owned()),
        ("resolv.conf", String::new()),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n".to_owned()),
    ];
    let etc = root.join("etc");
    attempt(&etc, fs::create_dir_all(&etc))?;
    for (name, content) in files {
        let path = etc.join(name);
        attempt(&path, fs::write(&path, content))?;
    }
    let mounts = etc.join("mtab");
    attempt(&mounts, symlink("../proc/self/mounts", &mounts))
}

fn passwd() -> String {
    format!(
        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n\
         agent:x:{INNER_ID}:{INNER_ID}:agent:/workspace:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
}

fn bind_devices(root: &Path) -> Result<(), Refusal> {
    for name in DEVICES {
        let inside = root.join("dev").join(name);
        bind(&Path::new("/dev").join(name), &inside)?;
        attempt(&inside, sys::set_mount_attributes(&inside, ATTR_NO_SUID | ATTR_NO_EXEC, false))?;
    }
    let links = [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")];
    for (name, target) in links {
        let path = root.join("dev").join(name);
        attempt(&path, symlink(target, &path))?;
    }
    Ok(())
}

/// One tmpfs under `/workspace`, `/tmp` and `/dev/shm`, so that one number caps all that the sandbox can write.
fn mount_storage(root: &Path, bytes: u64) -> Result<(), Refusal> {
    let storage = root.join("run");
    attempt(&storage, fs::create_dir(&storage))?;
    let options = format!("mode=0755,size={bytes},nr_inodes={}", (bytes / BYTES_PER_INODE).max(1024));
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    attempt(&storage, mount(Some("tmpfs"), &storage, Some("tmpfs"), flags, Some(options.as_str())))?;
    for (name, inside, mode) in [("workspace", "workspace", 0o755), ("tmp", "tmp", 0o1777), ("shm", "dev/shm", 0o1777)] {
        let directory = storage.join(name);
        attempt(&directory, fs::create_dir(&directory))?;
        attempt(&directory, fs::set_permissions(&directory, Permissions::from_mode(mode)))?;
        bind(&directory, &root.join(inside))?;
    }
    attempt(&storage, umount2(&storage, MntFlags::MNT_DETACH))?;
    let variable = root.join("var");
    attempt(&variable, fs::create_dir(&variable))?;
    attempt(&variable, symlink("../tmp", variable.join("tmp")))
}

fn mount_proc(root: &Path, hide_init: bool) -> Result<(), Refusal> {
    let proc = root.join("proc");
    attempt(&proc, fs::create_dir(&proc))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let options = hide_init.then_some("hidepid=2");
    mount(Some("proc"), &proc, Some("proc"), flags, options).map_err(|error| Refusal::new(Step::Proc, "/proc", error))?;
    let empty_file = root.join("dev/null");
    let empty_directory = root.join("run");
    for path in MASKED_FILES.map(|name| proc.join(name)).iter().filter(|path| path.exists()) {
        bind(&empty_file, path)?;
    }
    for path in MASKED_DIRECTORIES.map(|name| proc.join(name)).iter().filter(|path| path.exists()) {
        bind_read_only(&empty_directory, path)?;
    }
    bind_read_only(&proc.join("sys"), &proc.join("sys"))
}

/// Makes `root` the root, read-only, and detaches the host's.
fn enter(root: &Path) -> Result<(), Refusal> {
    attempt(root, unistd::chdir(root))?;
    // With both arguments the same directory the old root ends up on top of the new one, from where it is unmounted.
    attempt(root, unistd::pivot_root(".", "."))?;
    attempt("old root", umount2(".", MntFlags::MNT_DETACH))?;
    attempt("/", unistd::chdir("/"))?;
    attempt("/", sys::set_mount_attributes(&PathBuf::from("/"), ATTR_READ_ONLY | ATTR_NO_SUID | ATTR_NO_DEVICES, false))?;
    attempt("hostname", unistd::sethostname("sandbox"))?;
    attempt("domain name", sys::clear_domain_name())
}
