//! The directory that a run works in, and the rule for paths: what resolves outside of it is refused.
//!
//! The sandbox is the wall; this rule keeps the answers of the tools honest and the files of a setup where they were meant to be.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nix::libc;
use wire::hands::File;

/// A path that a call may not use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathError {
    #[error("'{0}' is outside of the workspace")]
    Outside(String),
    #[error("'{0}' is not a plain relative path")]
    NotPlain(String),
    #[error("'{path}' goes through the symbolic link '{link}'")]
    Link { path: String, link: String },
    #[error("'{path}' cannot be resolved: {source}")]
    Unresolved { path: String, source: io::Error },
}

/// A file of the setup that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("'{path}' could not be written: {source}")]
    Write { path: String, source: io::Error },
}

/// The workspace of one run.
pub(crate) struct Workspace {
    root: PathBuf,
    /// One lock per file that is being changed, so that two edits of one file do not lose each other.
    locks: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

impl Workspace {
    /// Opens an existing directory, or makes it.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self { root: root.canonicalize()?, locks: Mutex::default() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The real place of `path`, which is relative to the workspace or absolute below it; it need not exist.
    pub(crate) fn resolve(&self, path: &str) -> Result<PathBuf, PathError> {
        let outside = || PathError::Outside(path.to_owned());
        if path.contains('\0') {
            return Err(PathError::NotPlain(path.replace('\0', "\\0")));
        }
        let mut clean = PathBuf::new();
        for component in self.relative(Path::new(path)).ok_or_else(outside)?.components() {
            match component {
                Component::Normal(name) => clean.push(name),
                Component::CurDir => {}
                Component::ParentDir if clean.pop() => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        let real = self.follow(&clean, path)?;
        if real.starts_with(&self.root) { Ok(real) } else { Err(outside()) }
    }

    /// `path` as the model should read it: relative to the workspace, `.` for the workspace itself.
    pub(crate) fn display(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
            Ok(rest) => rest.to_string_lossy().into_owned(),
            Err(_) => path.to_string_lossy().into_owned(),
        }
    }

    /// Does `work` while no other change of the same file is under way.
    pub(crate) fn exclusively<T>(&self, path: &Path, work: impl FnOnce() -> T) -> T {
        let lock = Arc::clone(self.locks.lock().unwrap_or_else(PoisonError::into_inner).entry(path.to_owned()).or_default());
        let result = {
            let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            work()
        };
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        drop(lock);
        if locks.get(path).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(path);
        }
        result
    }

    /// Writes a file of the setup. Its path must be plain, and no part of it may be a symbolic link.
    pub(crate) fn put(&self, file: &File, append: bool) -> Result<(), PutError> {
        let target = self.plain(&file.path)?;
        let failed = |source| PutError::Write { path: file.path.clone(), source };
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        self.exclusively(&target, || {
            let mut options = OpenOptions::new();
            options.create(true).write(true).append(append).truncate(!append);
            // O_NONBLOCK: a FIFO that somebody left there must not hang the setup.
            let mut handle = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&target)?;
            if !handle.metadata()?.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
            }
            handle.write_all(&file.content)?;
            // Set-user-id, set-group-id and sticky bits have no use here.
            handle.set_permissions(fs::Permissions::from_mode(file.mode & 0o777))
        })
        .map_err(failed)
    }

    /// The place of a path with nothing but names in it, none of them a symbolic link.
    pub(crate) fn plain(&self, path: &str) -> Result<PathBuf, PathError> {
        let mut target = self.root.clone();
        for name in path.split('/') {
            if matches!(name, "" | "." | "..") || name.contains('\0') {
                return Err(PathError::NotPlain(path.replace('\0', "\\0")));
            }
            target.push(name);
            match fs::symlink_metadata(&target) {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(PathError::Link { path: path.to_owned(), link: self.display(&target) });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(PathError::Unresolved { path: path.to_owned(), source }),
            }
        }
        Ok(target)
    }

    fn relative<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        if path.is_absolute() { path.strip_prefix(&self.root).ok() } else { Some(path) }
    }

    /// Resolves the links of the part that exists; the rest is appended as it is.
    fn follow(&self, clean: &Path, asked: &str) -> Result<PathBuf, PathError> {
        let unresolved = |source| PathError::Unresolved { path: asked.to_owned(), source };
        let full = self.root.join(clean);
        let mut existing = full.as_path();
        loop {
            match fs::symlink_metadata(existing) {
                Ok(_) => break,
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    existing = existing.parent().ok_or_else(|| unresolved(error))?;
                }
                Err(error) => return Err(unresolved(error)),
            }
        }
        let rest = full.strip_prefix(existing).expect("an ancestor is a prefix");
        let real = existing.canonicalize().map_err(unresolved)?;
        Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    fn file(path: &str) -> File {
        File { path: path.to_owned(), content: b"x".to_vec(), mode: 0o4755 }
    }

    #[test]
    fn paths_that_leave_the_workspace_are_refused() {
        let directory = tempfile::tempdir().expect("temp");
        let workspace = Workspace::open(&directory.path().join("w")).expect("opens");
        symlink("/etc", workspace.root().join("etc")).expect("link");
        symlink("nowhere", workspace.root().join("dangling")).expect("link");
        for path in ["../x", "a/../../x", "/etc/passwd", "etc/passwd", "/", "a\0b", "dangling"] {
            assert!(workspace.resolve(path).is_err(), "{path}");
        }
        let below = workspace.root().join("a/b");
        for path in ["a/b", "./a//b", "c/../a/b", below.to_str().expect("utf-8")] {
            assert_eq!(workspace.resolve(path).expect(path), below);
        }
        assert_eq!(workspace.display(&below), "a/b");
    }

    #[test]
    fn a_setup_writes_plain_paths_only_and_follows_no_link() {
        let directory = tempfile::tempdir().expect("temp");
        let workspace = Workspace::open(&directory.path().join("w")).expect("opens");
        let secret = directory.path().join("secret");
        fs::write(&secret, "old").expect("writes");
        symlink(&secret, workspace.root().join("link")).expect("link");
        symlink(directory.path(), workspace.root().join("up")).expect("link");
        for path in ["link", "up/new", "../new", "/tmp/new", "a/./b", "a//b", "", "a/", "a\0"] {
            assert!(workspace.put(&file(path), false).is_err(), "{path}");
        }
        assert_eq!(fs::read_to_string(&secret).expect("reads"), "old");
        workspace.put(&file("a/b"), false).expect("puts");
        workspace.put(&file("a/b"), true).expect("appends");
        let target = workspace.root().join("a/b");
        assert_eq!(fs::read(&target).expect("reads"), b"xx");
        assert_eq!(fs::metadata(&target).expect("stat").permissions().mode() & 0o7777, 0o755);
        assert!(workspace.locks.lock().expect("lock").is_empty());
    }

    proptest! {
        #[test]
        fn whatever_resolves_lies_below_the_root(path in r"(\.\.|\.|a|b|/|//|~){0,8}") {
            let directory = tempfile::tempdir().expect("temp");
            let workspace = Workspace::open(directory.path()).expect("opens");
            if let Ok(real) = workspace.resolve(&path) {
                prop_assert!(real.starts_with(workspace.root()));
                prop_assert!(!real.components().any(|part| part == Component::ParentDir));
            }
        }
    }
}
