//! Walks the chains of a log and says what is wrong with them. Trusts nothing but the pins and, where it is at hand, the master key.

mod chain;
mod finding;
mod keys;
mod warning;

use std::fmt;
use std::str::FromStr;

use domain::AuditChain;
use serde::Serialize;
use store::{AuditArchive, Sealer, StrayRow};

pub use self::finding::{ChainReport, Finding};
pub use self::keys::KeyTrust;
pub use self::warning::Warning;
use crate::AuditError;

/// Rows with a contradictory place that are named; there is no need for more to know that somebody was there.
const MOST_STRAYS: u32 = 1_000;

/// Which chains to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    All,
    /// One chain, and seals that it must contain.
    One(AuditChain, Vec<Pin>),
}

/// A seal that somebody has written down elsewhere: `<number>:<digest>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    pub number: i64,
    /// 64 lower-case hexadecimal digits.
    pub digest: String,
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.digest)
    }
}

impl FromStr for Pin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "must be a seal's number, a colon and its digest of 64 hexadecimal digits";
        let (number, digest) = text.split_once(':').ok_or(FORM)?;
        let number = number.parse().ok().filter(|number| *number >= 1).ok_or(FORM)?;
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        Ok(Self { number, digest: digest.to_ascii_lowercase() })
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// No chain has a finding.
    pub is_whole: bool,
    /// A chain has something that needs an explanation.
    pub has_warnings: bool,
    /// Whether the signing keys are known to be this server's.
    pub keys: KeyTrust,
    pub chains: Vec<ChainReport>,
}

/// Checks the chains. `masters` opens what the master key has sealed; without it the keys are taken from the database as they are.
///
/// # Errors
/// When the database cannot be read, what it says wrongly is a finding instead; [`AuditError::NoSuchChain`] when nothing in it, and no
/// pin, speaks of the one chain that was asked for.
pub async fn verify(archive: &AuditArchive, selection: &Selection, masters: Option<&dyn Sealer>) -> Result<Report, AuditError> {
    let keys = keys::Keys::load(archive, masters).await?;
    let (names, pins) = match selection {
        Selection::All => (archive.chains().await?, &[][..]),
        Selection::One(chain, pins) => (vec![chain.to_string()], pins.as_slice()),
    };
    let only = matches!(selection, Selection::One(..)).then(|| names[0].as_str());
    let strays = archive.strays(only, MOST_STRAYS).await?;
    let newest = archive.newest().await?;
    let mut chains = Vec::with_capacity(names.len());
    for name in &names {
        let mut report = chain::walk(archive, &keys, name, pins).await?;
        for stray in strays.iter().filter(|stray| concerns(stray, name)) {
            report.add(Finding::StrayRow { id: stray.id.clone() });
        }
        report.warn_of_waiting(newest);
        chains.push(report);
    }
    if let [report] = &chains[..]
        && only.is_some()
        && report.is_empty()
    {
        return Err(AuditError::NoSuchChain { chain: report.chain.clone() });
    }
    Ok(Report {
        is_whole: chains.iter().all(ChainReport::is_whole),
        has_warnings: chains.iter().any(|chain| !chain.warnings.is_empty()),
        keys: keys.trust(),
        chains,
    })
}

fn concerns(stray: &StrayRow, chain: &str) -> bool {
    stray.belongs_to == chain || stray.chain.as_deref() == Some(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_a_number_and_a_digest() {
        let text = format!("7:{}", "aB".repeat(32));
        assert_eq!(text.parse::<Pin>().unwrap().to_string(), text.to_ascii_lowercase());
        for bad in
            ["", "7", "7:", "0:00", &format!("0:{}", "0".repeat(64)), &format!("7:{}", "g".repeat(64)), &format!("-1:{}", "0".repeat(64))]
        {
            assert!(bad.parse::<Pin>().is_err(), "{bad}");
        }
    }
}
