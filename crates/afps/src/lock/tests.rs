use proptest::prelude::*;
use serde_json::json;

use super::*;

type Shelf = BTreeMap<PackageName, Vec<Release>>;

fn root(tools: &[(&str, &str)]) -> Manifest {
    let tools: BTreeMap<&str, &str> = tools.iter().copied().collect();
    let value = json!({
        "name": "@acme/root", "version": "1.0.0", "type": "agent", "schemaVersion": "1.0", "displayName": "Root", "author": "Acme",
        "dependencies": {"tools": tools}
    });
    Manifest::from_value(value).expect("valid")
}

fn name(text: &str) -> PackageName {
    text.parse().expect("valid name")
}

fn release(version: &str, tools: &[(&str, &str)]) -> Release {
    let tools = tools.iter().map(|(dependency, range)| (name(dependency), range.parse().expect("valid range"))).collect();
    Release {
        package_type: PackageType::Tool,
        version: version.parse().expect("valid version"),
        integrity: Integrity::of(version.as_bytes()),
        yanked: false,
        dependencies: Dependencies { tools, ..Dependencies::default() },
    }
}

fn run(root: &Manifest, shelf: &Shelf) -> Result<Vec<String>, Vec<String>> {
    match resolve(root, |wanted| shelf.get(wanted).map(Vec::as_slice)) {
        Ok(lockfile) => Ok(lockfile.packages.iter().map(|(package, locked)| format!("{package} {}", locked.version)).collect()),
        Err(unresolved) => Err(unresolved.0.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn the_highest_version_that_suits_everyone() {
    let shelf = Shelf::from([
        (name("@x/a"), vec![release("1.0.0", &[("@x/c", "^1")]), release("1.4.0", &[("@x/c", "^1.0")]), release("2.0.0-rc.1", &[])]),
        (name("@x/b"), vec![release("3.0.0", &[("@x/c", "<1.3")])]),
        (name("@x/c"), vec![release("1.1.0", &[]), release("1.2.9", &[]), release("1.9.0", &[("@x/gone", "*")])]),
    ]);
    assert_eq!(
        run(&root(&[("@x/a", "*"), ("@x/b", "3.x")]), &shelf),
        Ok(vec!["@x/a 1.4.0".into(), "@x/b 3.0.0".into(), "@x/c 1.2.9".into()])
    );
}

#[test]
fn circles_end_and_the_root_may_be_part_of_one() {
    let shelf = Shelf::from([
        (name("@x/a"), vec![release("1.0.0", &[("@x/b", "*")])]),
        (name("@x/b"), vec![release("1.0.0", &[("@x/a", "^1"), ("@x/b", "*")])]),
    ]);
    assert_eq!(run(&root(&[("@x/a", "*")]), &shelf), Ok(vec!["@x/a 1.0.0".into(), "@x/b 1.0.0".into()]));

    let mut back = release("1.0.0", &[]);
    back.dependencies.skills.insert(name("@acme/root"), "^2".parse().expect("valid"));
    let shelf = Shelf::from([(name("@x/a"), vec![back])]);
    assert_eq!(
        run(&root(&[("@x/a", "*")]), &shelf),
        Err(vec![
            "@acme/root has no version that satisfies ^2 of @x/a".into(),
            "@acme/root has type agent, but @x/a needs type skill".into(),
        ])
    );
}

#[test]
fn all_problems_at_once() {
    let mut provider = release("1.0.0", &[("@x/deep", "*")]);
    provider.package_type = PackageType::Provider;
    let shelf = Shelf::from([(name("@x/old"), vec![release("1.0.0", &[])]), (name("@x/kind"), vec![provider]), (name("@x/empty"), vec![])]);
    let agent = root(&[("@x/old", "^2"), ("@x/kind", "*"), ("@x/none", "*"), ("@x/empty", "*")]);
    assert_eq!(
        run(&agent, &shelf),
        Err(vec![
            "@x/deep does not exist (needed by @x/kind)".into(),
            "@x/empty does not exist (needed by @acme/root)".into(),
            "@x/kind has type provider, but @acme/root needs type tool".into(),
            "@x/none does not exist (needed by @acme/root)".into(),
            "@x/old has no version that satisfies ^2 of @acme/root".into(),
        ])
    );
    let unresolved = resolve(&agent, |wanted| shelf.get(wanted).map(Vec::as_slice)).expect_err("missing");
    assert_eq!(unresolved.missing().map(PackageName::as_str).collect::<Vec<_>>(), ["@x/deep", "@x/empty", "@x/none"]);
}

#[test]
fn a_yanked_version_only_by_its_exact_name() {
    let mut yanked = release("1.1.0", &[]);
    yanked.yanked = true;
    let shelf = Shelf::from([(name("@x/a"), vec![release("1.0.0", &[]), yanked])]);
    assert_eq!(run(&root(&[("@x/a", "^1")]), &shelf), Ok(vec!["@x/a 1.0.0".into()]));
    assert_eq!(run(&root(&[("@x/a", "1.1.0")]), &shelf), Ok(vec!["@x/a 1.1.0".into()]));
    assert!(run(&root(&[("@x/a", ">=1.1.0")]), &shelf).is_err());
}

#[test]
fn versions_that_exclude_each_other_end() {
    // a@2 wants b ^1, and b@1 wants a ^1; a@1 wants b ^2, and b@2 wants a ^2.
    let shelf = Shelf::from([
        (name("@x/a"), vec![release("1.0.0", &[("@x/b", "^2")]), release("2.0.0", &[("@x/b", "^1")])]),
        (name("@x/b"), vec![release("1.0.0", &[("@x/a", "^1")]), release("2.0.0", &[("@x/a", "^2")])]),
    ]);
    assert!(run(&root(&[("@x/a", "*"), ("@x/b", "*")]), &shelf).is_err());
}

#[test]
fn a_graph_without_end_is_cut() {
    let shelves: Vec<(PackageName, Vec<Release>)> =
        (0..600).map(|at| (name(&format!("@x/p{at}")), vec![release("1.0.0", &[(&format!("@x/p{}", at + 1), "*")])])).collect();
    let shelf: Shelf = shelves.into_iter().collect();
    assert_eq!(run(&root(&[("@x/p0", "*")]), &shelf), Err(vec![LockProblem::TooMany.to_string()]));
}

#[test]
fn the_file_has_a_stable_form() {
    let shelf = Shelf::from([(name("@x/a"), vec![release("1.0.0", &[])])]);
    let lockfile = resolve(&root(&[("@x/a", "*")]), |wanted| shelf.get(wanted).map(Vec::as_slice)).expect("resolves");
    let text = serde_json::to_string(&lockfile).expect("JSON");
    let integrity = Integrity::of(b"1.0.0");
    assert_eq!(text, format!(r#"{{"packages":{{"@x/a":{{"version":"1.0.0","integrity":"{integrity}","type":"tool"}}}}}}"#));
    assert_eq!(serde_json::from_str::<Lockfile>(&text).expect("reads back"), lockfile);
}

proptest! {
    /// On any graph of six packages with three versions each: it ends, and a lockfile satisfies every range of every chosen version.
    #[test]
    fn a_lockfile_satisfies_everyone(edges in proptest::collection::vec((0_usize..6, 1_u64..4, 0_usize..7, 1_u64..4), 0..24)) {
        let mut shelf: Shelf = (0..6)
            .map(|at| (name(&format!("@x/p{at}")), (1..4).map(|major| release(&format!("{major}.0.0"), &[])).collect()))
            .collect();
        for (from, major, to, wanted) in edges {
            let releases = shelf.get_mut(&name(&format!("@x/p{from}"))).expect("on the shelf");
            let at = releases.iter().position(|release| release.version == Version::new(major, 0, 0)).expect("exists");
            releases[at].dependencies.tools.insert(name(&format!("@x/p{to}")), format!("<={wanted}.x").parse().expect("valid"));
        }
        let root = root(&[("@x/p0", "*"), ("@x/p1", "<3")]);
        if let Ok(lockfile) = resolve(&root, |wanted| shelf.get(wanted).map(Vec::as_slice)) {
            let mut all = vec![root.dependencies()];
            for (package, locked) in &lockfile.packages {
                let release = shelf[package].iter().find(|release| release.version == locked.version).expect("exists");
                all.push(&release.dependencies);
            }
            for (_, wanted, range) in all.into_iter().flat_map(Dependencies::iter) {
                prop_assert!(range.allows(&lockfile.packages[wanted].version));
            }
        }
    }
}
