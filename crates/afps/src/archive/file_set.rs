//! The files of a package, by path, within the bounds.

use std::collections::{BTreeMap, HashMap};

use super::path::check_path;
use super::{ArchiveError, MAX_ENTRIES, MAX_FILE_BYTES, MAX_TOTAL_BYTES};

/// Files by their path. Paths are relative and safe, no two name one file (case aside), no file is also a folder, sizes are bounded.
#[derive(Clone, Debug, Default)]
pub struct FileSet {
    files: BTreeMap<String, Vec<u8>>,
    /// Every path and every folder in lower case, with the path that brought it: systems that ignore case would merge them.
    folded: HashMap<String, Taken>,
    total: u64,
}

#[derive(Clone, Debug)]
struct Taken {
    path: String,
    is_file: bool,
}

impl FileSet {
    /// Builds a set, checking each file as an import would.
    pub fn collect(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, ArchiveError> {
        let mut set = Self::default();
        for (path, bytes) in files {
            set.insert(path, bytes)?;
        }
        Ok(set)
    }

    /// Adds one file; an existing one is never replaced, and a refusal leaves the set as it was.
    pub fn insert(&mut self, path: String, bytes: Vec<u8>) -> Result<(), ArchiveError> {
        let size = bytes.len() as u64;
        if size > MAX_FILE_BYTES {
            return Err(ArchiveError::FileTooLarge { path });
        }
        if self.total + size > MAX_TOTAL_BYTES {
            return Err(ArchiveError::TotalTooLarge);
        }
        self.reserve(&path)?;
        self.total += size;
        self.files.insert(path, bytes);
        Ok(())
    }

    /// Takes the path and its folders, or says with which other path it collides.
    fn reserve(&mut self, path: &str) -> Result<(), ArchiveError> {
        check_path(path).map_err(|problem| ArchiveError::Path { path: path.into(), problem })?;
        if self.files.len() >= MAX_ENTRIES {
            return Err(ArchiveError::TooManyEntries);
        }
        let folded = path.to_lowercase();
        let collides = |first: &Taken| ArchiveError::Duplicate { first: first.path.clone(), second: path.to_owned() };
        if let Some(taken) = self.folded.get(&folded) {
            return Err(collides(taken));
        }
        let mut parents = Vec::new();
        for (slash, _) in folded.match_indices('/') {
            let parent = &folded[..slash];
            match self.folded.get(parent) {
                Some(taken) if taken.is_file => return Err(collides(taken)),
                Some(_) => {}
                None => parents.push(parent.to_owned()),
            }
        }
        self.folded.extend(parents.into_iter().map(|parent| (parent, Taken { path: path.to_owned(), is_file: false })));
        self.folded.insert(folded, Taken { path: path.to_owned(), is_file: true });
        Ok(())
    }

    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// All files in order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The sum of all files, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.total
    }

    /// Whether this is a skill without a manifest: `SKILL.md` at the top and no `manifest.json`. See [`crate::Package::from_bare_skill`].
    pub fn is_bare_skill(&self) -> bool {
        self.files.contains_key("SKILL.md") && !self.files.contains_key("manifest.json")
    }

    pub(crate) fn remove(&mut self, path: &str) -> Option<Vec<u8>> {
        let bytes = self.files.remove(path)?;
        self.folded.remove(&path.to_lowercase());
        self.total -= bytes.len() as u64;
        Some(bytes)
    }

    /// The set without its wrapper: where every file lies in one folder, that folder's name goes from all paths.
    pub(crate) fn unwrapped(self) -> Self {
        let wrapper = self.files.keys().next().and_then(|path| path.split_once('/')).map(|(folder, _)| format!("{folder}/"));
        let Some(wrapper) = wrapper.filter(|wrapper| self.files.keys().all(|path| path.starts_with(wrapper))) else { return self };
        let mut bare = Self { total: self.total, ..Self::default() };
        for (path, bytes) in self.files {
            let path = path[wrapper.len()..].to_owned();
            // Removing a common prefix keeps distinct paths distinct and every bound met, so `reserve` has nothing to refuse.
            bare.reserve(&path).expect("a shorter path is safe where the longer one was");
            bare.files.insert(path, bytes);
        }
        bare
    }
}

/// Equal where paths and contents are; which file reserved a folder first does not matter.
impl PartialEq for FileSet {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for FileSet {}
