//! Gives committed rows their seals, about every second, on one node at a time.

use std::time::Duration;

use domain::IdSource;
use store::{AuditSeal, Lease, NewAuditSeal, RowsDigest, Store, UnsealedAudit};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::memory::Memory;
use crate::{AuditError, SigningKey};

/// The work that one node at a time may do.
const LEASE: &str = "audit.seal";

/// How a sealer works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often it looks for rows. Default 1 s.
    pub every: Duration,
    /// How long the work stays this node's without a sign of life. Default 10 s.
    pub lease: Duration,
    /// Rows sealed at once. Default 1,000.
    pub batch: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), lease: Duration::from_secs(10), batch: 1_000 }
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No row waits.
    Idle,
    /// Another node seals.
    Elsewhere,
    /// So many rows have a seal now; `more`: others wait.
    Sealed { rows: usize, more: bool },
}

/// A node's sealer.
#[derive(Debug)]
pub struct Sealer {
    store: Store,
    key: SigningKey,
    options: Options,
    /// Unlike every other node's, and every earlier life's of this one.
    holder: String,
    /// Held for a whole step: steps come one after the other.
    memory: Mutex<Memory>,
}

impl Sealer {
    pub fn new(store: Store, key: SigningKey, options: Options) -> Self {
        let ids: &dyn IdSource = store.ids();
        let holder = format!("sealer-{}", ids.uuid().simple());
        Self { store, key, options, holder, memory: Mutex::default() }
    }

    /// Works until `stop`, then seals what is there and gives the lease back.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(self.options.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = tick.tick() => self.catch_up().await,
            }
        }
        self.catch_up().await;
        if let Err(error) = self.release().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not give back the lease of the audit log; it runs out");
        }
    }

    /// Steps until nothing waits. What fails is tried again at the next tick.
    async fn catch_up(&self) {
        loop {
            match self.step().await {
                Ok(Step::Sealed { more: true, .. }) => {}
                Ok(Step::Sealed { rows, more: false }) => return tracing::debug!(rows, "audit rows were sealed"),
                Ok(Step::Idle | Step::Elsewhere) => return,
                Err(error) => return tracing::error!(error = &error as &dyn std::error::Error, "could not seal the audit log"),
            }
        }
    }

    /// Seals the rows that are committed by now, at most [`Options::batch`].
    ///
    /// A chain that no longer contains the newest seal that this sealer has seen of it is left alone from then on.
    pub async fn step(&self) -> Result<Step, AuditError> {
        let (system, now) = (self.store.system(), self.store.clock().now());
        let mut memory = self.memory.lock().await;
        if memory.is_look_due(now) {
            memory.look(system.audit_heads().await?, now);
        }
        // A look costs nothing; an idle node writes nothing.
        if !system.has_unsealed_audit(&memory.refused()).await? {
            return Ok(Step::Idle);
        }
        let Some(lease) = self.hold().await? else {
            return Ok(Step::Elsewhere);
        };
        let unsealed = system.unsealed_audit(self.options.batch, &memory.refused()).await?;
        let found: usize = unsealed.iter().map(|chain| chain.rows.len()).sum();
        let mut seals = Vec::with_capacity(unsealed.len());
        for chain in unsealed {
            if self.goes_on(&memory, &chain).await? {
                seals.push(self.seal(chain));
            } else {
                memory.refuse(&chain.chain);
            }
        }
        let rows = seals.iter().map(|seal| seal.rows.len()).sum();
        let more = found >= self.options.batch as usize;
        if seals.is_empty() {
            return Ok(if more { Step::Sealed { rows, more } } else { Step::Idle });
        }
        let heads: Vec<_> = seals.iter().map(|NewAuditSeal { seal, .. }| (seal.chain.clone(), seal.number, seal.digest.clone())).collect();
        if !system.append_audit_seals(&lease, seals).await? {
            return Ok(Step::Elsewhere);
        }
        for (chain, number, digest) in heads {
            memory.remember(chain, number, digest);
        }
        Ok(Step::Sealed { rows, more })
    }

    /// Whether the chain still contains what this sealer has seen of it.
    async fn goes_on(&self, memory: &Memory, unsealed: &UnsealedAudit) -> Result<bool, AuditError> {
        let Some((number, digest)) = memory.head(&unsealed.chain) else { return Ok(true) };
        Ok(match &unsealed.head {
            Some(head) if head.number == *number => head.digest == *digest,
            // Another node has sealed since, or a commit of our own was told as lost.
            Some(head) if head.number > *number => {
                self.store.system().audit_seal_digest(&unsealed.chain, *number).await?.as_ref() == Some(digest)
            }
            _ => false,
        })
    }

    async fn hold(&self) -> Result<Option<Lease>, AuditError> {
        Ok(self.store.system().hold_lease(LEASE, &self.holder, self.options.lease).await?)
    }

    async fn release(&self) -> Result<(), AuditError> {
        if let Some(lease) = self.hold().await? {
            self.store.system().release_lease(&lease).await?;
        }
        Ok(())
    }

    fn seal(&self, unsealed: UnsealedAudit) -> NewAuditSeal {
        let UnsealedAudit { chain, org_id, app_id, head, rows } = unsealed;
        let (number, first_position, previous) = match head {
            Some(head) => (head.number + 1, head.last_position + 1, head.digest),
            None => (1, 1, AuditSeal::START.to_owned()),
        };
        let rows: Vec<_> = (first_position..).zip(rows).map(|(position, row)| row.placed(&chain, number, position)).collect();
        let mut digest = RowsDigest::default();
        for row in &rows {
            digest.add(row);
        }
        let row_count = digest.count();
        let mut seal = AuditSeal {
            chain,
            number,
            org_id,
            app_id,
            first_position,
            last_position: first_position + row_count - 1,
            row_count,
            rows_digest: digest.finish(),
            previous,
            digest: String::new(),
            key_id: self.key.id().to_owned(),
            signature: String::new(),
            sealed_at: self.store.clock().now().timestamp_millis(),
        };
        let computed = seal.computed();
        seal.digest = hex::encode(computed);
        seal.signature = self.key.sign(&computed);
        NewAuditSeal { seal, rows }
    }
}
