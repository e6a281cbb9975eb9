//! What `make run` does: starts the server with a scripted model and a customer API beside it, seeds a tenant over HTTP, makes
//! one run for a customer, and shows it.

mod options;
mod script;
mod seed;
mod server;
mod show;

pub use options::Options;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::customer_api::CustomerApi;
use crate::scripted_model::ScriptedModel;

/// The keys of the two customers at the demo company. The agent never sees them.
pub const CUSTOMER_KEYS: [&str; 2] = ["acme-key-of-grace-8d1f3c", "acme-key-of-alan-27b0e9"];

/// Runs the demo until Ctrl-C, or until the result is shown with `--once`.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let model = ScriptedModel::start_on(options.model_port()).await.context("the port of the scripted model is taken")?;
    model.by_turn(script::MODEL, script::steps(&options.customer_api_url()));
    let customer_api = CustomerApi::start_on(options.customer_api_port(), CUSTOMER_KEYS.map(str::to_owned))
        .await
        .context("the port of the customer API is taken")?;

    let mut server = server::start(&options, model.address(), customer_api.address()).await?;
    let tenant = seed::tenant(&options, &model).await?;
    let run = seed::first_run(&tenant).await?;
    show::result(&options, &tenant, &run)?;
    if options.once {
        return server.stop().await;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = server.wait() => ended,
        _ = tokio::signal::ctrl_c() => server.stop().await,
        _ = terminate.recv() => server.stop().await,
    }
}
