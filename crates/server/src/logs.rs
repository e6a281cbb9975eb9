//! Where logs go: standard error, as text or JSON lines.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Starts logging with the filter of `LOG_LEVEL`.
pub(crate) fn start(filter: &str, json: bool) -> anyhow::Result<()> {
    // Libraries below us are quieter than we are: their `info` is our `debug`.
    let directives = if filter.contains(['=', ',']) {
        filter.to_owned()
    } else {
        format!("{filter},sqlx=warn,hyper=warn,h2=warn,rustls=warn,sea_orm=warn,sea_orm_migration=warn")
    };
    let filter =
        EnvFilter::try_new(directives).context("LOG_LEVEL must be debug, info, warn, error or a filter such as info,runs=debug")?;
    // A line that cannot be written is dropped: telling that on standard error, which is what is gone, would panic.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true).log_internal_errors(false);
    let started = if json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))
}
