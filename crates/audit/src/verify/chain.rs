//! The walk over one chain: seals in the order of their numbers, and beside them rows in the order of their positions.

use std::collections::VecDeque;

use store::{AuditArchive, AuditSeal, RawAuditRow, RowsDigest, UnsealedTail};

use super::Pin;
use super::finding::{ChainReport, Finding};
use super::keys::{Keys, Signature};
use super::warning::{Warning, is_late};
use crate::AuditError;

/// Seals and rows that are in memory at once.
const SEALS: u32 = 500;
const ROWS: u32 = 1_000;

/// Checks a whole chain.
pub(super) async fn walk(archive: &AuditArchive, keys: &Keys, chain: &str, pins: &[Pin]) -> Result<ChainReport, AuditError> {
    let mut walk = Walk {
        rows: Rows { archive, chain, queue: VecDeque::new(), last: (i64::MIN, String::new()), is_over: false },
        keys,
        report: ChainReport { chain: chain.to_owned(), ..ChainReport::default() },
        number: 0,
        position: 0,
        previous: AuditSeal::START.to_owned(),
        pinned: pins.iter().map(|pin| pin.number).max().unwrap_or(0),
        pins: pins.to_vec(),
        late: None,
    };
    // From below every number that a seal can have: one that somebody has put in front is found as well.
    let mut next = Some(i64::MIN);
    while let Some(from) = next {
        let seals = archive.seals(chain, from, SEALS).await?;
        next = seals.last().and_then(|seal| seal.number.checked_add(1));
        for seal in seals {
            walk.seal(&seal).await?;
        }
    }
    walk.end().await?;
    let UnsealedTail { count, oldest } = archive.tail(chain).await?;
    walk.report.unsealed_rows = count;
    walk.report.oldest_unsealed = oldest.and_then(domain::Timestamp::from_timestamp_millis);
    Ok(walk.report)
}

struct Walk<'a> {
    rows: Rows<'a>,
    keys: &'a Keys,
    report: ChainReport,
    /// The number of the last seal, its last position, and its digest.
    number: i64,
    position: i64,
    previous: String,
    /// Those that were not met yet.
    pins: Vec<Pin>,
    /// The highest number among all of them. Whoever wrote it down vouches for what comes before.
    pinned: i64,
    late: Option<Warning>,
}

impl Walk<'_> {
    async fn seal(&mut self, seal: &AuditSeal) -> Result<(), AuditError> {
        let number = seal.number;
        if number < 1 {
            self.report.add(Finding::StraySeal { seal: number });
            return Ok(());
        }
        if number != self.number + 1 {
            self.report.add(Finding::MissingSeals { first: self.number + 1, last: number - 1 });
        }
        if seal.previous != self.previous {
            self.report.add(Finding::BrokenLink { seal: number });
        }
        let computed = seal.computed();
        if hex::encode(computed) != seal.digest {
            self.report.add(Finding::ChangedSeal { seal: number });
        }
        match self.keys.check(&seal.key_id, &computed, &seal.signature) {
            Signature::Good => {}
            Signature::Bad => self.report.add(Finding::BadSignature { seal: number }),
            Signature::UnknownKey => self.report.add(Finding::UnknownKey { seal: number, key: seal.key_id.clone() }),
        }
        let length = i128::from(seal.last_position) - i128::from(seal.first_position) + 1;
        if seal.first_position != self.position + 1 || length < 1 || length != i128::from(seal.row_count) {
            self.report.add(Finding::WrongRange { seal: number });
        }
        self.rows_of(seal).await?;
        self.pins.retain(|pin| pin.number != number || pin.digest != seal.digest);
        self.report.seals += 1;
        self.report.head = Some(format!("{number}:{}", seal.digest));
        self.number = number;
        // A seal that lies about its end does not make the rest of the walk lie too.
        self.position = seal.last_position.clamp(self.position, i64::MAX - 1);
        self.previous.clone_from(&seal.digest);
        Ok(())
    }

    /// The rows up to the end of the seal.
    async fn rows_of(&mut self, seal: &AuditSeal) -> Result<(), AuditError> {
        let mut digest = RowsDigest::default();
        let mut expected = seal.first_position;
        let mut is_complete = true;
        let mut oldest = i64::MAX;
        while let Some(row) = self.rows.next_until(seal.last_position).await? {
            let position = row.position.unwrap_or_default();
            if position < expected {
                self.report.add(Finding::InsertedRow { position, id: row.id });
                is_complete = false;
                continue;
            }
            if position > expected {
                self.report.add(Finding::MissingRows { seal: seal.number, first: expected, last: position - 1 });
                is_complete = false;
            }
            digest.add(&row);
            oldest = oldest.min(row.created_at());
            expected = position.saturating_add(1);
        }
        if expected <= seal.last_position {
            self.report.add(Finding::MissingRows { seal: seal.number, first: expected, last: seal.last_position });
            is_complete = false;
        }
        self.report.rows += digest.count();
        if seal.number > self.pinned && is_late(oldest, seal.sealed_at) {
            self.add_late(seal.number, oldest);
        }
        if is_complete && digest.finish() != seal.rows_digest {
            self.report.add(Finding::ChangedRows { seal: seal.number, first: seal.first_position, last: seal.last_position });
        }
        Ok(())
    }

    fn add_late(&mut self, number: i64, oldest: i64) {
        let oldest_row = domain::Timestamp::from_timestamp_millis(oldest);
        self.late = Some(match self.late.take() {
            Some(known) => known.with_late(number, oldest_row),
            None => Warning::LateSeals { first: number, last: number, seals: 1, oldest_row },
        });
    }

    async fn end(&mut self) -> Result<(), AuditError> {
        while let Some(row) = self.rows.next_until(i64::MAX).await? {
            self.report.add(Finding::UncoveredRow { position: row.position.unwrap_or_default(), id: row.id });
        }
        for pin in std::mem::take(&mut self.pins) {
            self.report.add(Finding::MissingPin { seal: pin.number, digest: pin.digest });
        }
        self.report.warnings.extend(self.late.take());
        Ok(())
    }
}

/// The rows of a chain, read ahead a batch at a time.
struct Rows<'a> {
    archive: &'a AuditArchive,
    chain: &'a str,
    queue: VecDeque<RawAuditRow>,
    last: (i64, String),
    is_over: bool,
}

impl Rows<'_> {
    /// The next row whose position is not behind `end`.
    async fn next_until(&mut self, end: i64) -> Result<Option<RawAuditRow>, AuditError> {
        if self.queue.is_empty() && !self.is_over {
            let rows = self.archive.rows(self.chain, (self.last.0, &self.last.1), ROWS).await?;
            match rows.last() {
                None => self.is_over = true,
                Some(row) => self.last = (row.position.unwrap_or_default(), row.id.clone()),
            }
            self.queue.extend(rows);
        }
        Ok(self.queue.pop_front_if(|row| row.position.unwrap_or_default() <= end))
    }
}
