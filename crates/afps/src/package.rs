//! A manifest together with its files.

use serde_json::json;

use crate::Version;
use crate::archive::{ArchiveError, FileSet, write_archive};
use crate::manifest::{Manifest, PackageType};
use crate::skill::Frontmatter;

/// A whole package, checked: the manifest is valid and the files that its type needs are there.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    manifest: Manifest,
    /// Without `manifest.json`.
    files: FileSet,
    frontmatter: Option<Frontmatter>,
}

/// The largest prompt and the largest `SKILL.md`, in bytes.
pub const MAX_CONTENT_BYTES: usize = 200_000;

impl Package {
    /// Builds a package from its files, `manifest.json` among them, with the same checks as an import; one wrapper folder is removed.
    ///
    /// # Errors
    /// As [`crate::read_archive`], without those of the ZIP itself.
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, ArchiveError> {
        Self::from_file_set(FileSet::collect(files)?.unwrapped())
    }

    /// Builds a package from files that [`crate::read_files`] returned.
    ///
    /// # Errors
    /// As [`Package::from_files`].
    pub fn from_file_set(mut files: FileSet) -> Result<Self, ArchiveError> {
        let bytes = files.remove("manifest.json").ok_or(ArchiveError::MissingManifest)?;
        Self::new(Manifest::parse(&bytes)?, files)
    }

    /// Joins a manifest and the other files.
    ///
    /// # Errors
    /// What the content lacks for the manifest's type.
    pub fn new(manifest: Manifest, files: FileSet) -> Result<Self, ArchiveError> {
        if files.get("manifest.json").is_some() {
            return Err(ArchiveError::Duplicate { first: "manifest.json".into(), second: "manifest.json".into() });
        }
        let frontmatter = check_content(&manifest, &files)?;
        Ok(Self { manifest, files, frontmatter })
    }

    /// Makes a skill package of files without a manifest: `@scope/<name of the frontmatter>` with the version given.
    ///
    /// # Errors
    /// [`ArchiveError::Manifest`] where scope and name make no package name; else as [`Package::new`].
    pub fn from_bare_skill(scope: &str, version: &Version, files: FileSet) -> Result<Self, ArchiveError> {
        let frontmatter = Frontmatter::parse(text_of(&files, "SKILL.md", MAX_CONTENT_BYTES)?)?;
        let mut manifest = json!({
            "$schema": PackageType::Skill.schema_url(),
            "name": format!("@{scope}/{}", frontmatter.name),
            "version": version,
            "type": "skill",
            "schemaVersion": "1.0",
            "displayName": frontmatter.name,
        });
        if let Some(description) = &frontmatter.description {
            manifest["description"] = json!(description.trim());
        }
        if let Some(license) = &frontmatter.license {
            manifest["license"] = json!(license);
        }
        Self::new(Manifest::from_value(manifest)?, files)
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The files without `manifest.json`.
    pub fn files(&self) -> &FileSet {
        &self.files
    }

    /// The frontmatter of a skill's `SKILL.md`; `None` for other types.
    pub fn frontmatter(&self) -> Option<&Frontmatter> {
        self.frontmatter.as_ref()
    }

    /// The path of the text that belongs to the type: prompt.md, SKILL.md, TOOL.md or PROVIDER.md.
    pub fn content_path(&self) -> &'static str {
        content_path(self.manifest.package_type())
    }

    /// The type's text. Always there for agents and skills; `None` where a tool or provider has none.
    pub fn content(&self) -> Option<&str> {
        self.files.get(self.content_path()).and_then(|bytes| str::from_utf8(bytes).ok())
    }

    /// The source of a tool's entrypoint; `None` for other types.
    pub fn source_code(&self) -> Option<&str> {
        let entrypoint = &self.manifest.tool()?.entrypoint;
        self.files.get(entrypoint).and_then(|bytes| str::from_utf8(bytes).ok())
    }

    /// The deterministic archive of the package; see [`write_archive`].
    ///
    /// # Errors
    /// As [`write_archive`].
    pub fn to_archive(&self) -> Result<Vec<u8>, ArchiveError> {
        write_archive(&self.manifest, &self.files)
    }

    pub fn into_parts(self) -> (Manifest, FileSet) {
        (self.manifest, self.files)
    }
}

/// The path of the text that a type's packages carry.
pub const fn content_path(package_type: PackageType) -> &'static str {
    match package_type {
        PackageType::Agent => "prompt.md",
        PackageType::Skill => "SKILL.md",
        PackageType::Tool => "TOOL.md",
        PackageType::Provider => "PROVIDER.md",
    }
}

fn check_content(manifest: &Manifest, files: &FileSet) -> Result<Option<Frontmatter>, ArchiveError> {
    match manifest.package_type() {
        PackageType::Agent => {
            let prompt = text_of(files, "prompt.md", MAX_CONTENT_BYTES)?;
            if prompt.trim().is_empty() { Err(refused("prompt.md", "is empty")) } else { Ok(None) }
        }
        PackageType::Skill => Ok(Some(Frontmatter::parse(text_of(files, "SKILL.md", MAX_CONTENT_BYTES)?)?)),
        PackageType::Tool => {
            let entrypoint = manifest.tool().map(|tool| tool.entrypoint.as_str()).unwrap_or_default();
            let source = text_of(files, entrypoint, MAX_SOURCE_BYTES)?;
            // A hint at upload time only; the tool host decides what loads.
            if !(source.contains("export") && source.contains("default")) {
                return Err(refused(entrypoint, "has no default export"));
            }
            check_optional(files, content_path(PackageType::Tool))
        }
        PackageType::Provider => check_optional(files, content_path(PackageType::Provider)),
    }
}

/// Checks a text that a package may do without.
fn check_optional(files: &FileSet, path: &str) -> Result<Option<Frontmatter>, ArchiveError> {
    if files.get(path).is_some() {
        text_of(files, path, MAX_CONTENT_BYTES)?;
    }
    Ok(None)
}

/// The largest module that the tool host is asked to load, in bytes.
const MAX_SOURCE_BYTES: usize = 1 << 20;

fn text_of<'f>(files: &'f FileSet, path: &str, limit: usize) -> Result<&'f str, ArchiveError> {
    let bytes = files.get(path).ok_or_else(|| ArchiveError::MissingContent { path: path.into() })?;
    if bytes.len() > limit {
        return Err(refused(path, "is too long"));
    }
    let text = str::from_utf8(bytes).map_err(|_| refused(path, "is not UTF-8"))?;
    // NUL is UTF-8, yet no text column of PostgreSQL holds it.
    if text.contains('\0') { Err(refused(path, "holds a NUL character")) } else { Ok(text) }
}

fn refused(path: &str, reason: &'static str) -> ArchiveError {
    ArchiveError::Content { path: path.into(), reason }
}
