//! Who carries out which tool.

use std::sync::Arc;

use agent::{HandCall, Hands, HandsLost};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use wire::hands::ToolOutcome;
use wire::run_spec::ToolCarrier;

use super::client::Request;
use super::sandbox::Sandbox;
use crate::provider_call;
use crate::proxy::Proxy;
use crate::run_history::{self, RunHistory};

/// The hands of one run.
pub struct RunHands {
    pub sandbox: Sandbox,
    pub proxy: Proxy,
    pub history: Arc<dyn RunHistory>,
}

#[async_trait]
impl Hands for RunHands {
    async fn call(&self, call: &HandCall<'_>, cancel: &CancellationToken) -> Result<ToolOutcome, HandsLost> {
        match &call.tool.carrier {
            ToolCarrier::Sidecar => Ok(self.own(call, cancel).await),
            ToolCarrier::Host => self.host(call, cancel).await,
            ToolCarrier::Package { package, .. } => {
                let hands = tokio::select! {
                    hands = self.sandbox.hands() => hands?,
                    () = cancel.cancelled() => return Ok(cancelled()),
                };
                match hands.load_failure(package) {
                    Some(problem) => Ok(ToolOutcome::error(format!("the tool package {package} could not be loaded: {problem}"))),
                    None => self.host(call, cancel).await,
                }
            }
            ToolCarrier::Loop => Ok(ToolOutcome::error(format!("the tool {} is carried out by the loop", call.tool.name))),
        }
    }
}

impl RunHands {
    async fn own(&self, call: &HandCall<'_>, cancel: &CancellationToken) -> ToolOutcome {
        let work = async {
            match call.tool.name.as_str() {
                "provider_call" => provider_call::call(&self.proxy, &self.sandbox, call.arguments).await,
                "run_history" => run_history::call(self.history.as_ref(), call.arguments).await,
                other => ToolOutcome::error(format!("the sidecar has no tool {other}")),
            }
        };
        tokio::select! {
            outcome = work => outcome,
            () = cancel.cancelled() => cancelled(),
            () = tokio::time::sleep(call.timeout) => {
                ToolOutcome::error(format!("the call was not over after {} seconds and was given up", call.timeout.as_secs()))
            }
        }
    }

    async fn host(&self, call: &HandCall<'_>, cancel: &CancellationToken) -> Result<ToolOutcome, HandsLost> {
        let hands = tokio::select! {
            hands = self.sandbox.hands() => hands?,
            () = cancel.cancelled() => return Ok(cancelled()),
        };
        let request = Request { tool: &call.tool.name, tool_call_id: call.tool_call_id, arguments: call.arguments, timeout: call.timeout };
        hands.call(request, cancel).await.map_err(|dead| HandsLost(format!("{dead}; its processes may have used too much memory")))
    }
}

fn cancelled() -> ToolOutcome {
    ToolOutcome::error("the call was cancelled")
}
