//! Outbound proxies: provider calls and the agent's own HTTP leave through the one that was chosen, model calls never do.

use serde_json::{Value, json};
use testkit::connect_proxy::ConnectProxy;
use testkit::scripted_model::{call, say};
use testkit::system::{Agent, CUSTOMER_KEYS, Options, System};

const PASSWORD: &str = "proxy-password-canary-77b0";

#[tokio::test]
async fn a_run_leaves_through_its_proxy_or_not_at_all() -> anyhow::Result<()> {
    let (own, operators) = (ConnectProxy::start(PASSWORD).await, ConnectProxy::start(PASSWORD).await);
    let built_in = json!([
        { "id": "operator", "label": "Operator", "url": operators.url(), "isDefault": true },
        { "id": "locked-out", "label": "Locked out", "url": format!("http://exit:not-the-{PASSWORD}@{}", operators.address()) }
    ]);
    let environment = [("OUTBOUND_ALLOW", "all=127.0.0.1".to_owned()), ("SYSTEM_PROXIES", built_in.to_string())];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let system = System::start_with(Options { environment, ..Options::default() }).await?;
    let tenant = system.tenant("acme").await?;
    let provider = tenant.provider(&system, "orders").await?;
    let agent = tenant.agent(&Agent { providers: vec![provider.clone()], ..Agent::named("triage") }).await?;
    let customer = tenant.customer("grace").await?;
    customer.connect(&provider, CUSTOMER_KEYS[0]).await?;
    let api = system.customer_api.address();
    // The loopback of the sandbox is its own: only an address that does not look like it goes through the forward proxy.
    let fetch = format!("curl -sS 'http://[::ffff:{}]:{}/orders/ord_7'", api.ip(), api.port());
    system.model.by_turn(
        &tenant.script(),
        [
            call("provider_call", json!({ "provider": provider, "url": format!("http://{api}/orders/ord_42") })),
            call("bash", json!({ "command": fetch })),
            say("Done."),
        ],
    );
    let body = json!({ "label": "Own", "url": own.url() });
    let stored = tenant.session.post("/api/proxies", &body).await?;
    let id = stored["id"].as_str().unwrap_or_default().to_owned();
    let run = async |proxy: Value| -> anyhow::Result<Value> {
        let started = customer.api.post("/api/runs", &json!({ "agentId": agent, "proxyId": proxy })).await?;
        customer.ended(started["runId"].as_str().unwrap_or_default()).await
    };
    let twice = [api.to_string(), api.to_string()];

    // Nobody has chosen: the operator's default.
    let ended = run(json!(null)).await?;
    assert_eq!((&ended["status"], &ended["proxyId"]), (&json!("success"), &json!("operator")), "{ended:#}");
    assert_eq!((operators.opened(), own.opened().len(), system.customer_api.received().len()), (twice.to_vec(), 0, 2));

    // The application's choice, frozen when the run is accepted.
    let package = format!("/api/applications/{}/packages/{agent}", tenant.app);
    tenant.session.put(&package, &json!({ "proxyId": id })).await?;
    let ended = run(json!(null)).await?;
    assert_eq!((&ended["status"], &ended["proxyId"], &ended["proxyLabel"]), (&json!("success"), &json!(id), &json!("Own")), "{ended:#}");
    assert_eq!((own.opened(), operators.opened().len(), system.customer_api.received().len()), (twice.to_vec(), 2, 4));
    let log = serde_json::to_string(&customer.log(ended["id"].as_str().unwrap_or_default()).await?)?;
    assert!(log.contains("egress") && !log.contains(PASSWORD), "{log}");

    // The request's choice: none, and one that does not let us in.
    let ended = run(json!("none")).await?;
    assert_eq!((&ended["status"], &ended["proxyId"]), (&json!("success"), &json!(null)), "{ended:#}");
    assert_eq!((own.opened().len(), operators.opened().len(), system.customer_api.received().len()), (2, 2, 6));
    let ended = run(json!("locked-out")).await?;
    assert_eq!(ended["proxyId"], "locked-out", "{ended:#}");
    assert_eq!((own.opened().len(), operators.opened().len(), system.customer_api.received().len()), (2, 2, 6), "never directly instead");

    let asked = system.model.received();
    assert_eq!(asked.len(), 12, "model calls leave directly, whatever the proxy");
    let told = asked.iter().filter(|request| request.body.to_string().contains("the outbound proxy wants other credentials")).count();
    assert!(told > 0, "the model learns why its call failed");
    assert!(asked.iter().all(|request| !request.body.to_string().contains(PASSWORD)));
    assert!(!system.log()?.contains(PASSWORD), "no proxy's password is logged");
    system.stop().await
}
