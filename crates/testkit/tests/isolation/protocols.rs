//! The same run over each protocol that models speak.

use serde_json::{Value, json};
use testkit::scripted_model::{call, say};
use testkit::system::{Agent, CUSTOMER_KEYS, System};

#[tokio::test]
async fn every_protocol_carries_the_same_run_to_the_same_result() -> anyhow::Result<()> {
    let system = System::start().await?;
    let tenant = system.tenant("acme").await?;
    let provider = tenant.provider(&system, "orders").await?;
    let output = json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } });
    let agent = tenant.agent(&Agent { providers: vec![provider.clone()], output: Some(output), ..Agent::named("triage") }).await?;

    let mut results: Vec<Value> = Vec::new();
    let mut logs: Vec<Vec<String>> = Vec::new();
    for (protocol, path, header) in [
        ("openai-completions", "/v1/chat/completions", "authorization"),
        ("openai-responses", "/v1/responses", "authorization"),
        ("anthropic-messages", "/v1/messages", "x-api-key"),
    ] {
        let script = format!("played-{protocol}");
        let url = format!("{}/orders/ord_42", system.customer_api.base_url());
        system.model.by_turn(
            &script,
            [
                call("provider_call", json!({ "provider": provider, "url": url }))
                    .and("bash", json!({ "command": "echo 'Grüße, \"ß\" \\ 漢字'" })),
                call("output", json!({ "data": { "text": "line one\nline \"two\" \u{1f600}" } }))
                    .and("report", json!({ "content": "# Fine" })),
                say("The order is fine."),
            ],
        );
        let model = tenant.model(&system, protocol, &script).await?;
        let customer = tenant.customer(protocol).await?;
        customer.connect(&provider, CUSTOMER_KEYS[0]).await?;
        let started = customer.api.post("/api/runs", &json!({ "agentId": agent, "modelId": model })).await?;
        let id = started["runId"].as_str().unwrap_or_default();
        let run = customer.ended(id).await?;
        assert_eq!(run["status"], "success", "{protocol}: {run:#}");
        assert_eq!(run["modelId"], json!(model));
        is_paid_for(protocol, &run);

        let requests: Vec<_> = system.model.received().into_iter().filter(|request| request.body["model"] == json!(script)).collect();
        assert_eq!(requests.len(), 3, "{protocol}");
        for request in &requests {
            assert_eq!((request.path.as_str(), request.body["stream"].as_bool()), (path, Some(true)));
            let key = request.headers[header].to_str()?;
            assert_eq!(key.strip_prefix("Bearer ").unwrap_or(key), "model-key-canary-acme");
        }
        assert!(requests[1].body.to_string().contains("漢字"), "{protocol}: the shell's output reached the model");
        assert!(requests[1].body.to_string().contains("Analytical Engine"), "{protocol}: the provider's answer reached the model");
        results.push(run["result"].clone());
        logs.push(story_of(&customer.log(id).await?));
    }
    assert_eq!(results[0], json!({ "output": { "text": "line one\nline \"two\" \u{1f600}" }, "report": "# Fine", "state": null }));
    assert!(results.iter().all(|result| *result == results[0]), "{results:#?}");
    assert!(logs.iter().all(|log| *log == logs[0]), "{logs:#?}");
    assert_eq!(system.customer_api.received().len(), 3);
    system.stop().await
}

/// Tokens are those that the model claimed, and dollars follow from the model's price: 1 and 2 per million.
fn is_paid_for(protocol: &str, run: &Value) {
    let tokens = |bucket: &str| run["tokenUsage"][bucket].as_i64().unwrap_or_default();
    assert!(tokens("input") > 100 && tokens("output") > 0, "{protocol}: {run:#}");
    assert_eq!((tokens("cacheRead"), tokens("cacheWrite")), (0, 0));
    let nano = tokens("input") * 1000 + tokens("output") * 2000;
    assert_eq!(run["costNanoUsd"], json!(nano), "{protocol}: {run:#}");
    let dollars = run["cost"].as_f64().unwrap_or_default();
    assert!((dollars * 1e9 - nano_float(nano)).abs() < 1.0, "{protocol}: {dollars}");
}

#[expect(clippy::cast_precision_loss, reason = "the cost of one short run")]
fn nano_float(nano: i64) -> f64 {
    nano as f64
}

/// Names and tools of the events, in the order of each turn: calls of one turn may end in any order.
fn story_of(log: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = log
        .iter()
        .filter(|line| !matches!(line["event"].as_str(), Some("sandbox.started" | "egress")))
        .map(|line| format!("{} {} {}", line["event"], line["data"]["tool"], line["data"]["isError"]))
        .collect();
    lines.sort();
    lines
}
