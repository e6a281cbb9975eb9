//! `appstrate audit`: checks the log of a database that it opens for reading only.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use audit::{KeyTrust, Report, Selection};
use connect::SealWithMaster;
use domain::AuditChain;
use store::{AuditArchive, Sealer};

use crate::env::{Audit, Verify};
use crate::keys;

/// Somebody has changed the log.
const CHANGED: u8 = 1;
/// Whether somebody has is not known.
const UNCHECKED: u8 = 2;
/// Nothing contradicts itself, and something needs an explanation.
const UNEXPLAINED: u8 = 3;

pub(crate) fn main(command: Audit) -> ExitCode {
    let Audit::Verify(options) = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let checked = runtime.context("could not start the runtime").and_then(|runtime| {
        let report = runtime.block_on(verify(&options))?;
        write(&report, options.json, &mut io::stdout().lock()).context("could not write the report")?;
        Ok(report)
    });
    match checked {
        Ok(report) if !report.is_whole => ExitCode::from(CHANGED),
        Ok(report) if report.has_warnings => ExitCode::from(UNEXPLAINED),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a command that could not do its work")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("appstrate: {error:#}");
    ExitCode::from(UNCHECKED)
}

async fn verify(options: &Verify) -> anyhow::Result<Report> {
    let beside = || format!("sqlite://{}", options.data_dir.join("appstrate.db").display()).into();
    let url = options.database_url.clone().unwrap_or_else(beside);
    let masters = keys::known_master_keys(options.connection_encryption_key.as_ref(), &options.data_dir)?.map(SealWithMaster::new);
    let archive = AuditArchive::open(url.expose()).await.context("could not open the database (DATABASE_URL, DATA_DIR) for reading")?;
    let one = |chain| Selection::One(chain, options.pin.clone());
    let selection = match (options.application, options.organization) {
        (Some(app), _) => one(AuditChain::Application(app)),
        (None, Some(org)) => one(AuditChain::Organization(org)),
        (None, None) if options.platform => one(AuditChain::Platform),
        (None, None) => Selection::All,
    };
    let masters = masters.as_ref().map(|masters| masters as &dyn Sealer);
    audit::verify(&archive, &selection, masters).await.context("could not check the log")
}

fn write(report: &Report, as_json: bool, to: &mut impl Write) -> anyhow::Result<()> {
    if as_json {
        serde_json::to_writer_pretty(&mut *to, report)?;
        writeln!(to)?;
        return Ok(());
    }
    for chain in &report.chains {
        writeln!(to, "{chain}")?;
    }
    if report.keys == KeyTrust::Unconfirmed {
        writeln!(to, "No master key is at hand: the signing keys are those that the database names. A `--pin` holds all the same.")?;
    }
    let broken = report.chains.iter().filter(|chain| !chain.is_whole()).count();
    if broken == 0 && report.has_warnings {
        writeln!(to, "Nothing in the audit log contradicts itself, and the warnings need an explanation.")?;
    } else if broken == 0 {
        writeln!(to, "The audit log is whole.")?;
    } else {
        writeln!(to, "The audit log was changed: {broken} of {} chains are broken.", report.chains.len())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit::SigningKey;
    use clap::Parser as _;
    use domain::RequestId;
    use store::{AuditFacts, Store};
    use tempfile::TempDir;

    use super::*;
    use crate::env::{Cli, Command};

    fn options(arguments: &[&str]) -> Verify {
        let arguments = ["appstrate", "audit", "verify"].iter().chain(arguments);
        match Cli::parse_from(arguments).command {
            Command::Audit(Audit::Verify(options)) => *options,
            _ => panic!("not a check of the log"),
        }
    }

    /// A data folder in which something was done and sealed.
    async fn sealed() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let masters = keys::master_keys(None, folder.path(), true, &domain::RandomIds).unwrap();
        let sealer = Arc::new(SealWithMaster::new(masters));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("appstrate.db").display());
        let store = Store::connect(store::Options::new(url, folder.path().join("blobs"), sealer.clone())).await.unwrap();
        let facts = AuditFacts {
            request: RequestId::new(store.ids()),
            key: None,
            user: None,
            end_user: None,
            permission: "public".to_owned(),
            method: "POST".to_owned(),
            route: "/api/auth/sign-in/email".to_owned(),
            subject: None,
            path: "/api/auth/sign-in/email".to_owned(),
            ip: None,
            recorded: store::Recorded::default(),
            user_agent: None,
        };
        store.system().append_unscoped_audit(&facts, 200).await.unwrap();
        let key = SigningKey::open_or_create(&store, &*sealer).await.unwrap();
        audit::Sealer::new(store.clone(), key, audit::Options::default()).step().await.unwrap();
        store.close().await.unwrap();
        folder
    }

    fn text(report: &Report, as_json: bool) -> String {
        let mut bytes = Vec::new();
        write(report, as_json, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn a_whole_log_is_told_in_words_and_in_json() {
        let folder = sealed().await;
        let report = verify(&options(&["--data-dir", folder.path().to_str().unwrap()])).await.unwrap();
        assert!(report.is_whole);
        let words = text(&report, false);
        assert!(
            words.starts_with("platform: 1 seals over 1 rows, whole; newest seal 1:") && words.ends_with("The audit log is whole.\n"),
            "{words}"
        );
        let json: serde_json::Value = serde_json::from_str(&text(&report, true)).unwrap();
        assert_eq!((&json["isWhole"], &json["keys"], &json["chains"][0]["chain"]), (&true.into(), &"confirmed".into(), &"platform".into()));
        let pin = report.chains[0].head.clone().unwrap();
        let folder = folder.path().to_str().unwrap();
        assert!(verify(&options(&["--data-dir", folder, "--platform", "--pin", &pin])).await.unwrap().is_whole);
    }

    #[tokio::test]
    async fn a_lost_pin_and_a_foreign_key_break_the_log() {
        let folder = sealed().await;
        let folder = folder.path().to_str().unwrap();
        let pin = format!("2:{}", "0".repeat(64));
        let report = verify(&options(&["--data-dir", folder, "--platform", "--pin", &pin])).await.unwrap();
        assert!(!report.is_whole);
        assert!(text(&report, false).contains("the chain has no such seal"));
        let foreign = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=";
        let report = verify(&options(&["--data-dir", folder, "--connection-encryption-key", foreign])).await.unwrap();
        assert!(text(&report, false).contains("is not a key of this server"));
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_an_error_and_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let error = verify(&options(&["--data-dir", folder.path().to_str().unwrap()])).await.unwrap_err();
        assert!(error.to_string().contains("could not open the database"), "{error:#}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
