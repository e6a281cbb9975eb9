//! The five system packages in a run: what each leaves behind.

use serde_json::{Value, json};
use testkit::scripted_model::{call, say};
use testkit::system::{Agent, Customer, System};

#[tokio::test]
async fn the_five_system_tools_take_effect() -> anyhow::Result<()> {
    let system = System::start().await?;
    let tenant = system.tenant("acme").await?;
    let output = json!({
        "type": "object",
        "required": ["decision", "amount"],
        "properties": {
            "decision": { "enum": ["refund", "refuse"] },
            "amount": { "type": "number", "minimum": 0 },
            "detail": { "type": "object" }
        }
    });
    let agent = tenant.agent(&Agent { output: Some(output), ..Agent::named("triage") }).await?;
    let customer = tenant.customer("grace").await?;
    system.model.by_turn(
        &tenant.script(),
        [
            call("output", json!({ "data": { "decision": "maybe", "amount": -1 } }))
                .and("log", json!({ "level": "loud", "message": "no such level" })),
            call("output", json!({ "data": { "decision": "refund", "detail": { "days": 12, "tags": ["a", "b"] } } }))
                .and("log", json!({ "level": "warn", "message": "odd order", "data": { "order": 42 } })),
            say("I believe that is all."),
            call("output", json!({ "data": { "amount": 129.5, "detail": { "tags": ["c"], "by": "policy" } } }))
                .and("report", json!({ "content": "# Refund" }))
                .and("report", json!({ "content": "In full." }))
                .and("set_state", json!({ "state": { "draft": true, "cursor": 1 } }))
                .and("set_state", json!({ "state": { "cursor": 2 } }))
                .and("add_memory", json!({ "content": "Likes tea.", "key": "drink" }))
                .and("add_memory", json!({ "content": "Lives in Paris." }))
                .and("add_memory", json!({ "content": "Likes coffee.", "key": "drink" })),
            say("Done."),
        ],
    );
    let run = customer.run(&agent, &json!({})).await?;
    assert_eq!(run["status"], "success", "{run:#}");
    assert_eq!(
        run["result"],
        json!({
            "output": { "decision": "refund", "amount": 129.5, "detail": { "days": 12, "tags": ["c"], "by": "policy" } },
            "report": "# Refund\n\nIn full.",
            "state": { "cursor": 2 }
        })
    );
    assert_eq!(
        memories(&customer, &agent).await?,
        [("Likes coffee.".to_owned(), json!("drink")), ("Lives in Paris.".to_owned(), Value::Null)]
    );

    let id = run["id"].as_str().unwrap_or_default();
    let log = customer.log(id).await?;
    let refused: Vec<&str> =
        log.iter().filter(|line| line["data"]["isError"] == true).filter_map(|line| line["data"]["tool"].as_str()).collect();
    assert_eq!(refused, ["output", "log"], "{log:#?}");
    let lines: Vec<_> = log.iter().filter(|line| line["event"] == "log").collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(
        (&lines[0]["level"], &lines[0]["message"], &lines[0]["data"]),
        (&json!("warn"), &json!("odd order"), &json!({ "order": 42 }))
    );
    // The model was told what did not fit, and what was still missing when it wanted to stop.
    let requests = system.model.received();
    assert_eq!(requests.len(), 5);
    assert!(requests[1].body.to_string().contains("does not fit its schema"), "{}", requests[1].body);
    assert!(last_message(&requests[3].body).contains("amount"), "{}", requests[3].body);

    // The next run reads what this one kept, and a key goes on replacing.
    system.model.by_turn(
        &tenant.script(),
        [
            call("add_memory", json!({ "content": "Likes water.", "key": "drink" }))
                .and("output", json!({ "data": { "decision": "refuse", "amount": 0 } })),
            say("Done."),
        ],
    );
    let next = customer.run(&agent, &json!({})).await?;
    assert_eq!((&next["status"], &next["result"]["output"]["decision"]), (&json!("success"), &json!("refuse")), "{next:#}");
    let prompt = system.model.received()[5].body.to_string().replace(['\\', ' '], "");
    for kept in ["\"cursor\":2", "Likescoffee.", "LivesinParis."] {
        assert!(prompt.contains(kept), "{kept}: {prompt}");
    }
    assert!(!prompt.contains("Likestea."), "{prompt}");
    assert_eq!(
        memories(&customer, &agent).await?,
        [("Likes water.".to_owned(), json!("drink")), ("Lives in Paris.".to_owned(), Value::Null)]
    );
    system.stop().await
}

async fn memories(customer: &Customer, agent: &str) -> anyhow::Result<Vec<(String, Value)>> {
    let list = customer.api.get(&format!("/api/agents/{agent}/memories")).await?;
    Ok(list["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|memory| (memory["content"].as_str().unwrap_or_default().to_owned(), memory["key"].clone()))
        .collect())
}

/// The newest message that the model was sent.
fn last_message(body: &Value) -> String {
    body["messages"].as_array().and_then(|messages| messages.last()).map(Value::to_string).unwrap_or_default()
}
