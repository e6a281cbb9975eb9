//! `run_history`: what a run may see of the runs before it.

use serde_json::{Map, Value, json};
use store::{AppScope, Run, Store, StoreError};
use wire::api::timestamp::Moment;
use wire::run_spec::RunSpec;

/// Runs that are answered at most.
const MOST: u32 = 50;

/// All answered runs together, in bytes of JSON: they travel in one frame, and end in a model's context.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The last successful runs of the same agent and owner, newest first: `{id, status, date, duration}` (milliseconds) with `state`
/// and `result` as asked; the oldest are left out where all would be too large. An inline run has no history.
pub(crate) async fn history(
    store: &Store,
    scope: &AppScope,
    spec: &RunSpec,
    (limit, fields): (u32, &[String]),
) -> Result<Vec<Value>, StoreError> {
    if spec.version.is_none() {
        return Ok(Vec::new());
    }
    let read = store.read(scope).await?;
    let runs = read.runs().history(&spec.agent, spec.run, limit.clamp(1, MOST)).await?;
    let mut bytes = 0;
    let fits = |entry: &Value| {
        bytes += entry.to_string().len();
        bytes <= MOST_BYTES
    };
    Ok(runs.into_iter().map(|run| entry(run, fields)).take_while(fits).collect())
}

fn entry(run: Run, fields: &[String]) -> Value {
    let wants = |name: &str| fields.iter().any(|field| field == name);
    let mut entry = Map::new();
    entry.insert("id".to_owned(), json!(run.id));
    entry.insert("status".to_owned(), json!(run.status));
    entry.insert("date".to_owned(), json!(Moment(run.created_at)));
    entry.insert("duration".to_owned(), json!(run.duration_ms()));
    if wants("state") {
        entry.insert("state".to_owned(), run.state.unwrap_or_default());
    }
    if wants("result") {
        entry.insert("result".to_owned(), json!({ "output": run.output, "report": run.report }));
    }
    Value::Object(entry)
}
