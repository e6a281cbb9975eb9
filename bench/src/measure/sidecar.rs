//! What a provider call through the run's sidecar takes beyond the same call made directly.
//!
//! One program (`bench-load`) makes both: inside the sandbox towards `http://sidecar:8080/proxy`, and outside towards the provider. So the
//! difference is the sidecar alone: matching, URL policy, pinning, injection of the key, forwarding, masking, and the call's durable
//! event in the database. The cost of a TypeScript tool's `fetch` is not in it.

mod provider;

use anyhow::{Context as _, ensure};
use bench::quantiles::Quantiles;
use serde_json::{Value, json};
use testkit::scripted_model::{call, say};
use testkit::system::{Agent, Tenant, binaries};
use tokio::process::Command;

use self::provider::Provider;
use crate::Options;
use crate::report::{Bar, Report};
use crate::world::{Database, World};

/// A way to load: connections, requests of each, microseconds between two of one connection.
#[derive(Clone, Copy, Debug)]
struct Shape {
    name: &'static str,
    connections: usize,
    requests: usize,
    interval: u64,
    bar: Bar,
}

const WARMUP: usize = 10;
const ADDED: Bar = Bar::AtMost { p50: 0.3, p99: Some(2.0) };

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    // A run may make 10,000 provider calls in all.
    let shapes = [
        Shape { name: "1 connection", connections: 1, requests: options.count(2000, 30), interval: 0, bar: Bar::None },
        Shape {
            name: "16 connections, 800 calls/s in all",
            connections: 16,
            requests: options.count(200, 5),
            interval: 20_000,
            bar: ADDED,
        },
        Shape { name: "16 connections in a closed loop", connections: 16, requests: options.count(200, 5), interval: 0, bar: Bar::None },
    ];
    let provider = Provider::start(std::fs::read(binaries()?.join("bench-load"))?).await?;
    let world = World::start(&Database::Sqlite, &[], Vec::new()).await?;
    let name = publish(&world.tenant, &provider).await?;
    let agent =
        world.tenant.agent(&Agent { providers: vec![name.clone()], timeout_seconds: Some(280.0), ..Agent::named("caller") }).await?;
    world.customer.connect(&name, "bench-provider-key").await?;

    let steps: Vec<_> = std::iter::once(fetch_program(&name, &provider))
        .chain(shapes.iter().map(|shape| inside(&name, &provider, *shape)))
        .map(|command| call("bash", json!({ "command": command })))
        .chain([say("Done.")])
        .collect();
    world.system.model.by_turn(&world.tenant.script(), steps);

    let mut direct = Vec::new();
    for shape in shapes {
        direct.push(outside(&provider, shape).await?);
    }
    let run = world.customer.run(&agent, &json!({})).await?;
    ensure!(run["status"] == "success", "the measured run did not succeed: {run:#}");
    let results = tool_results(&world)?;
    ensure!(results.len() == shapes.len(), "expected {} results, have {results:?}", shapes.len());
    for (shape, (direct, through)) in shapes.iter().zip(direct.into_iter().zip(results)) {
        let line = |way: &str, rate: f64| format!("{way}, {} ({rate:.0} calls/s)", shape.name);
        report.quantiles(&line("direct", direct.1), direct.0, (1e6, "ms"), Bar::None);
        report.quantiles(&line("through the sidecar", through.1), through.0, (1e6, "ms"), Bar::None);
        report.difference(&format!("– the sidecar adds, {}", shape.name), (through.0, direct.0), shape.bar);
    }
    Ok(())
}

type Measured = (Quantiles, f64);

/// The shell command that puts `bench-load` into the workspace, in pieces below the largest answer that the proxy passes on.
fn fetch_program(name: &str, provider: &Provider) -> String {
    format!(
        "python3 - <<'END'\n\
         import os, urllib.request\n\
         opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))\n\
         with open('bench-load', 'wb') as file:\n    \
             for piece in range({pieces}):\n        \
                 headers = {{'X-Provider': '{name}', 'X-Target': f'{base}/program/{{piece}}', 'X-Max-Response-Size': '1000000'}}\n        \
                 file.write(opener.open(urllib.request.Request(os.environ['SIDECAR_URL'] + '/proxy', headers=headers)).read())\n\
         os.chmod('bench-load', 0o755)\n\
         END",
        pieces = provider.pieces(),
        base = provider.base_url(),
    )
}

/// The shell command that loads the sidecar.
fn inside(name: &str, provider: &Provider, shape: Shape) -> String {
    let Shape { connections, requests, interval, .. } = shape;
    let target = format!("{}/item", provider.base_url());
    format!("./bench-load 127.0.0.1:8080 {connections} {requests} {WARMUP} {interval} /proxy 'X-Provider: {name}' 'X-Target: {target}'")
}

async fn outside(provider: &Provider, shape: Shape) -> anyhow::Result<Measured> {
    let Shape { connections, requests, interval, .. } = shape;
    let numbers = [connections, requests, WARMUP, usize::try_from(interval)?].map(|number| number.to_string());
    let mut command = Command::new(binaries()?.join("bench-load"));
    command.arg(provider.address().to_string()).args(numbers).args(["/item", "authorization: Bearer bench-provider-key"]);
    let output = command.output().await?;
    ensure!(output.status.success(), "bench-load failed: {}", String::from_utf8_lossy(&output.stderr));
    measured(&String::from_utf8_lossy(&output.stdout)).context("bench-load prints its result")
}

/// The results that the model was told, in the order of the calls.
fn tool_results(world: &World) -> anyhow::Result<Vec<Measured>> {
    let received = world.system.model.received();
    let last = received.last().context("the model was asked")?;
    let messages = last.body["messages"].as_array().context("a chat has messages")?;
    let texts = messages.iter().filter(|message| message["role"] == "tool").map(|message| &message["content"]);
    let texts: Vec<String> = texts.map(|content| content.as_str().map_or_else(|| content.to_string(), str::to_owned)).collect();
    let results: Vec<Measured> = texts.iter().filter_map(|text| measured(text)).collect();
    // The first call only fetches the program.
    ensure!(results.len() + 1 == texts.len(), "a call inside the sandbox failed: {texts:#?}");
    Ok(results)
}

fn measured(text: &str) -> Option<Measured> {
    let (_, line) = text.split_once("BENCH ")?;
    let numbers: Vec<&str> = line.split(|letter: char| !letter.is_ascii_digit()).take(7).collect();
    Some((numbers.get(..6)?.join(" ").parse().ok()?, numbers.get(6)?.parse().ok()?))
}

async fn publish(tenant: &Tenant, provider: &Provider) -> anyhow::Result<String> {
    let name = format!("@{}/items", tenant.slug);
    let manifest: Value = json!({
        "name": name, "version": "1.0.0", "type": "provider", "schemaVersion": "1.3", "displayName": "Items",
        "definition": {
            "authMode": "api_key",
            "credentials": { "schema": { "type": "object", "properties": { "api_key": { "type": "string" } } }, "fieldName": "api_key" },
            "credentialHeaderName": "Authorization", "credentialHeaderPrefix": "Bearer",
            "authorizedUris": [format!("{}/*", provider.base_url())]
        }
    });
    tenant.session.post("/api/packages/providers", &json!({ "manifest": manifest })).await?;
    tenant.install(&name).await?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_found_in_the_text_around_it() {
        let (quantiles, rate) = measured("exit 0\nBENCH 5 1 2 3 4 5 678\n[done]").unwrap();
        assert_eq!((quantiles.p50, rate), (2, 678.0));
        assert!(measured("bench-load: refused").is_none());
    }
}
