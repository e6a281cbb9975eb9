//! Guessing passwords gets slower with each miss: for one account from anywhere, and from one network for any account.
//!
//! A guess is counted before its outcome is known and taken back when it was right, so that guesses made at once gain nothing. Accounts
//! that do not exist are counted like those that do. The delay of an account stays short, because anybody can bring it about.

use chrono::TimeDelta;
use store::{Allowance, AttemptBucket, Settlement, Store, StoreError, SystemScope, Write, WriteContext};

use crate::AuthError;
use crate::sign_up::canonical_email;

const ACCOUNT: Allowance = Allowance { free: 10, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(5) };
const ADDRESS: Allowance = Allowance { free: 50, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(15) };

/// A guess that has been counted.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    account: AttemptBucket,
    address: Option<AttemptBucket>,
}

fn account_bucket(email: &str) -> AttemptBucket {
    AttemptBucket::new("sign_in.account", &canonical_email(email), ACCOUNT)
}

/// An address that cannot be read is a network of its own.
fn network(ip: &str) -> String {
    ip.parse().map_or_else(|_| ip.to_owned(), domain::client_network)
}

impl Guess {
    /// Counts a guess at the password of this e-mail address from this network address.
    ///
    /// # Errors
    /// [`AuthError::TooManyAttempts`]: the guess is not heard, right or wrong, and does not count.
    pub async fn begin(store: &Store, email: &str, ip: Option<&str>) -> Result<Self, AuthError> {
        let guess =
            Self { account: account_bucket(email), address: ip.map(|ip| AttemptBucket::new("sign_in.address", &network(ip), ADDRESS)) };
        let buckets: Vec<AttemptBucket> = [Some(guess.account), guess.address].into_iter().flatten().collect();
        let write = store.system().write(WriteContext::internal()).await?;
        if let Some(until) = write.attempts().take(&buckets).await? {
            return Err(AuthError::TooManyAttempts { until });
        }
        write.commit().await?;
        Ok(guess)
    }

    /// The guess was right: the account begins anew, the address gets this one back.
    pub async fn was_right(&self, write: &Write<SystemScope>) -> Result<(), StoreError> {
        let account = Some((self.account, Settlement::Forget));
        let address = self.address.map(|address| (address, Settlement::GiveBack));
        let buckets: Vec<_> = account.into_iter().chain(address).collect();
        write.attempts().settle(&buckets).await
    }
}

/// Forgets all guesses at this account: its owner has proven to be there.
pub async fn forget(write: &Write<SystemScope>, email: &str) -> Result<(), StoreError> {
    write.attempts().settle(&[(account_bucket(email), Settlement::Forget)]).await
}
