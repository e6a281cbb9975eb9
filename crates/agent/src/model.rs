//! The model as the loop sees it: one turn in, one message out, whatever the protocol.

use std::time::Duration;

use async_trait::async_trait;
use wire::message::{AssistantMessage, Message, StopReason, Usage};
use wire::run_spec::ToolSpec;

/// A language model. Dropping the future of [`Model::turn`] ends the call and its connection.
#[async_trait]
pub trait Model: Send + Sync {
    /// Makes exactly one call; retries are the loop's.
    ///
    /// Text goes to `deltas` as it arrives. The implementation gives up by itself when the stream stays silent
    /// for its idle timeout (120 s in production) with [`ModelErrorKind::TimedOut`].
    async fn turn(&self, request: &TurnRequest<'_>, deltas: &dyn DeltaSink) -> Result<Turn, ModelError>;
}

/// Takes text while the model produces it. For display only; must not block.
pub trait DeltaSink: Send + Sync {
    fn delta(&self, text: &str);
}

/// What one model call is made of.
#[derive(Clone, Copy, Debug)]
pub struct TurnRequest<'a> {
    pub system: &'a str,
    /// Begins with a user message. A `Message::Tool` follows the assistant message whose calls it answers, in their order.
    pub messages: &'a [Message],
    /// Empty: the model is offered no tool (compaction).
    pub tools: &'a [ToolSpec],
    pub max_output_tokens: u64,
    pub cache: CacheMarkers<'a>,
}

/// Where a provider with explicit prompt caching should set its markers; others ignore them.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheMarkers<'a> {
    /// After the system text (and with it the tools, which come before it on the wire).
    pub system: bool,
    /// After the last block of the messages at these positions; at most three, ascending.
    pub messages: &'a [usize],
}

/// What one model call gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub message: AssistantMessage,
    /// `None`: the provider reported no tokens; the loop estimates them.
    pub usage: Option<Usage>,
    pub stop: StopReason,
}

/// Why a call gave no whole message.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    pub kind: ModelErrorKind,
    /// For the user: status and the provider's own words, without any secret.
    pub message: String,
    /// The provider's `Retry-After`.
    pub retry_after: Option<Duration>,
    /// What the provider had reported before the call broke off, zero in buckets it had not reported yet.
    /// `None`: it never began to answer, so nothing is billed.
    pub usage: Option<Usage>,
}

impl ModelError {
    pub fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, usage: None }
    }
}

/// What kind of trouble it is; decides about retries and about the code that the run ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelErrorKind {
    /// 401, 403: the key was refused.
    Authentication,
    /// Other 4xx: the request itself is refused and would be again.
    Rejected,
    /// The request does not fit the context window; the loop compacts and tries once more.
    ContextTooLong,
    /// 429.
    RateLimited,
    /// 503, 529 or an overload event in the stream.
    Overloaded,
    /// Other 5xx, or an error event in the stream.
    Server,
    /// No connection, or it broke before the message was whole.
    Unreachable,
    /// Connected, then silent for the idle timeout.
    TimedOut,
    /// The answer breaks the protocol.
    Garbage,
}
