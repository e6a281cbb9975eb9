//! Names, descriptions and argument schemas of the platform's tools. Names and parameters are those users know (Pi SDK).

use serde_json::{Value, json};
use wire::run_spec::{ToolCarrier, ToolSpec};

use super::schema;

/// Package that stands for the tool `output`.
pub(crate) const OUTPUT_PACKAGE: &str = "@appstrate/output";

type Define = fn() -> ToolSpec;

/// The other packages that the loop carries out, and their definitions.
pub(crate) const SYSTEM_PACKAGES: [(&str, Define); 4] =
    [("@appstrate/report", report), ("@appstrate/log", log), ("@appstrate/set-state", set_state), ("@appstrate/add-memory", add_memory)];

fn tool(carrier: ToolCarrier, name: &str, description: &str, parameters: Value) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: description.to_owned(), parameters, carrier }
}

/// An object schema without further properties.
fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

pub(crate) fn output(output_schema: Option<&Value>) -> ToolSpec {
    let data =
        output_schema.map_or_else(|| json!({"type": "object"}), |given| schema::nested(&schema::partial(given), "#/properties/data"));
    let required = output_schema.map(schema::required).unwrap_or_default();
    let mut description = "Returns the structured result of this run. `data` is merged deeply into what earlier calls returned \
        (objects merge, everything else is replaced), so the result may be given in parts."
        .to_owned();
    if !required.is_empty() {
        let names: Vec<_> = required.iter().map(|name| format!("`{name}`")).collect();
        description.push_str(" The run is complete only when these are present: ");
        description.push_str(&names.join(", "));
        description.push('.');
    }
    tool(ToolCarrier::Loop, "output", &description, object(&json!({"data": data}), &["data"]))
}

fn report() -> ToolSpec {
    tool(
        ToolCarrier::Loop,
        "report",
        "Adds Markdown to the report of this run, which people read. Several calls are joined with a blank line.",
        object(&json!({"content": {"type": "string", "minLength": 1, "description": "Markdown."}}), &["content"]),
    )
}

fn log() -> ToolSpec {
    tool(
        ToolCarrier::Loop,
        "log",
        "Writes a line to the log of this run, which people follow while it is going.",
        object(
            &json!({
                "level": {"type": "string", "enum": ["debug", "info", "warn", "error"]},
                "message": {"type": "string", "minLength": 1},
                "data": {"type": "object", "description": "Details to keep beside the message."}
            }),
            &["level", "message"],
        ),
    )
}

fn set_state() -> ToolSpec {
    tool(
        ToolCarrier::Loop,
        "set_state",
        "Sets the state that the next run of this agent reads as Previous State, for example a cursor. \
         The last call replaces all earlier ones. At most 64 KiB of JSON.",
        object(&json!({"state": {"type": "object"}}), &["state"]),
    )
}

fn add_memory() -> ToolSpec {
    tool(
        ToolCarrier::Loop,
        "add_memory",
        "Remembers a text for all future runs of this agent. With `key`, it replaces the memory of that key. \
         At most 100 memories are kept; beyond that the oldest goes.",
        object(
            &json!({
                "content": {"type": "string", "minLength": 1, "maxLength": 2000},
                "key": {"type": "string", "minLength": 1, "maxLength": 200, "description": "A stable name for what is remembered."}
            }),
            &["content"],
        ),
    )
}

pub(crate) fn provider_call() -> ToolSpec {
    tool(
        ToolCarrier::Sidecar,
        "provider_call",
        "Calls the API of a connected provider. The credential is added on the way; never write one yourself. \
         Returns status, headers and body; a large body is stored as a file in the workspace and named in the result.",
        object(
            &json!({
                "provider": {"type": "string", "description": "Id of a connected provider, e.g. `@appstrate/gmail`."},
                "method": {"type": "string", "enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], "default": "GET"},
                "url": {"type": "string", "description": "Absolute URL, within the provider's authorized URLs."},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "body": {
                    "description": "A string is sent as it is; any other value is sent as JSON with its content type.",
                    "type": ["string", "object", "array", "number", "boolean", "null"]
                }
            }),
            &["provider", "url"],
        ),
    )
}

pub(crate) fn run_history() -> ToolSpec {
    tool(
        ToolCarrier::Sidecar,
        "run_history",
        "Lists earlier successful runs of this agent, newest first.",
        object(
            &json!({
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
                "fields": {
                    "type": "array", "items": {"type": "string", "enum": ["state", "result"]}, "uniqueItems": true,
                    "description": "What to return beside id and times."
                }
            }),
            &[],
        ),
    )
}

pub(crate) fn host_tools() -> [ToolSpec; 7] {
    let host = |name, description, parameters| tool(ToolCarrier::Host, name, description, parameters);
    let path = |what: &str| json!({"type": "string", "description": format!("{what}, relative to /workspace or absolute.")});
    [
        host(
            "bash",
            "Runs a command with bash in /workspace and returns its output, stdout and stderr together: the last 2000 lines or \
             50 KB; the full output is kept in a file that the result names. Ends after 120 seconds unless `timeout` says otherwise.",
            object(
                &json!({
                    "command": {"type": "string", "minLength": 1},
                    "timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": 86_400, "description": "Seconds."}
                }),
                &["command"],
            ),
        ),
        host(
            "read",
            "Reads a file: text (the first 2000 lines or 50 KB; continue with `offset`) or an image (jpg, png, gif, webp).",
            object(
                &json!({
                    "path": path("File"),
                    "offset": {"type": "integer", "minimum": 1, "description": "First line, counted from 1."},
                    "limit": {"type": "integer", "minimum": 1, "description": "Number of lines."}
                }),
                &["path"],
            ),
        ),
        host(
            "write",
            "Writes a file, replacing it if it exists; missing directories are made.",
            object(&json!({"path": path("File"), "content": {"type": "string"}}), &["path", "content"]),
        ),
        host(
            "edit",
            "Changes a file by exact replacements. Each `oldText` must occur exactly once in the file as it is now; replacements must not overlap.",
            object(
                &json!({
                    "path": path("File"),
                    "edits": {
                        "type": "array", "minItems": 1,
                        "items": object(&json!({"oldText": {"type": "string", "minLength": 1}, "newText": {"type": "string"}}), &["oldText", "newText"])
                    }
                }),
                &["path", "edits"],
            ),
        ),
        host(
            "ls",
            "Lists a directory.",
            object(&json!({"path": path("Directory"), "limit": {"type": "integer", "minimum": 1, "maximum": 5000, "default": 500}}), &[]),
        ),
        host(
            "grep",
            "Searches file contents with a regular expression; files that .gitignore names are left out.",
            object(
                &json!({
                    "pattern": {"type": "string", "minLength": 1},
                    "path": path("File or directory"),
                    "glob": {"type": "string", "description": "Only files that match, e.g. `*.ts`."},
                    "ignoreCase": {"type": "boolean"},
                    "literal": {"type": "boolean", "description": "Take the pattern as plain text."},
                    "context": {"type": "integer", "minimum": 0, "maximum": 50, "description": "Lines around each match."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
                }),
                &["pattern"],
            ),
        ),
        host(
            "find",
            "Finds files by a glob pattern; files that .gitignore names are left out.",
            object(
                &json!({
                    "pattern": {"type": "string", "minLength": 1, "description": "e.g. `**/*.md`."},
                    "path": path("Directory"),
                    "limit": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}
                }),
                &["pattern"],
            ),
        ),
    ]
}
