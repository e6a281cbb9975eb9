//! `run_history`: earlier successful runs of the same owner, as a tool and at `/run-history`.

use agent::PortLost;
use async_trait::async_trait;
use http::{Response, StatusCode};
use net::Body;
use serde_json::{Value, json};
use wire::hands::ToolOutcome;

use crate::http_io;

const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 50;
/// What can be asked for; the worker decides what it gives.
const FIELDS: [&str; 2] = ["state", "result"];

/// Answers about earlier runs; the worker does.
#[async_trait]
pub trait RunHistory: Send + Sync {
    /// Newest first.
    async fn history(&self, limit: u32, fields: Vec<String>) -> Result<Vec<Value>, PortLost>;
}

/// `?limit=1..50&fields=state,result`.
pub async fn answer(history: &dyn RunHistory, query: &str) -> Response<Body> {
    let mut limit = None;
    let mut fields = Vec::new();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "limit" => limit = Some(value.parse::<u32>().map_or(Value::Null, Value::from)),
            "fields" => fields.extend(value.split(',').map(|field| field.trim().to_owned())),
            _ => {}
        }
    }
    let asked = limit.unwrap_or_else(|| DEFAULT_LIMIT.into());
    match ask(history, &asked, fields).await {
        Ok(runs) => http_io::json(StatusCode::OK, &json!({ "runs": runs })),
        Err(Trouble::Asked(text)) => http_io::refuse(StatusCode::BAD_REQUEST, "invalid_parameter", &text),
        Err(Trouble::Lost(lost)) => http_io::refuse(StatusCode::BAD_GATEWAY, "unavailable", &lost.to_string()),
    }
}

/// The tool: `{"limit": 10, "fields": ["state", "result"]}`, both optional.
pub async fn call(history: &dyn RunHistory, arguments: &Value) -> ToolOutcome {
    let limit = arguments.get("limit").cloned().unwrap_or_else(|| DEFAULT_LIMIT.into());
    let fields = arguments
        .get("fields")
        .and_then(Value::as_array)
        .map(|fields| fields.iter().map(|field| field.as_str().unwrap_or_default().to_owned()));
    match ask(history, &limit, fields.into_iter().flatten().collect()).await {
        Ok(runs) => ToolOutcome::text(Value::from(runs).to_string()),
        Err(Trouble::Asked(text)) => ToolOutcome::error(text),
        Err(Trouble::Lost(lost)) => ToolOutcome::error(format!("the history could not be read: {lost}")),
    }
}

enum Trouble {
    Asked(String),
    Lost(PortLost),
}

async fn ask(history: &dyn RunHistory, limit: &Value, fields: Vec<String>) -> Result<Vec<Value>, Trouble> {
    let limit = limit.as_u64().and_then(|limit| u32::try_from(limit).ok()).filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let limit = limit.ok_or_else(|| Trouble::Asked(format!("limit is a number from 1 to {MAX_LIMIT}")))?;
    let fields: Vec<String> = fields.into_iter().filter(|field| !field.is_empty()).collect();
    if let Some(unknown) = fields.iter().find(|field| !FIELDS.contains(&field.as_str())) {
        let unknown: String = unknown.chars().take(50).collect();
        return Err(Trouble::Asked(format!("\"{unknown}\" is no field of a run; fields are {}", FIELDS.join(" and "))));
    }
    history.history(limit, fields).await.map_err(Trouble::Lost)
}
