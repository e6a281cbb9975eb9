use std::collections::BTreeSet;

use super::*;

/// What the check says about one crate with these dependency tables.
fn verdict(name: &str, tables: &str) -> Vec<String> {
    let text = format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{tables}");
    violations(&[Manifest::parse(&text)])
}

fn assert_refused(name: &str, tables: &str, because: &str) {
    let found = verdict(name, tables);
    assert_eq!(found.len(), 1, "{name}: {tables}: {found:?}");
    assert!(found[0].contains(because), "{found:?} does not mention {because}");
}

#[test]
fn this_workspace_keeps_its_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert_eq!(check(root).unwrap().violations, Vec::<String>::new());
}

#[test]
fn the_edges_of_the_architecture_are_allowed() {
    assert_eq!(
        verdict("api", "[dependencies]\nruns.workspace = true\nstore.workspace = true\naxum.workspace = true"),
        Vec::<String>::new()
    );
    assert_eq!(verdict("toolhost", "[dependencies]\nsandbox = { workspace = true, features = [\"launcher\"] }"), Vec::<String>::new());
    assert_eq!(verdict("store", "[dependencies]\nsea-orm.workspace = true\nwire.workspace = true"), Vec::<String>::new());
    assert_eq!(verdict("bench", "[dependencies]\ntestkit.workspace = true\nstore.workspace = true"), Vec::<String>::new());
}

#[test]
fn an_edge_that_points_up_is_refused() {
    assert_refused("store", "[dependencies]\napi.workspace = true", "may not depend on `api`");
    assert_refused("runs", "[dependencies]\napi = { path = \"../api\" }", "may not depend on `api`");
    assert_refused("domain", "[dependencies.wire]\nworkspace = true", "allowed are: none");
}

#[test]
fn what_runs_beside_or_in_the_sandbox_never_sees_the_database() {
    for name in ["sandbox", "sidecar", "toolhost", "agent"] {
        assert_refused(name, "[dependencies]\nstore.workspace = true", "may not depend on `store`");
    }
}

#[test]
fn a_rename_or_a_target_table_hides_nothing() {
    assert_refused("sidecar", "[dependencies]\nharmless = { package = \"store\", path = \"../store\" }", "`store`");
    assert_refused("toolhost", "[target.'cfg(unix)'.dependencies]\nstore.workspace = true", "`store`");
    assert_refused("agent", "[build-dependencies]\nstore.workspace = true", "`store`");
}

#[test]
fn testkit_is_linked_by_tests_only() {
    assert_eq!(verdict("api", "[dev-dependencies]\ntestkit.workspace = true"), Vec::<String>::new());
    assert_refused("api", "[dependencies]\ntestkit.workspace = true", "[dev-dependencies] only");
    assert_refused("server", "[build-dependencies]\ntestkit.workspace = true", "[dev-dependencies] only");
}

#[test]
fn a_third_party_crate_has_its_owner() {
    assert_refused("api", "[dependencies]\nsqlx.workspace = true", "SQL lives in `store`");
    assert_refused("connect", "[dependencies]\nreqwest.workspace = true", "the one client in `net`");
    assert_refused("toolhost", "[dependencies]\nhyper.workspace = true", "the one client in `net`");
    assert_refused("runs", "[dependencies]\naxum.workspace = true", "`server` serves it");
    assert_refused("connect", "[dependencies]\nring = \"0.17\"", "the one crypto provider");
    assert_refused("domain", "[dependencies]\ntokio.workspace = true", "no I/O and no async");
    assert_eq!(verdict("api", "[dev-dependencies]\nreqwest.workspace = true"), Vec::<String>::new());
}

#[test]
fn a_new_crate_needs_a_place_and_the_lints() {
    assert_refused("hooks", "", "has no place in the layers");
    let without_lints = Manifest::parse("[package]\nname = \"afps\"\n[dependencies]\ndomain.workspace = true");
    let found = violations(&[without_lints]);
    assert!(found.len() == 1 && found[0].contains("does not inherit"), "{found:?}");
}

#[test]
fn the_rules_name_only_crates_that_they_list_and_have_no_cycle() {
    let known: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(known.len(), CRATES.len(), "a crate is listed twice");
    for (position, (name, allowed)) in CRATES.iter().enumerate() {
        for below in allowed.iter().filter(|below| **below != "*") {
            let position_below = CRATES.iter().position(|(other, _)| other == below);
            assert!(position_below.is_some_and(|found| found < position), "`{name}` names `{below}`, which does not stand above it");
        }
    }
    for owned in OWNED {
        assert!(owned.owners.iter().all(|owner| known.contains(owner)), "an owner of {:?} is unknown", owned.packages);
    }
}
