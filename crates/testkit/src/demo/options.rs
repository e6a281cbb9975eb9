//! Settings of the demo.

use std::path::PathBuf;

use clap::Parser;

/// Starts Appstrate with a demo tenant and shows one run made for a customer.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Port of the API. The scripted model takes the next one, the customer API the one after.
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Data folder of the server. Left out: `./data`, and one for each other port, since what the demo keeps in it names its ports.
    #[arg(long, env = "DATA_DIR")]
    pub data_dir: Option<PathBuf>,
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

    pub(super) fn data_dir(&self) -> PathBuf {
        let own = || if self.port == 3000 { "./data".into() } else { format!("./data-{}", self.port).into() };
        self.data_dir.clone().unwrap_or_else(own)
    }

    /// Where the customer API answers, as the demo's provider and agent name it.
    pub(super) fn customer_api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.customer_api_port())
    }

    pub(super) fn model_port(&self) -> u16 {
        self.port + 1
    }

    pub(super) fn customer_api_port(&self) -> u16 {
        self.port + 2
    }
}
