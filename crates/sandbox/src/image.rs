//! The tool host's binary as sealed memory.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;

/// `F_SEAL_EXEC` of Linux 6.3: the execute bits cannot be changed.
const F_SEAL_EXEC: i32 = 0x20;
const MODE: u32 = 0o555;

/// `MFD_EXEC` of Linux 6.3: executable whatever `vm.memfd_noexec` has as its default.
const MFD_EXEC: u32 = 0x10;

/// A copy of the tool host's binary that nobody can write, not even the user that runs it; every sandbox of this worker starts from it.
#[derive(Debug)]
pub struct ToolhostImage {
    memory: OwnedFd,
}

impl ToolhostImage {
    /// Copies the binary at `path` and seals the copy.
    pub fn open(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        let mut file = File::from(create()?);
        file.write_all(&bytes)?;
        file.set_permissions(Permissions::from_mode(MODE))?;
        let seals = SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
        match fcntl(&file, FcntlArg::F_ADD_SEALS(seals | SealFlag::from_bits_retain(F_SEAL_EXEC))) {
            // Before Linux 6.3 the last seal is unknown.
            Err(Errno::EINVAL) => fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?,
            other => other?,
        };
        Ok(Self { memory: file.into() })
    }

    /// The path under which a child of this process finds the binary, until it closes its descriptors.
    pub(crate) fn path(&self) -> io::Result<PathBuf> {
        // Where runs share the worker's uid, one of them may have changed the bits that no seal keeps.
        nix::sys::stat::fchmod(&self.memory, Mode::from_bits_retain(MODE))?;
        Ok(PathBuf::from(format!("/proc/self/fd/{}", self.memory.as_raw_fd())))
    }
}

fn create() -> nix::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    match memfd_create("appstrate-toolhost", flags | MFdFlags::from_bits_retain(MFD_EXEC)) {
        // Before Linux 6.3 the flag is unknown and not needed.
        Err(Errno::EINVAL) => memfd_create("appstrate-toolhost", flags),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_cannot_be_written() {
        let image = ToolhostImage::open(Path::new("/proc/self/exe")).expect("this test's own binary");
        let opened = File::options().write(true).open(image.path().unwrap());
        let written = opened.and_then(|mut file| file.write_all(b"x"));
        assert!(written.is_err(), "{written:?}");
        let grown = File::from(image.memory.try_clone().unwrap()).set_len(0);
        assert_eq!(grown.map_err(|error| error.raw_os_error()), Err(Some(Errno::EPERM as i32)));
    }
}
