//! A tool as somebody else would write it, uploaded as a ZIP and run as it is.

use serde_json::json;
use testkit::scripted_model::{call, say};
use testkit::system::{Agent, CUSTOMER_KEYS, System};

#[tokio::test]
async fn a_third_party_tool_runs_unmodified() -> anyhow::Result<()> {
    let system = System::start().await?;
    let tenant = system.tenant("acme").await?;
    let imported = tenant
        .import(&[
            ("manifest.json", include_bytes!("fixtures/catalog/manifest.json")),
            ("index.ts", include_bytes!("fixtures/catalog/index.ts")),
            ("lib/client.ts", include_bytes!("fixtures/catalog/lib/client.ts")),
        ])
        .await?;
    assert_eq!(imported["id"], "@acme/catalog-reader", "{imported:#}");
    let provider = tenant.provider(&system, "orders").await?;
    let agent = Agent { providers: vec![provider.clone()], ..Agent::named("buyer") };
    let agent = tenant.agent(&Agent { tools: [agent.tools.clone(), vec!["@acme/catalog-reader".to_owned()]].concat(), ..agent }).await?;
    let customer = tenant.customer("grace").await?;
    customer.connect(&provider, CUSTOMER_KEYS[0]).await?;
    let address = system.customer_api.address();
    // The loopback of the sandbox is its own: only an address that does not look like it goes through the forward proxy.
    let base = format!("http://[::ffff:{}]:{}", address.ip(), address.port());
    let order = json!({ "provider": provider, "url": format!("http://{address}/orders/ord_42") });
    system.model.by_turn(
        &tenant.script(),
        [
            call("read_catalog", json!({ "base": base, "ids": ["brass", "steel/2", "tin"], "currency": "EUR", "order": order })),
            call("read_catalog", json!({ "base": base, "ids": [], "currency": "EUR" })),
            call("bash", json!({ "command": "cat catalog/summary.json" })),
            say("Done."),
        ],
    );
    let run = customer.run(&agent, &json!({})).await?;
    assert_eq!(run["status"], "success", "{run:#}");

    let log = customer.log(run["id"].as_str().unwrap_or_default()).await?;
    let results: Vec<_> = log.iter().filter(|line| line["event"] == "tool.completed").map(|line| &line["data"]).collect();
    assert_eq!(results.len(), 3, "{log:#?}");
    assert_eq!((&results[0]["isError"], &results[1]["isError"]), (&json!(false), &json!(true)), "{results:#?}");
    let text = results[0]["content"][0]["text"].as_str().unwrap_or_default();
    assert_eq!(text, "3 items for 388.50 EUR; order ord_42 is delivered", "{results:#?}");
    assert_eq!(results[0]["details"], json!({ "file": "catalog/summary.json", "level": "Full", "requests": 4 }));
    assert!(results[1]["content"].to_string().contains("CatalogError: nothing to read"), "{:#}", results[1]);
    assert!(results[2]["content"].to_string().contains("388.5"), "{:#}", results[2]);

    // Through the forward proxy without a credential, through the sidecar's with the customer's.
    let received = system.customer_api.received();
    let mut paths: Vec<&str> = received.iter().map(|(path, _)| path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/catalog/brass", "/catalog/steel/2", "/catalog/tin", "/orders/ord_42"]);
    for (path, headers) in &received {
        let key = headers.get("authorization").map(|value| value.to_str()).transpose()?;
        let expected = format!("Bearer {}", CUSTOMER_KEYS[0]);
        assert_eq!(key, path.starts_with("/orders").then_some(expected.as_str()), "{path}");
    }
    let egress = log.iter().filter(|line| line["data"]["port"] == system.customer_api.address().port() && line["data"]["allowed"] == true);
    assert!(egress.count() > 0, "what the tool reached is in the log: {log:#?}");
    system.stop().await
}
