//! Credentials that were good from an address before.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Mutex;

/// How many are remembered at least; twice as many at most, 16 bytes each.
const GENERATION: usize = 50_000;

/// An address that presents many bad credentials is heard no more for a while. Who was known from there before is: one client with a
/// revoked key must not lock out its neighbors behind the same address.
///
/// Holds hashes under a random key, so nothing in it can be made to collide or read back. Forgetting one costs its owner at most the
/// rest of the window in which the address is not heard.
#[derive(Debug, Default)]
pub struct Established {
    hasher: RandomState,
    /// The newer ones, and the older ones that go when the newer are many.
    generations: Mutex<[HashSet<u64>; 2]>,
}

impl Established {
    pub fn contains(&self, address: &str, credential: &str) -> bool {
        let hash = self.hasher.hash_one((address, credential));
        self.with(|generations| generations.iter().any(|generation| generation.contains(&hash)))
    }

    /// Keeps a credential that was good, and drops one that was not.
    pub fn note(&self, address: &str, credential: &str, is_good: bool) {
        let hash = self.hasher.hash_one((address, credential));
        self.with(|generations| {
            if !is_good {
                for generation in generations.iter_mut() {
                    generation.remove(&hash);
                }
            } else if !generations[0].contains(&hash) {
                if generations[0].len() >= GENERATION {
                    generations[1] = std::mem::take(&mut generations[0]);
                }
                generations[0].insert(hash);
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut [HashSet<u64>; 2]) -> T) -> T {
        act(&mut self.generations.lock().expect("nothing panics while it holds the generations"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_good_is_known_until_it_is_not_or_many_others_came() {
        let established = Established::default();
        established.note("203.0.113.7", "ask_1", true);
        assert!(established.contains("203.0.113.7", "ask_1"));
        assert!(!established.contains("203.0.113.8", "ask_1") && !established.contains("203.0.113.7", "ask_2"));
        established.note("203.0.113.7", "ask_1", false);
        assert!(!established.contains("203.0.113.7", "ask_1"));

        established.note("203.0.113.7", "ask_1", true);
        for number in 0..3 * GENERATION {
            established.note("203.0.113.9", &format!("ask_{number}"), true);
        }
        assert!(!established.contains("203.0.113.7", "ask_1"));
        assert!(established.contains("203.0.113.9", &format!("ask_{}", 3 * GENERATION - 1)));
        assert!(established.with(|generations| generations.iter().map(HashSet::len).sum::<usize>()) <= 2 * GENERATION);
    }
}
