//! Accepting a run, however it was asked for: preflight outside any transaction, then the row, its event and its job in one.

use std::collections::BTreeMap;

use domain::{Code, ModelId, ProxyChoice};
use runs::preflight::{self, Choice, Request, Sources, StartedBy};
use serde_json::{Value, json};
use store::{AppScope, Audit, Run, Write};

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// What the three ways to start a run have in common.
pub(crate) struct Asked {
    pub choice: Choice,
    pub input: Option<BTreeMap<String, Value>>,
    pub model: Option<ModelId>,
    pub proxy: Option<ProxyChoice>,
}

/// Prepares the run and queues it in the write that is to be answered.
pub(crate) async fn accept(can: &Can<perm::AgentsRun>, app: &App, asked: Asked) -> Result<(Write<AppScope>, Run), Problem> {
    if let Some(reason) = &app.options.sandbox_unavailable {
        tracing::warn!(reason, "a run was refused: the sandbox is unavailable");
        return Err(Problem::new(Code::SandboxUnavailable, "This server cannot isolate runs, so it refuses them."));
    }
    let facts = can.facts();
    let session = facts.key.is_none().then_some(facts.user).flatten();
    let request = Request {
        choice: asked.choice,
        input: asked.input.unwrap_or_default().into_iter().collect(),
        model: asked.model,
        proxy: asked.proxy,
        started_by: StartedBy { user: session, key: facts.key },
    };
    let sources = Sources { store: &app.store, vault: &app.vault, proxies: app.outbound.proxies() };
    let prepared = preflight::prepare(sources, &can.scope, request, &app.limits).await?;
    let write = can.write().await?;
    let run = runs::start(&write, &prepared, &app.limits.platform).await?;
    write.audit(Audit::about(&run.id, json!({ "agentId": run.agent, "version": run.version })));
    Ok((write, run))
}

/// Accepts a run of an agent and answers with it.
pub(crate) async fn start(can: &Can<perm::AgentsRun>, app: &App, asked: Asked) -> Result<Answer, Problem> {
    let (write, run) = accept(can, app, asked).await?;
    let location = format!("/api/runs/{}", run.id);
    Answer::created(write, &convert::run(run), location).await
}
