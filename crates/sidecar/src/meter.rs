//! Money: every model call's ledger row is opened before the call and settled after it, whatever the run's end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use agent::{Ledger, PortLost, Settlement};
use async_trait::async_trait;
use domain::NanoUsd;
use wire::control::{FromSidecar, LedgerState};
use wire::message::Usage;

use crate::control::Control;

/// The ledger of one run, over the worker. Remembers what is open.
#[derive(Debug)]
pub struct Meter {
    control: Arc<Control>,
    open: Mutex<BTreeMap<u64, NanoUsd>>,
}

impl Meter {
    pub fn new(control: Arc<Control>) -> Self {
        Self { control, open: Mutex::default() }
    }

    /// Settles what a loop that broke off has left open, as estimated at what was reserved. Gives the sum.
    pub async fn close(&self) -> Result<NanoUsd, PortLost> {
        let left = std::mem::take(&mut *self.lock());
        let mut sum = NanoUsd::ZERO;
        for (entry, cost) in left {
            sum += cost;
            let state = LedgerState::Estimated;
            self.control.commit(|number| FromSidecar::LedgerSettle { number, entry, usage: Usage::default(), cost, state }).await?;
        }
        Ok(sum)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, NanoUsd>> {
        self.open.lock().expect("no panic while held")
    }
}

#[async_trait]
impl Ledger for Meter {
    async fn open(&self, entry: u64, reserved: NanoUsd) -> Result<(), PortLost> {
        // Remembered first: a run that is cut while the row commits still settles it.
        self.lock().insert(entry, reserved);
        self.control.commit(|number| FromSidecar::LedgerOpen { number, entry, reserved }).await
    }

    async fn settle(&self, entry: u64, settlement: Settlement) -> Result<(), PortLost> {
        let Settlement { usage, cost, state } = settlement;
        self.control.commit(|number| FromSidecar::LedgerSettle { number, entry, usage, cost, state }).await?;
        self.lock().remove(&entry);
        Ok(())
    }
}
