//! Anthropic messages. <https://platform.claude.com/docs/en/api/messages>

pub(super) mod reader;
pub(super) mod request;
