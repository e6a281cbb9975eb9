//! `node:fs`, inside the workspace only. Errors carry Node's codes.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::libc;
use rquickjs::convert::List;
use rquickjs::{Ctx, Exception, Object, TypedArray};

use super::super::shared::Shared;
use super::{array, bytes, set};

struct Files {
    shared: Rc<Shared>,
}

type Done = io::Result<()>;

pub(super) fn install<'js>(host: &Object<'js>, shared: &Rc<Shared>) -> rquickjs::Result<()> {
    let files = Rc::new(Files { shared: Rc::clone(shared) });
    let own = Rc::clone(&files);
    set(host, "readFile", move |ctx: Ctx<'js>, path: String| -> rquickjs::Result<TypedArray<'js, u8>> {
        let content = or_throw(&ctx, "open", &path, own.at(&path).and_then(|real| own.read(&real)))?;
        array(&ctx, &content)
    })?;
    let own = Rc::clone(&files);
    // `flag`: "w" replaces, "a" appends, "wx" only makes a new file.
    set(host, "writeFile", move |ctx: Ctx<'js>, path: String, content: TypedArray<'js, u8>, flag: String| -> rquickjs::Result<()> {
        let content = bytes(&content);
        or_throw(&ctx, "open", &path, own.at(&path).and_then(|real| own.write(&real, &content, &flag)))
    })?;
    let own = Rc::clone(&files);
    set(host, "mkdir", move |ctx: Ctx<'js>, path: String, recursive: bool| -> rquickjs::Result<()> {
        let make = |real: PathBuf| if recursive { fs::create_dir_all(real) } else { fs::create_dir(real) };
        or_throw(&ctx, "mkdir", &path, own.at(&path).and_then(make))
    })?;
    let own = Rc::clone(&files);
    // Name, kind, name, kind, ….
    set(host, "readdir", move |ctx: Ctx<'js>, path: String| -> rquickjs::Result<Vec<String>> {
        or_throw(&ctx, "scandir", &path, own.at(&path).and_then(|real| entries(&real)))
    })?;
    let own = Rc::clone(&files);
    // Kind, size, modification time in ms, mode.
    set(host, "stat", move |ctx: Ctx<'js>, path: String, follow: bool| -> rquickjs::Result<List<(String, f64, f64, u32)>> {
        let look = |real: PathBuf| if follow { fs::metadata(real) } else { fs::symlink_metadata(real) };
        let place = if follow { own.at(&path) } else { own.link_at(&path) };
        let metadata = or_throw(&ctx, if follow { "stat" } else { "lstat" }, &path, place.and_then(look))?;
        Ok(List((kind(&metadata).to_owned(), to_number(metadata.len()), modified_ms(&metadata), metadata.mode())))
    })?;
    let own = Rc::clone(&files);
    set(host, "unlink", move |ctx: Ctx<'js>, path: String| -> rquickjs::Result<()> {
        or_throw(&ctx, "unlink", &path, own.link_at(&path).and_then(fs::remove_file))
    })?;
    let own = Rc::clone(&files);
    set(host, "rm", move |ctx: Ctx<'js>, path: String, recursive: bool, force: bool| -> rquickjs::Result<()> {
        or_throw(&ctx, "rm", &path, own.link_at(&path).and_then(|real| own.remove(&real, recursive, force)))
    })?;
    let own = Rc::clone(&files);
    set(host, "rename", move |ctx: Ctx<'js>, from: String, to: String| -> rquickjs::Result<()> {
        or_throw(&ctx, "rename", &from, own.link_at(&from).and_then(|from| fs::rename(from, own.at(&to)?)))
    })?;
    let own = files;
    set(host, "copyFile", move |ctx: Ctx<'js>, from: String, to: String| -> rquickjs::Result<()> {
        let copy = |real: PathBuf| own.read(&real).and_then(|content| own.write(&own.at(&to)?, &content, "w"));
        or_throw(&ctx, "copyfile", &from, own.at(&from).and_then(copy))
    })
}

impl Files {
    fn at(&self, path: &str) -> io::Result<PathBuf> {
        self.shared.surroundings.workspace.resolve(path).map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))
    }

    /// The place itself where the last name may be a link; its parent must lie inside.
    fn link_at(&self, path: &str) -> io::Result<PathBuf> {
        let trimmed = path.trim_end_matches('/');
        match Path::new(trimmed).file_name() {
            Some(name) => {
                let parent = trimmed.rsplit_once('/').map_or(".", |(parent, _)| if parent.is_empty() { "/" } else { parent });
                Ok(self.at(parent)?.join(name))
            }
            None => self.at(path),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Without O_NONBLOCK a FIFO would hang the tool, out of reach of its interrupt.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let limit = self.shared.surroundings.memory_bytes;
        let mut content = Vec::new();
        file.take(limit).read_to_end(&mut content)?;
        if content.len() as u64 == limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }

    fn write(&self, path: &Path, content: &[u8], flag: &str) -> Done {
        self.shared.surroundings.workspace.exclusively(path, || {
            let mut options = OpenOptions::new();
            match flag {
                "a" => options.append(true).create(true),
                "wx" => options.write(true).create_new(true),
                _ => options.write(true).create(true).truncate(true),
            };
            options.custom_flags(libc::O_NONBLOCK).open(path)?.write_all(content)
        })
    }

    fn remove(&self, path: &Path, recursive: bool, force: bool) -> Done {
        if path == self.shared.surroundings.workspace.root() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the workspace itself"));
        }
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() && recursive => fs::remove_dir_all(path),
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => fs::remove_file(path),
            Err(error) if force && error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn entries(path: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let kind = if kind.is_dir() {
            "directory"
        } else if kind.is_symlink() {
            "link"
        } else if kind.is_file() {
            "file"
        } else {
            "other"
        };
        found.push((entry.file_name().to_string_lossy().into_owned(), kind.to_owned()));
    }
    found.sort();
    Ok(found.into_iter().flat_map(|(name, kind)| [name, kind]).collect())
}

fn kind(metadata: &Metadata) -> &'static str {
    match metadata.file_type() {
        kind if kind.is_dir() => "directory",
        kind if kind.is_symlink() => "link",
        kind if kind.is_file() => "file",
        _ => "other",
    }
}

fn modified_ms(metadata: &Metadata) -> f64 {
    let whole = metadata.mtime().unsigned_abs().saturating_mul(1000);
    to_number(whole + metadata.mtime_nsec().unsigned_abs() / 1_000_000) * if metadata.mtime() < 0 { -1.0 } else { 1.0 }
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript has no other numbers; sizes and times stay below 2^53")]
fn to_number(value: u64) -> f64 {
    value as f64
}

/// Throws an `Error` with Node's `code`, `syscall` and `path`.
fn or_throw<T>(ctx: &Ctx<'_>, call: &str, path: &str, result: io::Result<T>) -> rquickjs::Result<T> {
    result.or_else(|error| {
        let (code, text) = code(&error);
        let text = text.map_or_else(|| error.to_string(), str::to_owned);
        let exception = Exception::from_message(ctx.clone(), &format!("{code}: {text}, {call} '{path}'"))?;
        exception.as_object().set("code", code)?;
        exception.as_object().set("syscall", call)?;
        exception.as_object().set("path", path)?;
        Err(exception.throw())
    })
}

fn code(error: &io::Error) -> (&'static str, Option<&'static str>) {
    match error.kind() {
        io::ErrorKind::NotFound => ("ENOENT", Some("no such file or directory")),
        io::ErrorKind::PermissionDenied => ("EACCES", None),
        io::ErrorKind::AlreadyExists => ("EEXIST", Some("file already exists")),
        io::ErrorKind::NotADirectory => ("ENOTDIR", Some("not a directory")),
        io::ErrorKind::IsADirectory => ("EISDIR", Some("illegal operation on a directory")),
        io::ErrorKind::DirectoryNotEmpty => ("ENOTEMPTY", Some("directory not empty")),
        io::ErrorKind::StorageFull => ("ENOSPC", Some("no space left on device")),
        io::ErrorKind::FileTooLarge => ("EFBIG", Some("file too large")),
        io::ErrorKind::InvalidInput => ("EINVAL", None),
        _ => ("EIO", None),
    }
}
