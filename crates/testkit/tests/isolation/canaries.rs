//! A scan of everything for the secrets of a run in which a provider reflected its credential in every way.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use testkit::client::Api;
use testkit::events::open;
use testkit::scripted_model::{Step, call, say};
use testkit::system::{Agent, Customer, MORE_KEYS, System, Tenant};

use crate::needles::{DECIPHER, Needle, assert_clean, contains, enciphered};
use crate::place::{KEY_FILE, Place};

/// How often the answer of the provider is cut.
const CUTS: usize = 54;

/// The needle that the provider alone may be sent; what it is called ends the name of its half, too.
const CONNECTION: &str = "the key of the connection";

/// Stands in the workspace and in the environment of the search itself, so that a search that finds nothing is known to search.
const CONTROL: &str = "harmless-control-needle";

#[tokio::test]
async fn no_secret_is_found_on_sqlite() -> anyhow::Result<()> {
    story(Place::sqlite().await?).await
}

#[tokio::test]
async fn no_secret_is_found_on_postgresql() -> anyhow::Result<()> {
    match Place::postgres().await? {
        Some(place) => story(place).await,
        None => Ok(()),
    }
}

async fn story(place: Place) -> anyhow::Result<()> {
    let system = &place.system;
    let tenant = system.tenant("acme").await?;
    let provider = tenant.provider(system, "orders").await?;
    let agent = tenant.agent(&Agent { providers: vec![provider.clone()], ..Agent::named("curious") }).await?;
    let customer = tenant.customer("grace").await?;
    customer.connect(&provider, MORE_KEYS[0]).await?;
    let needles = needles(&place, &tenant)?;
    system.model.by_turn(&tenant.script(), steps(system, &provider, &needles));

    let run = customer.run(&agent, &json!({})).await?;
    let id = run["id"].as_str().context("a run has an id")?.to_owned();
    assert_eq!(run["status"], "success", "{run:#}");
    the_provider_reflected_the_key(system);
    let log = customer.log(&id).await?;
    the_search_in_the_sandbox_found_nothing(&log);

    assert_clean("the log of the run", Value::Array(log).to_string().as_bytes(), &needles);
    a_model_that_reflects_is_not_quoted(system, &tenant, &customer, &needles).await?;
    answers_are_clean(system, &tenant, &customer, &id, &needles).await?;
    requests_are_clean(system, &needles);
    kept_data_is_clean(&place, &id, &needles).await?;
    place.end().await
}

/// All that anybody should keep to themselves.
fn needles(place: &Place, tenant: &Tenant) -> anyhow::Result<Vec<Needle>> {
    let cookie = tenant.session.header("cookie").context("a session has a cookie")?;
    let (_, token) = cookie.split_once('=').context("a cookie has a value")?;
    Ok(vec![
        Needle::new(CONNECTION, MORE_KEYS[0]),
        Needle::new("half of the key of the connection", &MORE_KEYS[0][..MORE_KEYS[0].len() / 2]),
        Needle::new("the key of the model", &format!("model-key-canary-{}", tenant.slug)),
        Needle::new("the master key", &place.master_key()?),
        Needle::new("the API key", &tenant.key),
        Needle::new("the session token", token),
        Needle::new("the password", &format!("password of {}", tenant.slug)),
    ])
}

fn steps(system: &System, provider: &str, needles: &[Needle]) -> Vec<Step> {
    let base = system.customer_api.base_url();
    let target = format!("{base}/reflect");
    let curl = format!("curl -sSi \"$SIDECAR_URL/proxy\" -H 'X-Provider: {provider}' -H");
    // A cut in the middle of the key must not leave its beginning.
    let cut = format!("for n in {{1..160..3}}; do {curl} 'X-Target: {target}' -H \"X-Max-Response-Size: $n\"; done | tee cut.txt");
    vec![
        call("provider_call", json!({ "provider": provider, "url": target })),
        call("provider_call", json!({ "provider": provider, "url": format!("{base}/redirect") })),
        call(
            "bash",
            json!({ "command": format!("{curl} 'X-Target: {target}' | tee reflected.json; {curl} 'X-Target: {base}/redirect' | tee -a reflected.json; for n in {{1..60}}; do cat reflected.json; echo; done | tee large.txt") }),
        ),
        call("bash", json!({ "command": cut })),
        call("bash", json!({ "command": search(needles), "timeout": 60 })),
        call("bash", json!({ "command": "env; tr '\\0' '\\n' < /proc/self/environ; cat /proc/net/tcp /proc/net/unix /proc/mounts" })),
        call("output", json!({ "data": { "all": "done" } })).and("add_memory", json!({ "content": "looked everywhere" })),
        say("Nothing was found."),
    ]
}

/// Greps all that a shell can reach for the secrets and for the control. Prints `hit:` before each file that holds one.
fn search(needles: &[Needle]) -> String {
    let places =
        "/workspace /tmp /etc /run /dev/shm /var/tmp /home /root /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/self/environ /proc/net";
    format!(
        "echo {CONTROL} > control.txt; export CONTROL={CONTROL}\n\
         grep -raFlf <({DECIPHER} <<'EOF'\n{}\nEOF\n) {places} 2>/dev/null | sed 's/^/hit:/'\n\
         grep -raFl {CONTROL} {places} 2>/dev/null | sed 's/^/control:/'\n\
         env | grep -aFf <({DECIPHER} <<'EOF'\n{}\nEOF\n) | sed 's/^/hit:env:/'\n\
         echo searched: $?",
        enciphered(needles),
        enciphered(needles),
    )
}

fn the_provider_reflected_the_key(system: &System) {
    let reflected: Vec<_> = system.customer_api.received().into_iter().filter(|(path, _)| path == "/reflect").collect();
    assert_eq!(reflected.len(), 4 + CUTS);
    for (_, headers) in reflected {
        assert_eq!(headers["authorization"], format!("Bearer {}", MORE_KEYS[0]));
    }
}

fn the_search_in_the_sandbox_found_nothing(log: &[Value]) {
    let results: Vec<String> = log
        .iter()
        .filter(|line| line["event"] == "tool.completed")
        .map(|line| line["data"]["content"][0]["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    let [called, redirected, curled, cut, searched, environment, ..] = results.as_slice() else { panic!("{results:#?}") };
    assert_eq!(cut.matches("200 OK").count(), CUTS, "{cut}");
    for reflection in [called, redirected, curled] {
        assert!(reflection.contains("[redacted]") && reflection.contains("authorization"), "{reflection}");
    }
    assert!(searched.contains("control:/workspace/control.txt") && searched.contains("control:/proc/"), "{searched}");
    assert!(searched.contains("searched:") && !searched.contains("hit:"), "{searched}");
    assert!(environment.contains("SIDECAR_URL=http://sidecar:8080") && environment.contains("local_address"), "{environment}");
}

/// A refusal of the model that holds its key becomes the error of a run, without the key.
async fn a_model_that_reflects_is_not_quoted(
    system: &System,
    tenant: &Tenant,
    customer: &Customer,
    needles: &[Needle],
) -> anyhow::Result<()> {
    for protocol in ["openai-completions", "openai-responses", "anthropic-messages"] {
        let script = format!("reflecting-{protocol}");
        system.model.by_turn(&script, [Step::Reflect { status: 400 }]);
        let model = tenant.model(system, protocol, &script).await?;
        let started = customer.api.post("/api/runs", &json!({ "agentId": format!("@{}/curious", tenant.slug), "modelId": model })).await?;
        let id = started["runId"].as_str().context("a started run has an id")?;
        let run = customer.ended(id).await?;
        assert_eq!(run["status"], "failed", "{run:#}");
        let log = customer.log(id).await?;
        let told = format!("{run}{}", Value::Array(log));
        assert!(told.contains("the headers were"), "{protocol}: the model's message is passed on: {told}");
        assert_clean(&format!("the failure of {protocol}"), told.as_bytes(), needles);
    }
    Ok(())
}

/// All that the API answers about the run and the tenant, to each kind of caller.
async fn answers_are_clean(system: &System, tenant: &Tenant, customer: &Customer, run: &str, needles: &[Needle]) -> anyhow::Result<()> {
    let everyone: [(&str, &Api, &[&str]); 3] = [
        ("the customer", &customer.api, &["/api/runs", "/api/connections", "/api/end-users", "/api/models"]),
        ("the key", &tenant.api, &["/api/runs", "/api/connections", "/api/end-users", "/api/models", "/api/applications"]),
        (
            "the session",
            &tenant.session,
            &["/api/runs", "/api/connections", "/api/api-keys", "/api/provider-keys", "/api/models", "/api/orgs"],
        ),
    ];
    for (who, api, lists) in everyone {
        for path in lists
            .iter()
            .map(|path| format!("{path}?pageSize=100"))
            .chain([format!("/api/runs/{run}"), format!("/api/runs/{run}/logs?pageSize=100")])
        {
            let answer = api.get(&path).await?;
            assert_clean(&format!("{path}, read by {who}"), answer.to_string().as_bytes(), needles);
        }
    }
    let path = format!("/api/realtime/runs/{run}?deltas=true&token={}&endUser={}", tenant.key, customer.id);
    let stream = open(&system.anonymous(), &path).await?.text().await?;
    assert!(stream.contains(run));
    assert_clean("the stream", stream.as_bytes(), needles);
    Ok(())
}

/// Model and provider receive their own key as a header, and nothing else.
fn requests_are_clean(system: &System, needles: &[Needle]) {
    let others = |own: &str| needles.iter().filter(|needle| !needle.name.ends_with(own)).collect::<Vec<_>>();
    let headers = |headers: &reqwest::header::HeaderMap| format!("{headers:?}");
    for request in system.model.received() {
        assert_clean("a request to the model", request.body.to_string().as_bytes(), needles);
        for needle in others("the key of the model") {
            assert!(!needle.stands_in(headers(&request.headers).as_bytes()), "a request to the model carries {}", needle.name);
        }
    }
    for (path, sent) in system.customer_api.received() {
        for needle in others(CONNECTION) {
            assert!(!needle.stands_in(headers(&sent).as_bytes()) && !needle.stands_in(path.as_bytes()), "{path} was sent {}", needle.name);
        }
    }
}

/// Database, blobs and log, while the server runs.
async fn kept_data_is_clean(place: &Place, run: &str, needles: &[Needle]) -> anyhow::Result<()> {
    let mut holds_the_run = false;
    let mut files = 0;
    each_file(&place.system.data_dir(), &mut |path, bytes| {
        if !path.ends_with(KEY_FILE) {
            assert_clean(&path.display().to_string(), &bytes, needles);
        }
        holds_the_run |= contains(&bytes, run.as_bytes());
        files += 1;
    })?;
    let rows = place.rows().await?;
    for (table, text) in &rows {
        assert_clean(table, text.as_bytes(), needles);
        holds_the_run |= text.contains(run);
    }
    assert!(holds_the_run, "{files} files and {} tables were scanned", rows.len());
    let log = place.system.log()?;
    assert!(log.contains("DEBUG") && log.contains(run), "the log is that of the run, in full");
    assert_clean("the log of the server", log.as_bytes(), needles);
    Ok(())
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path, Vec<u8>)) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), visit)?;
        } else if entry.file_type()?.is_file() {
            visit(&entry.path(), std::fs::read(entry.path())?);
        }
    }
    Ok(())
}
