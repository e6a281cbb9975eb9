//! OpenAI Responses, stateless: nothing is stored at the provider, reasoning travels encrypted.
//! <https://platform.openai.com/docs/api-reference/responses>

pub(super) mod reader;
pub(super) mod request;
