//! What the scripted model of the demo answers. A real model finds these steps by itself.

use serde_json::json;

use crate::scripted_model::{Step, call, say};

/// The name under which the script is played.
pub(super) const MODEL: &str = "scripted-demo";

/// One conversation: policy tool, orders API, shell, then state, memory, output and report.
pub(super) fn steps(customer_api: &str) -> Vec<Step> {
    vec![
        call("refund_policy", json!({ "amount": 129.5, "days": 12 })),
        call("provider_call", json!({ "provider": "@acme-demo/orders", "method": "GET", "url": format!("{customer_api}/orders/ord_42") })),
        call("bash", json!({ "command": "printf 'Order ord_42: brass engine, policy says refund.\\n' > note.md && cat note.md" })),
        call("set_state", json!({ "state": { "handled": 1, "lastOrder": "ord_42" } }))
            .and("add_memory", json!({ "content": "Prefers refunds over replacements.", "key": "preference" }))
            .and("log", json!({ "level": "info", "message": "order ord_42 checked" }))
            .and("output", json!({ "data": { "decision": "refund", "amount": 129.5, "reason": "Within 30 days and below 500 EUR." } }))
            .and("report", json!({ "content": "# Refund ord_42\n\nThe order is within policy. Refund of **129.50 EUR** recommended." })),
        say("The order may be refunded."),
    ]
}
