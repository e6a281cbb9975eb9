//! Money in whole billionths of a dollar, so that sums are exact.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// An amount in nano-dollars (10⁻⁹ USD). Never negative in practice; saturates instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    pub const ZERO: Self = Self(0);

    /// Dollars as a float, for display fields that are documented as approximate.
    #[expect(clippy::cast_precision_loss, reason = "the exact value travels beside it as costNanoUsd")]
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The price of `tokens` at `dollars_per_million` dollars for a million tokens, rounded to the nearest nano-dollar.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "prices and token counts are far below 2^53")]
    pub fn for_tokens(tokens: u64, dollars_per_million: f64) -> Self {
        Self((tokens as f64 * dollars_per_million * 1e3).round() as i64)
    }
}

impl Add for NanoUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_dollars_per_million_is_three_thousand_nano_dollars_a_token() {
        assert_eq!(NanoUsd::for_tokens(1, 3.0), NanoUsd(3_000));
        assert_eq!(NanoUsd::for_tokens(1_000_000, 3.0), NanoUsd(3_000_000_000));
    }
}
