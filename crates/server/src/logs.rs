//! Where logs go: standard error, as text or JSON lines.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

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
    started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))?;
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// A panic is a line of the log like any other, with the id of the request in whose course it happened.
fn panicked(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    // Empty unless `RUST_BACKTRACE` asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        panic.location = location,
        panic.thread = thread.name(),
        panic.backtrace = backtrace,
        "panicked: {}",
        panic.payload_as_str().unwrap_or("with something that is no text")
    );
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_of_the_log_with_its_request() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        std::panic::set_hook(Box::new(panicked));
        tracing::subscriber::with_default(subscriber, || {
            let _request = tracing::error_span!("request", request.id = "req_1").entered();
            std::panic::catch_unwind(|| panic!("the test {} for this", "asked")).unwrap_err();
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["level"], &line["span"]["request.id"]), (&"ERROR".into(), &"req_1".into()));
        assert_eq!(line["fields"]["message"], "panicked: the test asked for this");
        assert!(line["fields"]["panic.location"].as_str().unwrap().contains("logs.rs:"), "{text}");
    }
}
