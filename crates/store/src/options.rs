//! What a store is opened with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, IdSource, Secret};

use crate::{Nodes, Sealer};

/// How to open a [`crate::Store`].
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite://path?mode=rwc` or `postgres://…`.
    pub database_url: Secret,
    /// The folder of blobs; made if it does not exist.
    pub blobs: PathBuf,
    /// SQLite: connections that read, beside the one that writes. PostgreSQL: the size of the pool, at least 2. Default 8.
    pub connections: u32,
    pub clock: Arc<dyn Clock>,
    /// Follow the clock of a PostgreSQL server, so that nodes agree on leases. Default off; production turns it on.
    pub follow_database_clock: bool,
    pub ids: Arc<dyn IdSource>,
    /// Seals the bodies of idempotency records.
    pub sealer: Arc<dyn Sealer>,
    /// How often the last use of keys is written down. Default 5 s.
    pub last_used_every: Duration,
    /// How this node and others on the same database wake each other. Default: not at all.
    pub nodes: Nodes,
    /// How often readers look for what no wake has told them. Default 3 s.
    pub look_every: Duration,
    /// Tables whose filter is left out, so that a test can prove that row-level security holds alone.
    #[cfg(feature = "unlock")]
    pub unlocked: Vec<&'static str>,
    /// Where a test lets writes fail.
    #[cfg(feature = "failpoints")]
    pub failpoints: Arc<crate::failpoints::Failpoints>,
}

impl Options {
    /// Options with defaults for everything that has one.
    pub fn new(database_url: impl Into<Secret>, blobs: impl Into<PathBuf>, sealer: Arc<dyn Sealer>) -> Self {
        Self {
            database_url: database_url.into(),
            blobs: blobs.into(),
            connections: 8,
            clock: Arc::new(domain::SystemClock),
            follow_database_clock: false,
            ids: Arc::new(domain::RandomIds),
            sealer,
            last_used_every: Duration::from_secs(5),
            nodes: Nodes::Alone,
            look_every: Duration::from_secs(3),
            #[cfg(feature = "unlock")]
            unlocked: Vec::new(),
            #[cfg(feature = "failpoints")]
            failpoints: Arc::default(),
        }
    }
}
