//! What a sandbox starts with: environment, files, tools.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::hands::{File, HandLimits, Setup, ToolModule};
use wire::run_spec::{RunSpec, ToolCarrier};

/// One environment string may not exceed 128 KiB on Linux; above this the value goes into a file.
const LARGEST_VARIABLE: usize = 96 * 1024;
/// Raw bytes of files in the setup message; base64 and JSON stay below the frame's size.
const SETUP_FILES: usize = 8 * 1024 * 1024;
/// Raw bytes of one later piece.
pub const PIECE: usize = 4 * 1024 * 1024;

const PROMPT_FILE: &str = ".pi/prompt.md";
const SCHEMA_FILE: &str = ".pi/output-schema.json";

/// The first message, and the files that did not fit into it.
#[derive(Debug)]
pub struct Beginning {
    pub setup: Setup,
    pub later: Vec<File>,
}

/// Builds the setup of a run's sandbox. `providers` are the connected ones.
pub fn build(spec: &RunSpec, files: Vec<File>, providers: &[String]) -> Beginning {
    let mut files = files;
    let environment = environment(spec, providers, &mut files);
    let tools = modules(spec);
    let (files, later) = split(files, &tools);
    let limits = HandLimits { call_timeout_ms: spec.limits.tool_timeout_ms, ..HandLimits::default() };
    Beginning { setup: Setup { environment, files, tools, limits }, later }
}

fn environment(spec: &RunSpec, providers: &[String], files: &mut Vec<File>) -> BTreeMap<String, String> {
    const FORWARD: &str = "http://sidecar:8081";
    const DIRECT: &str = "sidecar,localhost,127.0.0.1";
    let fixed = [
        ("SIDECAR_URL", "http://sidecar:8080"),
        ("HTTP_PROXY", FORWARD),
        ("HTTPS_PROXY", FORWARD),
        ("http_proxy", FORWARD),
        ("https_proxy", FORWARD),
        ("NO_PROXY", DIRECT),
        ("no_proxy", DIRECT),
        ("HOME", "/workspace"),
        ("WORKSPACE_DIR", "/workspace"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
    ];
    let mut environment: BTreeMap<String, String> = fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    environment.insert("CONNECTED_PROVIDERS".to_owned(), providers.join(","));
    environment.insert("AGENT_PROMPT".to_owned(), prompt(spec, files));
    if let Some(schema) = spec.output_schema.as_ref().filter(|schema| has_properties(schema)) {
        let text = schema.to_string();
        let value = if text.len() > LARGEST_VARIABLE { String::new() } else { text.clone() };
        if value.is_empty() {
            files.push(File { path: SCHEMA_FILE.to_owned(), content: text.into_bytes(), mode: 0o644 });
        } else {
            environment.insert("OUTPUT_SCHEMA".to_owned(), value);
        }
    }
    // A NUL would end the value for every program; it cannot be part of one.
    for value in environment.values_mut() {
        value.retain(|letter| letter != '\0');
    }
    environment
}

/// The whole prompt, or its start and where the rest is.
fn prompt(spec: &RunSpec, files: &mut Vec<File>) -> String {
    let whole = format!("{}\n\n{}", spec.prompt.system, spec.prompt.user);
    if whole.len() <= LARGEST_VARIABLE {
        return whole;
    }
    let note = format!("\n\n[The whole prompt is in /workspace/{PROMPT_FILE}]");
    let start = whole[..whole.floor_char_boundary(LARGEST_VARIABLE - note.len())].to_owned();
    files.retain(|file| file.path != PROMPT_FILE);
    files.push(File { path: PROMPT_FILE.to_owned(), content: whole.into_bytes(), mode: 0o644 });
    start + &note
}

fn has_properties(schema: &Value) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
}

fn modules(spec: &RunSpec) -> Vec<ToolModule> {
    let mut modules: Vec<ToolModule> = Vec::new();
    for tool in &spec.tools {
        if let ToolCarrier::Package { package, directory, entrypoint } = &tool.carrier {
            let module = ToolModule { package: package.clone(), directory: directory.clone(), entrypoint: entrypoint.clone() };
            if !modules.contains(&module) {
                modules.push(module);
            }
        }
    }
    modules
}

/// Tools are loaded with the setup message, so their files go first.
fn split(files: Vec<File>, tools: &[ToolModule]) -> (Vec<File>, Vec<File>) {
    let of_tool =
        |file: &File| tools.iter().any(|tool| file.path.strip_prefix(tool.directory.as_str()).is_some_and(|rest| rest.starts_with('/')));
    let (mut first, others): (Vec<File>, Vec<File>) = files.into_iter().partition(of_tool);
    let mut room = SETUP_FILES.saturating_sub(first.iter().map(size).sum());
    let mut later = Vec::new();
    for file in others {
        if size(&file) <= room {
            room -= size(&file);
            first.push(file);
        } else {
            later.push(file);
        }
    }
    (first, later)
}

fn size(file: &File) -> usize {
    // Path, mode and JSON around the content count too: many empty files are no small message.
    file.content.len() + file.path.len() + 64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    #[test]
    fn a_small_run_has_everything_in_its_environment() {
        let mut spec = testing::spec();
        spec.prompt.system = "Do it.".to_owned();
        spec.output_schema = Some(json!({ "properties": { "a": {} } }));
        let beginning = build(&spec, Vec::new(), &["@acme/shop".to_owned(), "@acme/mail".to_owned()]);
        let environment = &beginning.setup.environment;
        assert!(environment["AGENT_PROMPT"].starts_with("Do it."));
        assert_eq!(environment["SIDECAR_URL"], "http://sidecar:8080");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            assert_eq!(environment[name], "http://sidecar:8081");
        }
        assert_eq!(environment["CONNECTED_PROVIDERS"], "@acme/shop,@acme/mail");
        assert_eq!(environment["OUTPUT_SCHEMA"], "{\"properties\":{\"a\":{}}}");
        assert!(beginning.setup.files.is_empty() && beginning.later.is_empty());
        spec.output_schema = Some(json!({ "type": "object", "properties": {} }));
        assert!(!build(&spec, Vec::new(), &[]).setup.environment.contains_key("OUTPUT_SCHEMA"));
    }

    #[test]
    fn a_large_prompt_is_a_file_and_its_start_a_variable() {
        let mut spec = testing::spec();
        spec.prompt.system = "ü".repeat(100_000);
        let beginning = build(&spec, Vec::new(), &[]);
        let value = &beginning.setup.environment["AGENT_PROMPT"];
        assert!(value.len() <= LARGEST_VARIABLE);
        assert!(value.ends_with("/workspace/.pi/prompt.md]"));
        assert_eq!(beginning.setup.files[0].path, PROMPT_FILE);
        assert!(beginning.setup.files[0].content.len() > 200_000);
    }

    #[test]
    fn tool_files_come_first_and_large_ones_later() {
        let mut spec = testing::spec();
        spec.tools.push(testing::package_tool("greet", "@acme/greet", ".pi/tools/@acme/greet"));
        let file = |path: &str, size: usize| File { path: path.to_owned(), content: vec![0; size], mode: 0o644 };
        let files = vec![file("documents/big.bin", SETUP_FILES), file("documents/small", 10), file(".pi/tools/@acme/greet/index.ts", 100)];
        let beginning = build(&spec, files, &[]);
        let paths = |files: &[File]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&beginning.setup.files), [".pi/tools/@acme/greet/index.ts", "documents/small"]);
        assert_eq!(paths(&beginning.later), ["documents/big.bin"]);
        assert_eq!(beginning.setup.tools.len(), 1);
    }
}
