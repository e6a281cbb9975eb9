//! 2026-03-21: the first version.

use super::change::First;
use super::{Release, Version};

pub(super) const VERSION: Version = Version("2026-03-21");

pub(super) static RELEASE: Release = Release { version: VERSION, notes: &["The first version."], change: &First, deprecation: None };
