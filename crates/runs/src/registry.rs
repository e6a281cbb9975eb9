//! The runs that this process carries out now, and the way to tell them to stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::RunId;
use store::{HeldLease, RunLease};

use crate::endings;
use crate::executor::Control;

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    runs: Arc<Mutex<HashMap<RunId, Entry>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    lease: RunLease,
    control: Control,
}

/// A run's place in the registry, until dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    registry: Registry,
    lease: RunLease,
    pub(crate) control: Control,
}

impl Registry {
    pub(crate) fn enter(&self, lease: &RunLease) -> Registered {
        let control = Control::default();
        let entry = Entry { lease: lease.clone(), control: control.clone() };
        if let Some(older) = self.runs().insert(lease.run(), entry) {
            // This process has lost the run and claimed it again; the older hold is void.
            older.control.lost.cancel();
        }
        Registered { registry: self.clone(), lease: lease.clone(), control }
    }

    pub(crate) fn len(&self) -> usize {
        self.runs().len()
    }

    pub(crate) fn leases(&self) -> Vec<RunLease> {
        self.runs().values().map(|entry| entry.lease.clone()).collect()
    }

    /// Tells a run to stop because somebody has asked for it. `false`: it is not here.
    pub(crate) fn cancel(&self, run: RunId) -> bool {
        let runs = self.runs();
        let found = runs.get(&run);
        if let Some(entry) = found {
            entry.control.cancel.request(endings::cancelled());
        }
        found.is_some()
    }

    /// Tells every run to stop because the server does.
    pub(crate) fn stop_all(&self) {
        self.runs().values().for_each(|entry| entry.control.cancel.request(endings::server_stopping()));
    }

    /// Compares the leases that were to be extended with those that were: a missing one is lost.
    pub(crate) fn extended(&self, asked: &[RunLease], held: &[HeldLease]) {
        let runs = self.runs();
        for lease in asked {
            // A run that has ended meanwhile is no longer here, or is here again under another lease.
            let Some(entry) = runs.get(&lease.run()).filter(|entry| entry.lease == *lease) else { continue };
            match held.iter().find(|held| held.run == lease.run()) {
                Some(held) if held.is_cancel_requested => entry.control.cancel.request(endings::cancelled()),
                Some(_) => {}
                None => entry.control.lost.cancel(),
            }
        }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Entry>> {
        self.runs.lock().expect("nothing panics while it holds the runs")
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut runs = self.registry.runs();
        if runs.get(&self.lease.run()).is_some_and(|entry| entry.lease == self.lease) {
            runs.remove(&self.lease.run());
        }
    }
}
