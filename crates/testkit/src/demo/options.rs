//! Settings of the demo.

use std::path::PathBuf;

use clap::Parser;

/// Starts Appstrate with a demo tenant and shows one run made for a customer.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Port of the API. The scripted model takes the next one, the customer API the one after.
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Data folder of the server.
    #[arg(long, env = "DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// Use OpenAI instead of the scripted model.
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    pub openai_api_key: Option<String>,
    /// Use Anthropic instead of the scripted model.
    #[arg(long, env = "ANTHROPIC_API_KEY", hide_env_values = true)]
    pub anthropic_api_key: Option<String>,
    /// Name of the real model, when a key is given.
    #[arg(long, env = "DEMO_MODEL")]
    pub model: Option<String>,
    /// How much the server logs into this terminal.
    #[arg(long, env = "LOG_LEVEL", default_value = "warn")]
    pub log_level: String,
    /// Stop after the result is shown.
    #[arg(long)]
    pub once: bool,
}

impl Options {
    pub fn base_url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub(super) fn model_port(&self) -> u16 {
        self.port + 1
    }

    pub(super) fn customer_api_port(&self) -> u16 {
        self.port + 2
    }
}
