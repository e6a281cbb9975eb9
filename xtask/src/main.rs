//! Checks of the repository that the compiler does not make.
//!
//! `cargo xtask check-layers` holds the dependency rules of the architecture, `cargo xtask check-size` the file sizes.
//! The standard library only, so that both run seconds after a fresh clone.

mod layers;
mod manifest;
mod size;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <check>\n\n  \
    check-layers   crates depend only on what architecture allows\n  \
    check-size     source files stay small enough to read\n";

/// What one check found.
#[derive(Debug, Default)]
struct Findings {
    /// Worth a look; the check still passes.
    notes: Vec<String>,
    /// Each fails the check.
    violations: Vec<String>,
}

fn main() -> ExitCode {
    let root = workspace_root();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["check-layers"] => report("check-layers", layers::check(&root)),
        ["check-size"] => report("check-size", size::check(&root)),
        ["help" | "--help" | "-h"] => io::stdout().write_all(USAGE.as_bytes()).map(|()| ExitCode::SUCCESS),
        _ => io::stderr().write_all(USAGE.as_bytes()).map(|()| ExitCode::from(2)),
    };
    // Only a closed terminal gets here, and there is nobody left to tell.
    outcome.unwrap_or(ExitCode::FAILURE)
}

/// Prints what a check found, and says with the exit code whether it passed.
fn report(check: &str, findings: io::Result<Findings>) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let findings = match findings {
        Ok(findings) => findings,
        Err(error) => {
            writeln!(out, "{check}: could not read the workspace: {error}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    for note in &findings.notes {
        writeln!(out, "{check}: note: {note}")?;
    }
    for violation in &findings.violations {
        writeln!(out, "{check}: error: {violation}")?;
    }
    if findings.violations.is_empty() {
        writeln!(out, "{check}: ok")?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the workspace root").to_path_buf()
}
