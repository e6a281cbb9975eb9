//! What a sealer has seen of each chain, so that nobody can make it begin one anew.
//!
//! Whoever can write the database can remove seals, and the marks of the rows under them. A sealer that believed what it finds would
//! then sign whatever the rows say by now, with the genuine key. This one goes on only from what it has seen. It forgets at its end:
//! what was removed before a start is found by a pin, or by `verify` as seals that were made long after their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Timestamp;
use store::AuditHead;

/// How often all chains are looked at, also by a node that does not seal: it may have to take over.
const LOOK_EVERY: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The newest seal that was seen of each chain: its number and digest.
    heads: BTreeMap<String, (i64, String)>,
    refused: BTreeSet<String>,
    look_at: Option<Timestamp>,
}

impl Memory {
    /// Whether it is time to look at all chains; the first time at once.
    pub(crate) fn is_look_due(&self, now: Timestamp) -> bool {
        self.look_at.is_none_or(|at| at <= now)
    }

    /// Takes in the newest seal of every chain there is.
    pub(crate) fn look(&mut self, heads: Vec<AuditHead>, now: Timestamp) {
        let found: BTreeMap<_, _> = heads.into_iter().map(|head| (head.chain, (head.number, head.digest))).collect();
        let fallen: Vec<_> =
            self.heads.iter().filter(|(chain, known)| !reaches(found.get(*chain), known)).map(|(chain, _)| chain.clone()).collect();
        for chain in fallen {
            self.refuse(&chain);
        }
        for (chain, head) in found {
            if !self.refused.contains(&chain) {
                self.heads.insert(chain, head);
            }
        }
        self.look_at = Some(now + LOOK_EVERY);
    }

    /// The newest seal that was seen of the chain.
    pub(crate) fn head(&self, chain: &str) -> Option<&(i64, String)> {
        self.heads.get(chain)
    }

    pub(crate) fn remember(&mut self, chain: String, number: i64, digest: String) {
        self.heads.insert(chain, (number, digest));
    }

    /// Never seals this chain again, and says so once.
    pub(crate) fn refuse(&mut self, chain: &str) {
        if self.refused.insert(chain.to_owned()) {
            let seal = self.heads.get(chain).map_or(0, |(number, _)| *number);
            tracing::error!(
                audit.chain = chain,
                audit.seal = seal,
                "the chain {chain} of the audit log no longer contains its seal {seal}: somebody has changed the database past the server. \
                 Its rows are not sealed until a restart; keep the database as it is, and check it with `appstrate audit verify`"
            );
        }
    }

    /// The chains that are not sealed.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.iter().cloned().collect()
    }
}

/// Whether the newest seal that was found may stand behind the one that is known. One with a higher number may: another node made it.
fn reaches(found: Option<&(i64, String)>, known: &(i64, String)) -> bool {
    found.is_some_and(|found| found.0 > known.0 || found == known)
}
