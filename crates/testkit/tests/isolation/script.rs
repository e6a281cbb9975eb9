//! One agent whose answers depend on whom it acts for: the scripted model learns the customer's number from the orders API.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::scripted_model::{Step, call, say};
use testkit::system::{Agent, Customer, System, Tenant};

/// The agent, its provider and the tenant's default model, playing [`decide`].
pub(crate) async fn publish(system: &System, tenant: &Tenant) -> anyhow::Result<(String, String)> {
    let provider = tenant.provider(system, "orders").await?;
    let agent = Agent {
        providers: vec![provider.clone()],
        input: Some(json!({ "type": "object", "properties": { "order": { "type": "string" } } })),
        output: Some(json!({ "type": "object", "required": ["note"], "properties": { "note": { "type": "string" } } })),
        timeout_seconds: Some(60.0),
        ..Agent::named("triage")
    };
    let agent = tenant.agent(&agent).await?;
    let (base, id) = (system.customer_api.base_url(), provider.clone());
    system.model.deciding(&tenant.script(), move |request, turn| decide(&base, &id, request, turn));
    Ok((agent, provider))
}

/// A caller of a tenant, with the number by which the customer API knows its key.
#[derive(Clone)]
pub(crate) struct Caller {
    pub customer: Customer,
    pub key: &'static str,
    pub number: usize,
}

impl Caller {
    /// What a run of this caller leaves in state, memory, output and so on.
    pub(crate) fn mark(&self, what: &str) -> String {
        format!("{what}-of-{}", self.number)
    }

    /// An order id that names the caller; it stands in the path of the provider request.
    pub(crate) fn order(&self, name: &str) -> String {
        format!("ord_{}_{name}", self.number)
    }
}

/// The input of a run and the answer of the orders API tell all that differs.
fn decide(base: &str, provider: &str, request: &Value, turn: usize) -> Step {
    let text = flat(request);
    let order = order(&text).unwrap_or_default();
    let step = match turn {
        0 if order.ends_with("hang") => Step::Hang,
        0 => call("provider_call", json!({ "provider": provider, "url": format!("{base}/orders/{order}") })),
        1 => call("run_history", json!({ "fields": ["state", "result"] }))
            .and("bash", json!({ "command": "curl -sS \"$SIDECAR_URL/run-history?fields=state,result&limit=50\"" })),
        2 => {
            let number = customer(&text).unwrap_or_else(|| "nobody".to_owned());
            let mark = |what: &str| format!("{what}-of-{number}");
            call("set_state", json!({ "state": { "note": mark("state") } }))
                .and("add_memory", json!({ "content": mark("memory"), "key": "note" }))
                .and("log", json!({ "level": "info", "message": mark("log") }))
                .and("output", json!({ "data": { "note": mark("output") } }))
                .and("report", json!({ "content": mark("report") }))
                .and("bash", json!({ "command": format!("ls; cat note.txt; echo {} | tee note.txt", mark("file")) }))
        }
        _ => say("All is done."),
    };
    if order.ends_with("slow") { step.after(Duration::from_millis(400)) } else { step }
}

/// A request without the spaces and escapes that differ between levels of nesting.
pub(crate) fn flat(request: &Value) -> String {
    request.to_string().replace(['\\', ' '], "")
}

/// The order that a request is about.
pub(crate) fn order(text: &str) -> Option<String> {
    let start = text.find("ord_")?;
    Some(text[start..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect())
}

fn customer(text: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once("\"customer\":")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}
