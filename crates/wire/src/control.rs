//! Between the worker and a run's sidecar, over two inherited socket pairs: frames of JSON on fd 0, descriptors on fd 1.
//!
//! The sidecar holds no database and no environment. It numbers what must be durable; the worker answers [`ToSidecar::Committed`]
//! once the row is in the database, and the sidecar does not go on before.

use std::collections::BTreeMap;

use domain::{NanoUsd, PackageName, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hands::File;
use crate::message::Usage;
use crate::run_event::{Failure, RunEvent};
use crate::run_spec::RunSpec;

/// From the worker to the sidecar.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToSidecar {
    /// Once, first: the run.
    Start(Box<Start>),
    /// The numbered row is committed.
    Committed {
        number: u64,
    },
    /// The sandbox runs; its tool socket and the two listeners (credential proxy, forward proxy) lie on the descriptor socket,
    /// in this order, in one message.
    SandboxStarted {
        rung: String,
        duration_ms: u64,
    },
    SandboxFailed {
        message: String,
    },
    /// Answer to [`FromSidecar::History`].
    History {
        number: u64,
        runs: Vec<Value>,
    },
    /// Stop: the sidecar answers `Ended` with what it has, soon.
    Cancel {
        failure: Failure,
    },
}

/// What a sidecar needs to carry out one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    pub spec: RunSpec,
    /// Files of the workspace, laid out when the sandbox starts. (Large sets travel as further `File` frames in a later version of
    /// this message; the executor keeps them below the frame size.)
    pub files: Vec<File>,
    /// Key of the model; `None` for a server that wants none.
    #[serde(serialize_with = "optional_secret")]
    pub model_key: Option<Secret>,
    pub credentials: Vec<Credentials>,
    /// The address of the run's outbound proxy, with its credentials.
    #[serde(serialize_with = "optional_secret")]
    pub proxy_url: Option<Secret>,
    /// The operator's exceptions to the outbound policy, as in `OUTBOUND_ALLOW`.
    pub outbound_allow: String,
    /// Real time that is left, in milliseconds.
    pub deadline_ms: u64,
}

/// The credentials of one provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    pub provider: PackageName,
    #[serde(serialize_with = "secret_map")]
    pub fields: BTreeMap<String, Secret>,
}

/// From the sidecar to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromSidecar {
    /// The process is up and may be given a run.
    Ready,
    /// An event to commit; answered by `Committed` with its number.
    Event { number: u64, event: RunEvent },
    /// Text as the model produces it; never stored.
    Delta { text: String },
    /// Money that a model call may cost at most, before it is made; answered by `Committed`.
    LedgerOpen { number: u64, entry: u64, reserved: NanoUsd },
    /// What the call did cost; answered by `Committed`.
    LedgerSettle { number: u64, entry: u64, usage: Usage, cost: NanoUsd, state: LedgerState },
    /// The first tool call that needs the sandbox.
    StartSandbox,
    /// `run_history`: earlier successful runs of the same owner, newest first.
    History { number: u64, limit: u32, fields: Vec<String> },
    /// The end. Nothing follows.
    Ended(Box<Outcome>),
}

/// How sure the ledger is of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// The provider reported the tokens and the price is known.
    Priced,
    /// The provider reported the tokens; the price is unknown.
    Unpriced,
    /// The call ended without a report; tokens are an estimate.
    Estimated,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `None`: success.
    pub failure: Option<Failure>,
    pub output: Option<Value>,
    pub report: Option<String>,
    pub state: Option<Value>,
    pub memories: Vec<MemoryWrite>,
    pub usage: Usage,
    pub cost: NanoUsd,
}

/// One `add_memory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryWrite {
    /// Replaces the entry with this key.
    pub key: Option<String>,
    pub text: String,
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn optional_secret<S: serde::Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose().as_str()),
        None => serializer.serialize_none(),
    }
}

fn secret_map<S: serde::Serializer>(fields: &BTreeMap<String, Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, secret)| (name, secret.expose().as_str())))
}
