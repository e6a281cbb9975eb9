//! The package format: manifests, archives, integrity, ranges, lockfile. Bytes in, values out; no I/O, no clock, no network.
//!
//! - [`manifest`]: typed [`Manifest`] from JSON, checked against AFPS 1.3 and our rules, every error at once with its JSON Pointer.
//! - [`archive`]: hostile ZIPs in, a [`FileSet`] out; deterministic archives back.
//! - [`package`]: a manifest together with its files, whichever way they came: [`Package`].
//! - [`skill`]: the YAML frontmatter of `SKILL.md`.
//! - [`uri_pattern`]: the language of `authorizedUris`.
//! - [`version`], [`range`](mod@range), [`lock`]: which version a dependency means, and the lockfile that freezes it.
//! - [`integrity`]: subresource integrity hashes of archives.
//!
//! Layer: `store → wire → {afps, domain}`; this crate knows `domain` only.

pub mod archive;
pub mod integrity;
pub mod lock;
pub mod manifest;
pub mod package;
pub mod range;
pub mod skill;
pub mod uri_pattern;
pub mod version;

pub use archive::{ArchiveError, FileSet, read_archive, read_files, write_archive};
pub use integrity::{Integrity, IntegrityError};
pub use lock::{LockProblem, LockedVersion, Lockfile, Release, Unresolved};
pub use manifest::{Manifest, ManifestError, ManifestErrors, PackageType};
pub use package::Package;
pub use range::{Candidate, Range};
pub use skill::Frontmatter;
pub use uri_pattern::UriPattern;
pub use version::Version;
