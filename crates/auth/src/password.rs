//! Password hashes: Argon2id in PHC strings, computed off the runtime's threads and never more than a few at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::Secret;
use tokio::sync::Semaphore;

use crate::AuthError;

/// Costs of a hash. The defaults are OWASP's second recommendation: 19 MiB, two passes, one lane.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub memory_kib: u32,
    pub passes: u32,
    /// Hashes computed at once; each takes `memory_kib` and a core.
    pub parallel: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, parallel: 2 }
    }
}

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    hasher: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Checked against when there is no account, so that its absence takes as long as a wrong password.
    decoy: Arc<str>,
    computed: Arc<AtomicU64>,
}

impl Passwords {
    /// # Panics
    /// When the costs are outside what Argon2 allows: they are constants of the program.
    pub fn new(options: Options) -> Self {
        let params = Params::new(options.memory_kib, options.passes, 1, None).expect("costs are valid");
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash_now(&hasher, b"decoy").expect("hashing a constant works");
        Self { hasher, permits: Arc::new(Semaphore::new(options.parallel)), decoy: decoy.into(), computed: Arc::default() }
    }

    /// The PHC string of `password` with a fresh salt.
    pub async fn hash(&self, password: Secret) -> Result<String, AuthError> {
        let hasher = self.hasher.clone();
        self.compute(move || hash_now(&hasher, password.expose().as_bytes())).await?
    }

    /// Whether `password` belongs to `hash`. Without a hash it takes as long and says no.
    pub async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, AuthError> {
        let (hasher, decoy, computed) = (self.hasher.clone(), self.decoy.clone(), self.computed.clone());
        self.compute(move || {
            let known = hash.is_some();
            let text = hash.as_deref().unwrap_or(&decoy);
            let parsed = PasswordHash::new(text).map_err(|error| AuthError::Hash { message: error.to_string() })?;
            computed.fetch_add(1, Ordering::Relaxed);
            Ok(hasher.verify_password(password.expose().as_bytes(), &parsed).is_ok() && known)
        })
        .await?
    }

    /// How many hashes were computed to check a password, by this one and its clones. A check without a hash computes one as well,
    /// which shows nowhere else: no answer may tell.
    pub fn checks_computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AuthError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| AuthError::Stopped)?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        })
        .await
        .map_err(|_| AuthError::Stopped)
    }
}

fn hash_now(hasher: &Argon2<'_>, password: &[u8]) -> Result<String, AuthError> {
    hasher.hash_password(password).map(|hash| hash.to_string()).map_err(|error| AuthError::Hash { message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_only() {
        let passwords = Passwords::new(Options { memory_kib: 64, passes: 1, parallel: 1 });
        let hash = passwords.hash("correct horse".into()).await.expect("hashes");
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.expect("verifies"));
        assert!(!passwords.verify("wrong horse".into(), Some(hash)).await.expect("verifies"));
        assert!(!passwords.verify("decoy".into(), None).await.expect("verifies"), "the decoy opens nothing");
    }

    /// Algorithm, version and costs, which stand in a hash before its salt.
    fn costs(hash: &str) -> &str {
        hash.rsplitn(3, '$').last().expect("a hash")
    }

    /// A check reads its costs from the hash that it is given.
    #[tokio::test]
    async fn a_check_without_a_hash_computes_as_many_as_one_with_it_at_the_same_costs() {
        let passwords = Passwords::new(Options { memory_kib: 64, passes: 3, parallel: 1 });
        let hash = passwords.hash("correct horse".into()).await.expect("hashes");
        assert_eq!((costs(&passwords.decoy), costs(&hash)), ("$argon2id$v=19$m=64,t=3,p=1", "$argon2id$v=19$m=64,t=3,p=1"));
        for (hash, computed) in [(Some(hash), 1), (None, 2)] {
            passwords.verify("wrong horse".into(), hash).await.expect("verifies");
            assert_eq!(passwords.checks_computed(), computed);
        }
    }
}
