//! What can be wrong with a chain, in words.

use std::fmt;

use serde::Serialize;

use super::Warning;

/// Findings that a report names; beyond it they are counted.
const MOST_FINDINGS: usize = 100;

/// One thing that cannot be, had nobody changed the database past the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Finding {
    /// The seal has a number that no chain has: they count from 1.
    StraySeal { seal: i64 },
    /// Seals are gone from within the chain.
    MissingSeals { first: i64, last: i64 },
    /// A seal does not have the digest of its own fields.
    ChangedSeal { seal: i64 },
    /// A seal does not name the digest of the one before it.
    BrokenLink { seal: i64 },
    /// The signature is not of the key that the seal names.
    BadSignature { seal: i64 },
    /// The seal names a key that is none of this server's.
    UnknownKey { seal: i64, key: String },
    /// The seal does not begin where the one before it ended, or its count is not that of its positions.
    WrongRange { seal: i64 },
    /// Rows are gone.
    MissingRows { seal: i64, first: i64, last: i64 },
    /// Two rows claim one position.
    InsertedRow { position: i64, id: String },
    /// The rows of the seal are all there, and at least one is not what was sealed, or not in its place.
    ChangedRows { seal: i64, first: i64, last: i64 },
    /// The row claims a position behind the last seal.
    UncoveredRow { position: i64, id: String },
    /// The row's marks contradict each other, or its tenant.
    StrayRow { id: String },
    /// A seal that was written down elsewhere is not in the chain.
    MissingPin { seal: i64, digest: String },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |first: &i64, last: &i64| if first == last { format!("{first}") } else { format!("{first} to {last}") };
        match self {
            Self::StraySeal { seal } => write!(f, "seal {seal}: inserted, numbers count from 1"),
            Self::MissingSeals { first, last } => write!(f, "seal {}: missing", range(first, last)),
            Self::ChangedSeal { seal } => write!(f, "seal {seal}: changed, its digest is not that of its fields"),
            Self::BrokenLink { seal } => write!(f, "seal {seal}: does not follow the seal before it"),
            Self::BadSignature { seal } => write!(f, "seal {seal}: the signature is wrong"),
            Self::UnknownKey { seal, key } => write!(f, "seal {seal}: signed by {key}, which is not a key of this server"),
            Self::WrongRange { seal } => write!(f, "seal {seal}: does not cover the positions that it should"),
            Self::MissingRows { seal, first, last } => write!(f, "seal {seal}: the row at position {} is missing", range(first, last)),
            Self::InsertedRow { position, id } => write!(f, "row {id}: inserted, position {position} is taken"),
            Self::ChangedRows { seal, first, last } => {
                write!(f, "seal {seal}: a row at position {} was changed, moved or exchanged", range(first, last))
            }
            Self::UncoveredRow { position, id } => write!(f, "row {id}: position {position} lies behind the last seal, which must be gone"),
            Self::StrayRow { id } => write!(f, "row {id}: its place in the log contradicts itself"),
            Self::MissingPin { seal, digest } => write!(f, "pin {seal}:{digest}: the chain has no such seal"),
        }
    }
}

/// What was found of one chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainReport {
    /// `app_…`, `org_…` or `platform`.
    pub chain: String,
    pub seals: i64,
    /// Rows under a seal.
    pub rows: i64,
    /// The newest seal, to write down: `<number>:<digest>`.
    pub head: Option<String>,
    /// Rows without a seal yet.
    pub unsealed_rows: i64,
    pub oldest_unsealed: Option<domain::Timestamp>,
    /// The first hundred.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more_findings: usize,
    /// What is no finding, and still needs an explanation.
    pub warnings: Vec<Warning>,
}

impl ChainReport {
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    /// Nothing in the database speaks of the chain, and no pin.
    pub(super) fn is_empty(&self) -> bool {
        self.seals == 0 && self.rows == 0 && self.unsealed_rows == 0 && self.findings.is_empty()
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }
}

impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, seals, rows, .. } = self;
        write!(f, "{chain}: {seals} seals over {rows} rows, {}", if self.is_whole() { "whole" } else { "BROKEN" })?;
        if let Some(head) = &self.head {
            write!(f, "; newest seal {head}")?;
        }
        if self.unsealed_rows > 0 {
            write!(f, "; {} rows without a seal yet", self.unsealed_rows)?;
            if let Some(oldest) = self.oldest_unsealed {
                write!(f, ", the oldest of {}", oldest.format("%Y-%m-%dT%H:%M:%SZ"))?;
            }
        }
        for finding in &self.findings {
            write!(f, "\n  {finding}")?;
        }
        if self.more_findings > 0 {
            write!(f, "\n  and {} more", self.more_findings)?;
        }
        for warning in &self.warnings {
            write!(f, "\n  {warning}")?;
        }
        Ok(())
    }
}
