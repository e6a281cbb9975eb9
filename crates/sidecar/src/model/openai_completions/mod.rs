//! OpenAI chat completions, and the many servers that speak it. <https://platform.openai.com/docs/api-reference/chat>

pub(super) mod reader;
pub(super) mod request;
