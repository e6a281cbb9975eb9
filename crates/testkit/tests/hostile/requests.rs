//! Requests that ask for what cannot be, and too much of what can.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::scripted_model::Step;
use testkit::system::{Agent, Options};

use crate::support::Lab;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_missing_for_a_run_is_told_at_once() -> anyhow::Result<()> {
    let lab = Lab::start("readiness").await?;
    let first = lab.tenant.provider(&lab.system, "first").await?;
    let second = lab.tenant.provider(&lab.system, "second").await?;
    let input =
        json!({ "type": "object", "required": ["order"], "properties": { "order": { "type": "string" }, "count": { "type": "integer" } } });
    let agent = Agent { providers: vec![first.clone(), second.clone()], input: Some(input), ..Agent::named("needy") };
    let agent = lab.tenant.agent(&agent).await?;

    let body = json!({ "input": { "count": "many" }, "modelId": "00000000-0000-7000-8000-000000000000" });
    let (status, problem) = lab.customer.api.call(Method::POST, &format!("/api/agents/{agent}/run"), Some(&body)).await?;
    let problem = if status == 422 && problem["code"] == "run_not_ready" {
        problem
    } else {
        // An id of another shape is refused before anything is looked up; take one that could exist.
        let models = lab.tenant.session.get("/api/models").await?;
        let known = models["data"][0]["id"].as_str().context("a model has an id")?;
        let other = format!("{}{}", &known[..known.len() - 1], if known.ends_with('a') { 'b' } else { 'a' });
        let body = json!({ "input": { "count": "many" }, "modelId": other });
        let (status, problem) = lab.customer.api.call(Method::POST, &format!("/api/agents/{agent}/run"), Some(&body)).await?;
        ensure!(status == 422 && problem["code"] == "run_not_ready", "{status} {problem}");
        problem
    };
    let errors: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .context("a list")?
        .iter()
        .map(|error| (error["code"].as_str().unwrap_or_default(), error["pointer"].as_str().unwrap_or_default()))
        .collect();
    for wanted in [("invalid_input", "/input"), ("invalid_input", "/input/count"), ("model_not_found", "/modelId")] {
        ensure!(errors.contains(&wanted), "{wanted:?} is missing in {problem:#}");
    }
    ensure!(errors.iter().filter(|(code, _)| *code == "provider_not_connected").count() == 2, "{problem:#}");
    for name in [first, second] {
        ensure!(problem.to_string().contains(&name), "{name} is missing in {problem:#}");
    }
    let runs = lab.customer.api.get("/api/runs").await?;
    ensure!(runs["data"].as_array().is_some_and(Vec::is_empty), "a run that is not ready leaves no row: {runs}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_others_and_a_prompt_over_the_limit_do_not_run() -> anyhow::Result<()> {
    let lab = Lab::start("foreign").await?;
    let other = lab.system.tenant("stranger").await?;
    let theirs = other.agent(&Agent::named("secret")).await?;
    for agent in [theirs.as_str(), "@nobody/nothing"] {
        let (status, problem) = lab.customer.api.call(Method::POST, &format!("/api/agents/{agent}/run"), Some(&json!({}))).await?;
        ensure!((status, &problem["code"]) == (404, &json!("agent_not_found")), "{agent}: {status} {problem}");
    }
    let manifest = json!({
        "name": "@foreign/inline", "version": "1.0.0", "type": "agent", "schemaVersion": "1.3", "displayName": "A", "author": "Test",
        "dependencies": { "tools": { "@stranger/tool": "*" } }
    });
    let body = json!({ "manifest": manifest, "prompt": "x".repeat(200_001) });
    let (status, problem) = lab.customer.api.call(Method::POST, "/api/runs/inline", Some(&body)).await?;
    ensure!(status == 422 && problem["errors"][0]["pointer"] == "/prompt", "{status} {problem}");
    let body = json!({ "manifest": manifest, "prompt": "Do it." });
    let (status, problem) = lab.customer.api.call(Method::POST, "/api/runs/inline", Some(&body)).await?;
    ensure!(status == 422 && problem["errors"][0]["code"] == "missing_dependency", "{status} {problem}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_beyond_the_limit_are_refused_exactly() -> anyhow::Result<()> {
    const LIMIT: usize = 5;
    let limits = json!({ "max_concurrent_per_org": LIMIT }).to_string();
    let options = Options { environment: vec![("PLATFORM_RUN_LIMITS".to_owned(), limits)], ..Options::default() };
    let lab = Lab::start_with("crowd", options).await?;
    let agent = lab.agent("waits", 60.0).await?;
    lab.system.model.by_turn(&lab.tenant.script(), [Step::Hang]);
    let path = format!("/api/agents/{agent}/run");
    let body = json!({});
    let starts = (0..32).map(|_| lab.customer.api.call(Method::POST, &path, Some(&body)));
    let answers = join_all(starts).await.into_iter().collect::<anyhow::Result<Vec<(u16, Value)>>>()?;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status < 300);
    ensure!(accepted.len() == LIMIT, "{} were accepted", accepted.len());
    ensure!(refused.iter().all(|(status, problem)| *status == 429 && problem["code"] == "run_limit_reached"), "{refused:?}");

    let other = lab.system.tenant("bystander").await?;
    let theirs = other.agent(&Agent::named("free")).await?;
    ensure!(
        other.api.call(Method::POST, &format!("/api/agents/{theirs}/run"), Some(&body)).await?.0 < 300,
        "the limit is each organization's own"
    );

    for (_, started) in &accepted {
        let run = started["runId"].as_str().context("an id")?;
        lab.cancel(run).await?;
        lab.ended(run).await?.is("cancelled", Some("cancelled"))?;
    }
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_or_never_end_hold_nobody_up() -> anyhow::Result<()> {
    let lab = Lab::start("bodies").await?;
    let agent = lab.agent("plain", 30.0).await?;
    let path = format!("/api/agents/{agent}/run");
    let body = json!({ "input": { "text": "x".repeat(2 << 20) } });
    let (status, problem) = lab.customer.api.call(Method::POST, &path, Some(&body)).await?;
    ensure!((status, &problem["code"]) == (413, &json!("payload_too_large")), "{status} {problem}");
    for (what, text, status, code) in [
        ("not JSON", "{\"input\":", 400, "invalid_json"),
        ("no object", "[1]", 422, "validation_error"),
        ("too deep", &format!("{{\"input\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000)), 400, "invalid_json"),
        ("twice the same key", "{\"input\":{},\"input\":{}}", 422, "validation_error"),
        ("unknown member", "{\"inputs\":{}}", 422, "validation_error"),
    ] {
        let request = lab.customer.api.request(Method::POST, &path).header("content-type", "application/json").body(text.to_owned());
        let response = request.send().await?;
        let got = response.status().as_u16();
        let problem: Value = response.json().await?;
        ensure!(got == status && problem["code"] == code, "{what}: {got} {problem}");
    }

    // Two hundred clients that send a byte now and then do not keep others out.
    let address = lab.system.base_url().replace("http://", "");
    let key = lab.tenant.key.clone();
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut socket = TcpStream::connect(&address)?;
        socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        let head = if number % 2 == 0 {
            format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nX-Slow: ")
        } else {
            format!(
                "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{{"
            )
        };
        socket.write_all(head.as_bytes())?;
        slow.push(socket);
    }
    for socket in &mut slow {
        socket.write_all(b" ")?;
        let mut answer = [0; 1];
        ensure!(socket.read(&mut answer).is_err(), "a request that is not whole has no answer yet");
    }
    lab.serves_the_next_run().await?;
    drop(slow);
    lab.serves_the_next_run().await
}

/// What the server answers to a client that reads nothing before it has sent everything.
fn send_then_read(address: &str, head: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    socket.write_all(format!("{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    socket.write_all(body).context("the server stopped listening")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).context("the answer did not arrive")?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_a_client_that_is_still_sending() -> anyhow::Result<()> {
    let lab = Lab::start("sending").await?;
    let address = lab.system.base_url().replace("http://", "");
    let (key, size) = (&lab.tenant.key, 12 << 20);
    let body = vec![b'x'; size];
    for (what, head, status) in [
        ("nobody", format!("POST /api/runs HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {size}"), "401"),
        ("unknown route", format!("POST /api/nothing HTTP/1.1\r\nContent-Length: {size}"), "404"),
        ("wrong method", format!("PUT /health HTTP/1.1\r\nContent-Length: {size}"), "405"),
        (
            "too large",
            format!("POST /api/runs HTTP/1.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {size}"),
            "413",
        ),
    ] {
        let answer = send_then_read(&address, &head, &body).context(what)?;
        ensure!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        ensure!(answer.contains("application/problem+json"), "{what}: {answer}");
    }
    // A client that waits to be asked for its body is refused without being asked.
    let head = format!("POST /api/runs HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {size}");
    let answer = send_then_read(&address, &head, b"")?;
    ensure!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    lab.serves_the_next_run().await
}
