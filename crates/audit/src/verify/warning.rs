//! What contradicts nothing and still needs an explanation, in words.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use serde::Serialize;

use super::finding::ChainReport;

/// How long after its rows a seal is made at most, where nothing is the matter. They come about every second; an hour leaves room for
/// an outage that nobody has to look into.
pub(super) const LATE: Duration = Duration::from_hours(1);

/// Something that may have an innocent reason, such as a sealer that was down, and may be the trace of a rewritten history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Warning {
    /// Seals from `first` to `last` were made more than an hour after a row that they cover, the oldest of them `oldest_row`. What a
    /// pin covers is not among them.
    LateSeals { first: i64, last: i64, seals: i64, oldest_row: Option<Timestamp> },
    /// Rows have waited for their seal while the log went on for more than an hour.
    WaitingRows { rows: i64, oldest_row: Option<Timestamp> },
}

impl Warning {
    /// Adds a late seal to what is known of earlier ones. Seals come in the order of their numbers.
    pub(super) fn with_late(self, number: i64, oldest: Option<Timestamp>) -> Self {
        match self {
            Self::LateSeals { first, seals, oldest_row, .. } => {
                let oldest_row = [oldest_row, oldest].into_iter().flatten().min();
                Self::LateSeals { first, last: number, seals: seals + 1, oldest_row }
            }
            other @ Self::WaitingRows { .. } => other,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment =
            |at: &Option<Timestamp>| at.map_or_else(|| "an impossible time".to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        match self {
            Self::LateSeals { first, last, seals, oldest_row } => {
                let which = if first == last { format!("seal {first} was") } else { format!("{seals} seals from {first} to {last} were") };
                write!(
                    f,
                    "warning: {which} made more than an hour after a row under it, the oldest of {}; unless no node sealed then, a history was \
                     sealed anew",
                    moment(oldest_row)
                )
            }
            Self::WaitingRows { rows, oldest_row } => write!(
                f,
                "warning: {rows} rows have waited for their seal for more than an hour, the oldest of {}; either no node seals, or the \
                 sealer refuses the chain and its log says why",
                moment(oldest_row)
            ),
        }
    }
}

impl ChainReport {
    /// Warns of rows that have waited while the log went on until `newest`.
    pub(super) fn warn_of_waiting(&mut self, newest: Option<i64>) {
        let (Some(oldest_row), Some(newest)) = (self.oldest_unsealed, newest) else { return };
        if is_late(oldest_row.timestamp_millis(), newest) {
            self.warnings.push(Warning::WaitingRows { rows: self.unsealed_rows, oldest_row: Some(oldest_row) });
        }
    }
}

/// Whether the second moment lies more than [`LATE`] behind the first; both in milliseconds.
pub(super) fn is_late(row: i64, later: i64) -> bool {
    i128::from(later) - i128::from(row) > i128::try_from(LATE.as_millis()).expect("an hour has few milliseconds")
}
