//! A system with one tenant, and what must hold of every run that has ended.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::scripted_model::{Step, call, say};
use testkit::system::{Agent, Customer, Options, System, Tenant};

use crate::processes::{self, cgroups_of, of_sandboxes, until};

/// Dollars for a million tokens that the tenant's models cost, as billionths for one token: input and output.
const NANO_FOR_TOKEN: [u64; 2] = [1_000, 2_000];

/// A server, a tenant and one of its customers.
pub(crate) struct Lab {
    pub(crate) system: System,
    pub(crate) tenant: Tenant,
    pub(crate) customer: Customer,
    scripts: AtomicU32,
}

/// A run that has ended, and its whole log.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) run: Value,
    pub(crate) log: Vec<Value>,
}

impl Lab {
    pub(crate) async fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_with(name, Options::default()).await
    }

    pub(crate) async fn start_with(name: &str, options: Options) -> anyhow::Result<Self> {
        let system = System::start_with(options).await?;
        let tenant = system.tenant(name).await?;
        let customer = tenant.customer("victim").await?;
        Ok(Self { system, tenant, customer, scripts: AtomicU32::new(0) })
    }

    pub(crate) fn server(&self) -> anyhow::Result<u32> {
        self.system.pid().context("the server runs")
    }

    /// An agent without tools but those of the platform that ends after this time.
    pub(crate) async fn agent(&self, name: &str, timeout_seconds: f64) -> anyhow::Result<String> {
        self.tenant.agent(&Agent { timeout_seconds: Some(timeout_seconds), ..Agent::named(name) }).await
    }

    /// Starts a run whose model answers with these steps, one for each turn of the conversation.
    pub(crate) async fn start_run(&self, agent: &str, steps: Vec<Step>) -> anyhow::Result<String> {
        let script = self.script_name();
        self.system.model.by_turn(&script, steps);
        self.start_with_model(agent, &script).await
    }

    /// Starts a run whose model answers with these steps, one for each request.
    pub(crate) async fn start_in_order(&self, agent: &str, steps: Vec<Step>) -> anyhow::Result<String> {
        let script = self.script_name();
        self.system.model.in_order(&script, steps);
        self.start_with_model(agent, &script).await
    }

    fn script_name(&self) -> String {
        format!("{}-{}", self.tenant.script(), self.scripts.fetch_add(1, Ordering::Relaxed))
    }

    async fn start_with_model(&self, agent: &str, script: &str) -> anyhow::Result<String> {
        let model = self.tenant.model(&self.system, "openai-completions", script).await?;
        let body = json!({ "modelId": model });
        let started = self.customer.api.post(&format!("/api/agents/{agent}/run"), &body).await?;
        started["runId"].as_str().map(str::to_owned).context("a started run has an id")
    }

    /// Carries a run out to its checked end.
    pub(crate) async fn run(&self, agent: &str, steps: Vec<Step>) -> anyhow::Result<Ended> {
        let run = self.start_run(agent, steps).await?;
        self.ended(&run).await
    }

    /// Waits for the end of a run and checks what holds of every end: one terminal event that agrees with the run, cost that agrees with
    /// the tokens, a stream that closes.
    pub(crate) async fn ended(&self, id: &str) -> anyhow::Result<Ended> {
        let run = self.customer.ended(id).await?;
        let log = self.customer.log(id).await?;
        let ends: Vec<&Value> = log.iter().filter(|line| line["event"] == "run.ended").collect();
        let [end] = ends.as_slice() else { bail!("{} terminal events in {log:#?}", ends.len()) };
        ensure!(log.last() == Some(end), "something follows the end: {log:#?}");
        ensure!(end["data"]["status"] == run["status"], "{end} does not fit {run}");
        ensure!(end["data"]["errorCode"] == run["errorCode"], "{end} does not fit {run}");
        ensure!(end["data"]["costNanoUsd"] == run["costNanoUsd"], "{end} does not fit {run}");
        ensure!(log.windows(2).all(|pair| pair[0]["seq"].as_i64() < pair[1]["seq"].as_i64()), "the log is not in order");
        ensure!(run["completedAt"].is_string(), "{run}");
        let tokens = |bucket: &str| run["tokenUsage"][bucket].as_u64().unwrap_or_default();
        let cost = tokens("input") * NANO_FOR_TOKEN[0] + tokens("output") * NANO_FOR_TOKEN[1];
        let counted = run["costNanoUsd"].as_u64().unwrap_or_default();
        // A call whose outcome nobody lived to learn counts with all that was reserved for it.
        let is_estimated = matches!(run["errorCode"].as_str(), Some("server_restarted" | "sidecar_lost"));
        ensure!(counted == cost || (is_estimated && counted > cost), "cost and tokens disagree: {run}");
        let failed = run["status"] != "success";
        ensure!(run["errorCode"].is_string() == failed && run["error"].is_string() == failed, "{run}");
        self.stream_closes(id, &log).await?;
        Ok(Ended { run, log })
    }

    async fn stream_closes(&self, run: &str, log: &[Value]) -> anyhow::Result<()> {
        let request = self.customer.api.request(Method::GET, &format!("/api/realtime/runs/{run}"));
        let whole = async { anyhow::Ok(request.send().await?.error_for_status()?.text().await?) };
        let text = tokio::time::timeout(Duration::from_secs(5), whole).await.context("the stream of an ended run stays open")??;
        let events = text.lines().filter(|line| line.starts_with("event: ")).count();
        ensure!(events == log.len(), "{events} events for {} lines", log.len());
        let last = text.lines().rev().find_map(|line| line.strip_prefix("data: ")).context("a stream has events")?;
        ensure!(serde_json::from_str::<Value>(last)?["event"] == "run.ended", "{last}");
        Ok(())
    }

    /// Waits until no sandbox is left, then looks for cgroups of the run and mounts on the host.
    pub(crate) async fn nothing_is_left(&self, run: &str) -> anyhow::Result<()> {
        let server = self.server()?;
        until("the sandbox to be gone", || Ok(of_sandboxes(server).is_empty()))
            .await
            .with_context(|| format!("{:#?}", of_sandboxes(server)))?;
        until("the cgroups to be gone", || Ok(cgroups_of(run).is_empty())).await.with_context(|| format!("{:?}", cgroups_of(run)))?;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        ensure!(!mounts.contains(run) && !mounts.contains("/workspace "), "{mounts}");
        Ok(())
    }

    /// The server is well and carries the next run out, with a shell.
    pub(crate) async fn serves_the_next_run(&self) -> anyhow::Result<()> {
        let agent = self.tenant.agent(&Agent::named(&format!("next-{}", self.script_name()))).await?;
        let ended = self.run(&agent, vec![call("bash", json!({ "command": "echo all is $((40+2))" })), say("Done.")]).await?;
        ended.is("success", None)?;
        ensure!(ended.results()[0].text.contains("all is 42"), "{:?}", ended.results());
        let health = self.system.anonymous().get("/health").await?;
        ensure!(health["status"] == "healthy" || health["status"] == "ok", "{health}");
        Ok(())
    }

    /// Waits until the run has reached an event, and says its line.
    pub(crate) async fn reached(&self, run: &str, event: &str) -> anyhow::Result<Value> {
        for _ in 0..800 {
            if let Some(line) = self.customer.log(run).await?.into_iter().find(|line| line["event"] == event) {
                return Ok(line);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("run {run} never reached {event}")
    }

    /// Waits for a process of a sandbox that satisfies `is_it`.
    pub(crate) async fn process(&self, is_it: impl Fn(&processes::Process) -> bool) -> anyhow::Result<processes::Process> {
        let server = self.server()?;
        let mut found = None;
        until("a process of the run", || {
            found = processes::below(server).into_iter().find(|process| is_it(process));
            Ok(found.is_some())
        })
        .await
        .with_context(|| format!("{:#?}", processes::below(server)))?;
        found.context("it was found")
    }

    pub(crate) async fn cancel(&self, run: &str) -> anyhow::Result<(u16, Value)> {
        self.customer.api.call(Method::POST, &format!("/api/runs/{run}/cancel"), None).await
    }
}

/// What a tool call came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) tool: String,
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

impl Ended {
    /// Checks status and error code.
    pub(crate) fn is(&self, status: &str, code: Option<&str>) -> anyhow::Result<()> {
        ensure!(
            self.run["status"] == status && self.run["errorCode"].as_str() == code,
            "wanted {status} {code:?}: {:#}\n{:#?}",
            self.run,
            self.results()
        );
        Ok(())
    }

    pub(crate) fn error(&self) -> &str {
        self.run["error"].as_str().unwrap_or_default()
    }

    /// The outcomes of all tool calls, in the order in which they ended.
    pub(crate) fn results(&self) -> Vec<Outcome> {
        let lines = self.log.iter().filter(|line| line["event"] == "tool.completed");
        lines
            .map(|line| {
                let blocks = line["data"]["content"].as_array().into_iter().flatten();
                Outcome {
                    tool: line["data"]["tool"].as_str().unwrap_or_default().to_owned(),
                    is_error: line["data"]["isError"] == true,
                    text: blocks.filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n"),
                }
            })
            .collect()
    }

    /// The one outcome of a tool.
    pub(crate) fn result_of(&self, tool: &str) -> anyhow::Result<Outcome> {
        self.results().into_iter().find(|outcome| outcome.tool == tool).with_context(|| format!("{tool} was not called: {:#?}", self.log))
    }
}
