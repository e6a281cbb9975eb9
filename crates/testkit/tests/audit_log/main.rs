//! `appstrate audit verify` beside the running server: seals come by themselves, outlive a crash, and whoever changes the database past
//! the server is found out.
//!
//! SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a server whose user may create databases.

mod place;

use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::system::{System, Tenant, binaries};
use tokio::process::Command;

use crate::place::{MASTER_KEY, Place};

/// Runs `appstrate audit verify` with these arguments; the server's settings come from its environment.
async fn verify(system: &System, place: &Place, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(binaries()?.join("appstrate"));
    command.args(["audit", "verify"]).args(arguments).env_clear().env("DATA_DIR", system.data_dir());
    if let Place::Postgres { url } = place {
        command.env("DATABASE_URL", url).env("CONNECTION_ENCRYPTION_KEY", MASTER_KEY);
    }
    Ok(command.output().await?)
}

fn report(output: &Output) -> anyhow::Result<Value> {
    serde_json::from_slice(&output.stdout).with_context(|| format!("no report: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The report of the tenant's application once no row of it waits for its seal any more.
async fn sealed(system: &System, place: &Place, tenant: &Tenant) -> anyhow::Result<Value> {
    for _ in 0..400 {
        let output = verify(system, place, &["--application", &tenant.app, "--json"]).await?;
        let chain = report(&output)?["chains"][0].clone();
        ensure!(output.status.code() == Some(0), "{chain}");
        if chain["unsealedRows"] == 0 && chain["rows"].as_u64() > Some(0) {
            return Ok(chain);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the rows get no seal:\n{}", system.log()?)
}

async fn use_as_customer(tenant: &Tenant) -> anyhow::Result<()> {
    let grace = tenant.api.post("/api/end-users", &json!({"name": "Grace"})).await?;
    let grace = tenant.api.with("appstrate-user", grace["id"].as_str().context("an id")?);
    for _ in 0..5 {
        grace.get("/api/runs").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_seals_itself_and_tells_who_changed_it() -> anyhow::Result<()> {
    for place in Place::each().await? {
        let mut system = System::start_with(place.options()).await?;
        let tenant = system.tenant("acme").await?;
        use_as_customer(&tenant).await?;
        let before = sealed(&system, &place, &tenant).await?;
        let pin = before["head"].as_str().context("a newest seal")?.to_owned();
        let newest = tenant.session.get("/api/audit-log/seals").await?["data"][0].clone();
        ensure!(
            pin == format!("{}:{}", newest["number"], newest["digest"].as_str().unwrap_or_default()),
            "the API tells the same: {newest}"
        );

        // A power cut, and then a clean stop: what was written stays whole and goes on.
        use_as_customer(&tenant).await?;
        system.crash_and_restart().await?;
        use_as_customer(&tenant).await?;
        system.stop_and_restart().await?;
        let after = sealed(&system, &place, &tenant).await?;
        ensure!(after["rows"].as_u64() >= before["rows"].as_u64().map(|rows| rows + 12), "{before} {after}");
        let pinned = ["--application", tenant.app.as_str(), "--pin", pin.as_str()];
        let output = verify(&system, &place, &pinned).await?;
        let words = String::from_utf8(output.stdout)?;
        ensure!(output.status.code() == Some(0) && words.ends_with("The audit log is whole.\n"), "{words}");
        let output = verify(&system, &place, &["--json"]).await?;
        let all = report(&output)?;
        ensure!(output.status.code() == Some(0) && all["isWhole"] == true && all["keys"] == "confirmed", "{all}");
        ensure!(all["chains"].as_array().map(Vec::len) >= Some(3), "application, organization, platform: {all}");

        place.change(&system, "UPDATE audit_entries SET ip = '192.0.2.99' WHERE position = 2 AND app_id IS NOT NULL").await?;
        let output = verify(&system, &place, &pinned).await?;
        let words = String::from_utf8(output.stdout)?;
        ensure!(output.status.code() == Some(1) && words.contains("was changed, moved or exchanged"), "{words}");
        let output = verify(&system, &place, &["--organization", &tenant.org]).await?;
        ensure!(output.status.code() == Some(0), "another chain is none the worse: {output:?}");

        // Cut off to the last row and seal, nothing is left that could contradict, or be whole: only the pin knows.
        place.change(&system, "DELETE FROM audit_entries WHERE app_id IS NOT NULL").await?;
        place.change(&system, "DELETE FROM audit_seals WHERE app_id IS NOT NULL").await?;
        ensure!(verify(&system, &place, &pinned[..2]).await?.status.code() == Some(2));
        let output = verify(&system, &place, &pinned).await?;
        let words = String::from_utf8(output.stdout)?;
        ensure!(output.status.code() == Some(1) && words.contains("the chain has no such seal"), "{words}");
        system.stop().await?;
        place.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_checked_is_told_apart_from_what_was_changed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for arguments in [&["--data-dir", folder.path().to_str().context("a path")?][..], &["--pin", "nonsense"], &["--application", "eu_1"]] {
        let output = Command::new(binaries()?.join("appstrate")).args(["audit", "verify"]).args(arguments).env_clear().output().await?;
        ensure!(output.status.code() == Some(2) && !output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    }
    ensure!(std::fs::read_dir(folder.path())?.next().is_none(), "nothing is made");
    Ok(())
}
