//! TypeScript packages, unmodified.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::host::{Host, fixture, text, with_packages};
use crate::http::Proxy;

fn system_tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/tools").join(name)
}

#[test]
fn the_five_system_tools_run_unmodified() {
    let mut setup = with_packages(&["add-memory", "log", "output", "report", "set-state"].map(system_tool));
    setup.environment.insert(
        "OUTPUT_SCHEMA".to_owned(),
        json!({"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}).to_string(),
    );
    let mut host = Host::new(setup);
    assert_eq!(host.failures, []);
    let names: Vec<_> = host.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["add_memory", "log", "output", "report", "set_state"]);
    assert!(host.tools.iter().all(|tool| tool.parameters["type"] == "object" && !tool.description.is_empty()));
    assert_eq!(host.tools[1].parameters["properties"]["level"]["anyOf"][2], json!({"const": "error", "type": "string"}));
    assert_eq!(host.tools[1].parameters["required"], json!(["level", "message"]));
    let level = host.call("log", json!({"level": "warn", "message": "odd"}));
    assert_eq!((text(&level).as_str(), level.details), ("Logged.", Some(json!({"level": "warn"}))));
    for (tool, arguments) in [
        ("add_memory", json!({"content": "likes tea"})),
        ("output", json!({"data": {"n": 1}})),
        ("report", json!({"content": "# Done"})),
        ("set_state", json!({"state": {"cursor": 5}})),
    ] {
        host.ok(tool, arguments);
    }
    let lines: Vec<Value> = host.lines.iter().map(|(_, line)| serde_json::from_str(line).expect("a JSON line")).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0], json!({"type": "log", "level": "warn", "message": "odd"}));
    assert_eq!(
        host.lines.iter().map(|(tool, _)| tool.as_str()).collect::<Vec<_>>(),
        ["log", "add_memory", "output", "report", "set_state"]
    );
}

#[test]
fn a_third_party_tool_reaches_its_service_through_the_proxy() {
    let proxy = Proxy::start(|request| {
        assert_eq!(request.header("host"), Some("crm.example.com"));
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let answer = json!({"id": body["id"], "plan": "gold"}).to_string();
        let (first, rest) = answer.split_at(2);
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len())
    });
    let mut setup = with_packages(&[fixture("third-party")]);
    setup.environment.insert("CRM_URL".to_owned(), "https://crm.example.com/v1/".to_owned());
    setup.environment.insert("HTTP_PROXY".to_owned(), proxy.url());
    let mut host = Host::new(setup);
    assert_eq!(host.failures, []);
    assert_eq!(host.tools[0].parameters["required"], json!(["ids"]));
    let outcome = host.call("customers", json!({"ids": ["a", "b/c", "d"], "tier": 2}));
    assert!(!outcome.is_error, "{outcome:?}");
    let found: Value = serde_json::from_str(&text(&outcome)).expect("JSON");
    assert_eq!(found[1], json!({"id": "b/c", "file": "reports/b/c.json", "plan": "gold"}));
    let cwd = host.path("").to_str().expect("utf-8").trim_end_matches('/').to_owned();
    assert_eq!(outcome.details, Some(json!({"toolCallId": "toolu_1", "cwd": cwd, "tier": "Premium", "calls": 3})));
    assert_eq!(host.lines, [("customers".to_owned(), "read 3 customers".to_owned())]);
    assert_eq!(host.updates.len(), 1);
    let mut lines: Vec<_> = proxy.requests().into_iter().map(|request| request.line).collect();
    lines.sort();
    assert_eq!(lines[1], "POST https://crm.example.com/v1/customers/b%2Fc?tier=2 HTTP/1.1");
}

#[test]
fn both_shapes_of_execute_and_all_results_are_understood() {
    let mut host = Host::new(with_packages(&[fixture("spec-shape")]));
    assert_eq!(host.ok("greet", json!({"name": "Ada"})), "Hello Ada");
    let sum = host.call("sum", json!({"a": 2, "b": 3}));
    assert_eq!((text(&sum).as_str(), sum.details), ("{\"total\":5}", Some(json!({"total": 5}))));
    let refused = host.call("refuse", json!({"what": "way"}));
    assert_eq!((text(&refused).as_str(), refused.details, refused.is_error), ("no way", Some(json!({"why": "policy"})), true));
    let picture = host.call("picture", json!({}));
    assert_eq!(serde_json::to_value(&picture.content).expect("JSON"), json!([{"type": "image", "data": "aGk=", "mimeType": "image/png"}]));
}

#[test]
fn the_builtin_modules_and_globals_do_what_nodes_do() {
    let mut host = Host::new(with_packages(&[fixture("node-modules")]));
    assert_eq!(host.failures, []);
    assert_eq!(host.ok("selftest", json!({})), "14 ok");
}

#[test]
fn state_of_a_module_is_kept_between_calls_and_calls_run_side_by_side() {
    let mut setup = with_packages(&[fixture("hostile"), fixture("spec-shape")]);
    setup.tools.reverse();
    let mut host = Host::new(setup);
    assert_eq!(host.tools[0].name, "greet");
    assert_eq!(host.ok("count", json!({})), "1");
    let waiting = host.begin("waits_for_abort", json!({}), None);
    assert_eq!(host.ok("count", json!({})), "2");
    host.send(&wire::hands::ToHands::Cancel { call: waiting });
    assert!(text(&host.end(waiting)).contains("cancelled"));
    assert_eq!(host.ok("count", json!({})), "3");
}
