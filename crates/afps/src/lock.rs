//! The lockfile: every package that an agent version needs, frozen to one version and the hash of its bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use domain::PackageName;

use crate::manifest::{Dependencies, Manifest, PackageType};
use crate::{Integrity, Range, Version};

/// All direct and transitive dependencies of one package, exactly one version of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lockfile {
    pub packages: BTreeMap<PackageName, LockedVersion>,
}

/// One frozen dependency.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LockedVersion {
    pub version: Version,
    pub integrity: Integrity,
    #[serde(rename = "type")]
    pub package_type: PackageType,
}

/// A published version that a dependency could resolve to.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    pub package_type: PackageType,
    pub version: Version,
    pub integrity: Integrity,
    pub yanked: bool,
    pub dependencies: Dependencies,
}

/// Why one dependency could not be locked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LockProblem {
    #[error("{name} does not exist (needed by {})", names(.needed_by))]
    Missing { name: PackageName, needed_by: Vec<PackageName> },
    #[error("{name} has no version that satisfies {}", ranges(.wanted))]
    Unsatisfied { name: PackageName, wanted: Vec<(PackageName, Range)> },
    #[error("{name} has type {found}, but {} needs type {expected}", names(.needed_by))]
    WrongType { name: PackageName, expected: PackageType, found: PackageType, needed_by: Vec<PackageName> },
    #[error("more than {MAX_PACKAGES} packages are needed")]
    TooMany,
    #[error("the versions of the dependencies exclude each other in a circle")]
    Unstable,
}

/// Everything that stands in the way of a lockfile, at once; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Unresolved(pub Vec<LockProblem>);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Unresolved {}

impl Unresolved {
    /// The names that the lookup did not know. A caller that cannot look up in place loads these and resolves again.
    pub fn missing(&self) -> impl Iterator<Item = &PackageName> {
        self.0.iter().filter_map(|problem| if let LockProblem::Missing { name, .. } = problem { Some(name) } else { None })
    }
}

/// The most packages one lockfile may hold.
pub const MAX_PACKAGES: usize = 500;
/// How often the choice may change before it is called unstable; each pass settles at least one level of dependencies.
const MAX_PASSES: usize = 64;

/// Chooses for each dependency, direct or transitive, the highest version that satisfies every range asked of it and is not yanked.
///
/// An exact range may name a yanked version when nothing else satisfies it, so that an old manifest still resolves. A dependency on the
/// root itself is satisfied by the root and not listed. `lookup` returns all versions of a package, or `None` when it does not exist.
///
/// # Errors
/// All that is missing, unsatisfiable or of the wrong type.
pub fn resolve<'r>(root: &Manifest, mut lookup: impl FnMut(&PackageName) -> Option<&'r [Release]>) -> Result<Lockfile, Unresolved> {
    let mut previous: Demands = BTreeMap::new();
    for _ in 0..MAX_PASSES {
        let pass = walk(root, &previous, &mut lookup);
        if pass.demands.len() > MAX_PACKAGES {
            return Err(Unresolved(vec![LockProblem::TooMany]));
        }
        if pass.demands == previous {
            return pass.finish(root);
        }
        previous = pass.demands;
    }
    Err(Unresolved(vec![LockProblem::Unstable]))
}

/// What is asked of each package: by whom, of which type, in which range.
type Demands = BTreeMap<PackageName, Vec<Demand>>;

#[derive(Clone, Debug, PartialEq)]
struct Demand {
    by: PackageName,
    package_type: PackageType,
    range: Range,
}

struct Pass<'r> {
    demands: Demands,
    /// `None`: the package does not exist.
    shelves: BTreeMap<PackageName, Option<&'r [Release]>>,
    chosen: BTreeMap<PackageName, &'r Release>,
}

/// Walks the graph breadth first, choosing by the demands of the pass before, so that a range found late still counts everywhere.
fn walk<'r>(root: &Manifest, previous: &Demands, lookup: &mut impl FnMut(&PackageName) -> Option<&'r [Release]>) -> Pass<'r> {
    let mut pass = Pass { demands: BTreeMap::new(), shelves: BTreeMap::new(), chosen: BTreeMap::new() };
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::new();
    pass.demand(root.name(), root.dependencies(), &mut open);
    while let Some(name) = open.pop_front() {
        if name == *root.name() || !seen.insert(name.clone()) {
            continue;
        }
        if pass.demands.len() > MAX_PACKAGES {
            break;
        }
        let shelf = lookup(&name);
        pass.shelves.insert(name.clone(), shelf);
        let now = pass.demands.get(&name).map_or(&[][..], Vec::as_slice);
        let demands = previous.get(&name).map_or(now, Vec::as_slice);
        if let Some(release) = shelf.and_then(|releases| choose(releases, demands)) {
            pass.demand(&name, &release.dependencies, &mut open);
            pass.chosen.insert(name, release);
        }
    }
    pass
}

fn choose<'r>(releases: &'r [Release], demands: &[Demand]) -> Option<&'r Release> {
    let fits = |release: &&Release| demands.iter().all(|demand| demand.range.allows(&release.version));
    let is_exact =
        |release: &&Release| demands.iter().any(|demand| demand.range.as_str().parse::<Version>().as_ref() == Ok(&release.version));
    let best = releases.iter().filter(fits).filter(|release| !release.yanked).max_by_key(|release| &release.version);
    best.or_else(|| releases.iter().filter(fits).find(is_exact))
}

impl Pass<'_> {
    fn demand(&mut self, by: &PackageName, dependencies: &Dependencies, open: &mut VecDeque<PackageName>) {
        for (package_type, name, range) in dependencies.iter() {
            self.demands.entry(name.clone()).or_default().push(Demand { by: by.clone(), package_type, range: range.clone() });
            open.push_back(name.clone());
        }
    }

    fn finish(self, root: &Manifest) -> Result<Lockfile, Unresolved> {
        let mut problems = Vec::new();
        let mut lockfile = Lockfile::default();
        for (name, demands) in &self.demands {
            if name == root.name() {
                problems.extend(check_root(root, demands));
                continue;
            }
            let Some(releases) = self.shelves.get(name).copied().flatten().filter(|releases| !releases.is_empty()) else {
                problems.push(LockProblem::Missing { name: name.clone(), needed_by: who(demands) });
                continue;
            };
            let Some(release) = self.chosen.get(name) else {
                problems.push(unsatisfied(name, demands));
                // The type may be wrong as well; any release tells.
                problems.extend(wrong_type(name, releases[0].package_type, demands));
                continue;
            };
            problems.extend(wrong_type(name, release.package_type, demands));
            let locked =
                LockedVersion { version: release.version.clone(), integrity: release.integrity, package_type: release.package_type };
            lockfile.packages.insert(name.clone(), locked);
        }
        if problems.is_empty() { Ok(lockfile) } else { Err(Unresolved(problems)) }
    }
}

fn check_root(root: &Manifest, demands: &[Demand]) -> Vec<LockProblem> {
    let mut problems = Vec::new();
    if demands.iter().any(|demand| !demand.range.allows(root.version())) {
        problems.push(unsatisfied(root.name(), demands));
    }
    problems.extend(wrong_type(root.name(), root.package_type(), demands));
    problems
}

fn unsatisfied(name: &PackageName, demands: &[Demand]) -> LockProblem {
    let wanted = demands.iter().map(|demand| (demand.by.clone(), demand.range.clone())).collect();
    LockProblem::Unsatisfied { name: name.clone(), wanted }
}

fn wrong_type(name: &PackageName, found: PackageType, demands: &[Demand]) -> Option<LockProblem> {
    let wrong: Vec<Demand> = demands.iter().filter(|demand| demand.package_type != found).cloned().collect();
    let expected = wrong.first()?.package_type;
    Some(LockProblem::WrongType { name: name.clone(), expected, found, needed_by: who(&wrong) })
}

fn who(demands: &[Demand]) -> Vec<PackageName> {
    let unique: BTreeSet<&PackageName> = demands.iter().map(|demand| &demand.by).collect();
    unique.into_iter().cloned().collect()
}

fn names(names: &[PackageName]) -> String {
    names.iter().map(PackageName::as_str).collect::<Vec<_>>().join(", ")
}

fn ranges(wanted: &[(PackageName, Range)]) -> String {
    wanted.iter().map(|(by, range)| format!("{range} of {by}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
