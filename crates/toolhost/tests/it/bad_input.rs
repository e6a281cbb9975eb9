//! Packages that cannot be loaded: each is named with its reason, and the others work.

use serde_json::json;
use wire::hands::Setup;

use crate::host::{Host, file, fixture, module, setup, with_packages, with_source};

/// The reason why a package of one module is not loaded.
fn refused(source: &str) -> String {
    let mut host = Host::new(with_source(source));
    assert_eq!((host.tools.len(), host.failures.len()), (0, 1), "{source}");
    assert_eq!(host.failures[0].package.to_string(), "@test/one");
    assert_eq!(host.ok("bash", json!({"command": "echo still here"})), "still here\n");
    host.failures[0].message.clone()
}

#[test]
fn a_load_error_names_its_cause() {
    let good = "export default (pi) => pi.registerTool({ name: 'a', description: '', execute() {} });";
    for (source, expected) in [
        ("import 'node:child_process';".to_owned() + good, "'node:child_process' is not available in the tool runtime"),
        ("import x from 'lodash';x();".to_owned() + good, "'lodash' is not available in the tool runtime"),
        ("import './missing';".to_owned() + good, "'./missing' does not exist in the package"),
        ("import '../../../etc/passwd';".to_owned() + good, "does not exist in the package"),
        ("import { nope } from 'node:path';nope();".to_owned() + good, "nope"),
        ("const a = ;".to_owned() + good, "syntax error at 1:11"),
        ("throw new TypeError('top level');".to_owned() + good, "TypeError: top level"),
        ("await new Promise(() => {});".to_owned() + good, "waits for something that never happens"),
        ("export const a = 1;".to_owned(), "no default export"),
        ("export default 5;".to_owned(), "no default export"),
        ("export default () => {};".to_owned(), "registered no tool"),
        ("export default async () => { throw new Error('late'); };".to_owned(), "late"),
        ("export default (pi) => pi.registerTool({ name: 'bad name', execute() {} });".to_owned(), "'bad name'"),
        ("export default (pi) => pi.registerTool({ name: 'a' });".to_owned(), "no execute function"),
        ("export default (pi) => pi.registerTool({ name: 'a', parameters: [], execute() {} });".to_owned(), "no JSON Schema"),
        ("export default (pi) => pi.registerTool({ name: 'bash', execute() {} });".to_owned(), "belongs to a built-in tool"),
        (good.to_owned() + "(".repeat(100_000).as_str(), "nested deeper"),
        ("x".repeat(1024 * 1024 + 1), "larger than"),
        ("@decorate class A {}".to_owned() + good, ""),
    ] {
        let message = refused(&source);
        assert!(message.contains(expected), "{source:.80}: {message}");
    }
}

#[test]
fn loading_has_a_deadline_too() {
    assert!(refused("for (;;) {}; export default () => {};").contains("longer than 10 s"));
}

#[test]
fn a_bad_package_leaves_the_others_working_and_names_are_taken_once() {
    let mut setup = with_packages(&[fixture("spec-shape")]);
    setup
        .files
        .push(file(".tools/one/index.ts", "export default (pi) => pi.registerTool({ name: 'greet', description: '', execute() {} });"));
    setup.tools.push(module("one", "index.ts"));
    setup.tools.push(module("gone", "index.ts"));
    setup.tools.push(wire::hands::ToolModule { entrypoint: "../spec-shape/index.ts".to_owned(), ..module("one", "") });
    let mut host = Host::new(setup);
    let messages: Vec<_> = host.failures.iter().map(|failure| failure.message.as_str()).collect();
    assert!(messages[0].contains("already taken by @test/spec-shape"), "{messages:?}");
    assert!(messages[1].contains("does not exist") && messages[2].contains("does not exist"), "{messages:?}");
    assert_eq!(host.ok("greet", json!({"name": "Ada"})), "Hello Ada");
}

#[test]
fn a_runtime_without_room_for_its_prelude_says_so() {
    let mut small: Setup = setup();
    small.limits.tool_memory_bytes = 100_000;
    small.files.push(file(".tools/one/index.ts", "export default () => {};"));
    small.tools.push(module("one", "index.ts"));
    let host = Host::new(small);
    assert_eq!(host.failures.len(), 1);
}
