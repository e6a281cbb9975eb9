//! The conversation so far, and how large it is.

use serde_json::Value;
use wire::message::{AssistantMessage, Block, Message, ToolResult, Usage};
use wire::run_spec::RunSpec;

/// Bytes of text that make a token, on the careful side: English has about four.
const BYTES_PER_TOKEN: u64 = 3;
/// What vendors count for a large image.
const TOKENS_PER_IMAGE: u64 = 1_600;

pub(super) struct Context {
    messages: Vec<Message>,
    /// System text and tools.
    fixed_tokens: u64,
    /// Tokens that the provider counted for everything up to this number of messages.
    counted: Option<(u64, usize)>,
}

impl Context {
    pub(super) fn new(spec: &RunSpec) -> Self {
        let tools: u64 = spec
            .tools
            .iter()
            .map(|tool| tokens_of_text(&tool.name) + tokens_of_text(&tool.description) + tokens_of_value(&tool.parameters))
            .sum();
        Self { messages: vec![user(spec.prompt.user.clone())], fixed_tokens: tokens_of_text(&spec.prompt.system) + tools, counted: None }
    }

    pub(super) fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(super) fn say(&mut self, text: String) {
        self.messages.push(user(text));
    }

    /// Adds what the model said. `usage` is the provider's count for the whole call, this message included.
    pub(super) fn add_turn(&mut self, message: AssistantMessage, usage: Option<Usage>) {
        // Vendors refuse an assistant message without content.
        if !message.text.is_empty() || !message.tool_calls.is_empty() {
            self.messages.push(Message::Assistant(message));
        }
        self.counted = usage.map(|usage| (usage.total(), self.messages.len()));
    }

    pub(super) fn add_results(&mut self, results: Vec<ToolResult>) {
        self.messages.push(Message::Tool { results });
    }

    /// Puts a shorter conversation in place of this one.
    pub(super) fn replace(&mut self, messages: Vec<Message>) {
        self.messages = messages;
        self.counted = None;
    }

    /// About how many tokens the next call sends.
    pub(super) fn tokens(&self) -> u64 {
        let (tokens, counted) = self.counted.unwrap_or((self.fixed_tokens, 0));
        tokens + self.messages[counted..].iter().map(tokens_of_message).sum::<u64>()
    }
}

fn user(text: String) -> Message {
    Message::User { content: vec![Block::Text { text }] }
}

pub(super) fn tokens_of_text(text: &str) -> u64 {
    tokens_of_bytes(text.len() as u64)
}

pub(super) const fn tokens_of_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// How many bytes of text fit into `tokens`.
pub(super) const fn bytes_of_tokens(tokens: u64) -> u64 {
    tokens * BYTES_PER_TOKEN
}

pub(super) fn tokens_of_message(message: &Message) -> u64 {
    match message {
        Message::User { content } => tokens_of_blocks(content),
        Message::Assistant(message) => tokens_of_assistant(message),
        Message::Tool { results } => results.iter().map(|result| tokens_of_blocks(&result.content)).sum(),
    }
}

pub(super) fn tokens_of_assistant(message: &AssistantMessage) -> u64 {
    let calls: u64 = message.tool_calls.iter().map(|call| tokens_of_text(&call.name) + tokens_of_value(&call.arguments)).sum();
    tokens_of_text(&message.text) + calls + message.opaque.iter().map(tokens_of_value).sum::<u64>()
}

fn tokens_of_blocks(blocks: &[Block]) -> u64 {
    blocks
        .iter()
        .map(|block| match block {
            Block::Text { text } => tokens_of_text(text),
            Block::Image { .. } => TOKENS_PER_IMAGE,
        })
        .sum()
}

fn tokens_of_value(value: &Value) -> u64 {
    tokens_of_text(&value.to_string())
}
