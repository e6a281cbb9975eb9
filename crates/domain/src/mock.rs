//! A clock that moves by hand and ids from a seed, for tests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::clock::{Clock, Timestamp};
use crate::id::IdSource;

/// A clock that stands still until a test moves it. Starts at 2026-11-21T12:00:00Z.
#[derive(Debug)]
pub struct MockClock(AtomicI64);

impl Default for MockClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_262_400_000))
    }
}

impl MockClock {
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a test does not move time by 292 million years");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        DateTime::<Utc>::from_timestamp_millis(self.0.load(Ordering::SeqCst)).expect("in range")
    }
}

/// Ids that count up from a seed: two runs of one test make the same ids, in the same order.
#[derive(Debug, Default)]
pub struct SeededIds {
    count: AtomicU64,
    noise: Mutex<u64>,
}

impl SeededIds {
    pub fn new(seed: u64) -> Self {
        Self { count: AtomicU64::new(0), noise: Mutex::new(seed) }
    }

    fn next_noise(&self) -> u64 {
        // SplitMix64 (Steele et al. 2014): enough to spread bits, predictable by design.
        let mut state = self.noise.lock().expect("no panic while held");
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl IdSource for SeededIds {
    fn uuid(&self) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let mut random = [0u8; 10];
        self.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(1_795_262_400_000 + count, &random).into_uuid()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let noise = self.next_noise().to_le_bytes();
            chunk.copy_from_slice(&noise[..chunk.len()]);
        }
    }
}
