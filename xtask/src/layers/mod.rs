//! `check-layers`: dependencies point down only, and a heavy third-party crate has one owner.

mod rules;

use std::fs;
use std::io;
use std::path::Path;

use crate::Findings;
use crate::manifest::{Dependency, Kind, Manifest};
use rules::{ANY, CRATES, IMPURE_PACKAGES, MAY_LINK_TESTKIT, OWNED, PURE};

/// Reads the manifests of the workspace below `root` and checks them against the rules.
pub(crate) fn check(root: &Path) -> io::Result<Findings> {
    let mut paths = vec![root.join("xtask/Cargo.toml"), root.join("bench/Cargo.toml")];
    for entry in fs::read_dir(root.join("crates"))? {
        paths.push(entry?.path().join("Cargo.toml"));
    }
    paths.sort();
    let mut manifests = Vec::new();
    for path in paths.iter().filter(|path| path.exists()) {
        manifests.push(Manifest::parse(&fs::read_to_string(path)?));
    }
    Ok(Findings { notes: Vec::new(), violations: violations(&manifests) })
}

/// Every broken rule, one sentence each, in the order of `manifests`.
fn violations(manifests: &[Manifest]) -> Vec<String> {
    let mut found = Vec::new();
    for manifest in manifests {
        let name = manifest.name.as_str();
        let Some((_, allowed)) = CRATES.iter().find(|(known, _)| *known == name) else {
            found.push(format!("`{name}` has no place in the layers; give it one in xtask/src/layers/rules.rs and ARCHITECTURE.md"));
            continue;
        };
        if !manifest.inherits_lints {
            found.push(format!("`{name}` does not inherit the workspace's lints; add `[lints] workspace = true`"));
        }
        for dependency in manifest.dependencies.iter().filter(|dependency| dependency.kind != Kind::Dev) {
            found.extend(broken_rule(name, allowed, dependency));
        }
    }
    found
}

fn broken_rule(name: &str, allowed: &[&str], dependency: &Dependency) -> Option<String> {
    let package = dependency.package.as_str();
    if package == "testkit" {
        return (!MAY_LINK_TESTKIT.contains(&name)).then(|| format!("`{name}` may name `testkit` in [dev-dependencies] only"));
    }
    if CRATES.iter().any(|(known, _)| *known == package) {
        let is_allowed = allowed == ANY || allowed.contains(&package);
        return (!is_allowed).then(|| format!("`{name}` may not depend on `{package}`; allowed are: {}", listed(allowed)));
    }
    if PURE.contains(&name) && IMPURE_PACKAGES.contains(&package) {
        return Some(format!("`{name}` may not name `{package}`: it has no I/O and no async"));
    }
    let owned = OWNED.iter().find(|owned| owned.packages.contains(&package))?;
    (!owned.owners.contains(&name))
        .then(|| format!("`{name}` may not name `{package}`: {} (allowed: {})", owned.reason, listed(owned.owners)))
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
