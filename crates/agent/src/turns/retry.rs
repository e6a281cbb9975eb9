//! Which model errors are worth another try, and when.

use std::time::Duration;

use crate::model::{ModelError, ModelErrorKind};

/// Tries of one call, the first included.
pub(super) const MAX_TRIES: u32 = 4;
const MAX_TRIES_GARBAGE: u32 = 2;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// How many tries a kind of error gets in all.
pub(super) const fn tries(kind: ModelErrorKind) -> u32 {
    match kind {
        ModelErrorKind::Authentication | ModelErrorKind::Rejected | ModelErrorKind::ContextTooLong => 1,
        ModelErrorKind::Garbage => MAX_TRIES_GARBAGE,
        ModelErrorKind::RateLimited
        | ModelErrorKind::Overloaded
        | ModelErrorKind::Server
        | ModelErrorKind::Unreachable
        | ModelErrorKind::TimedOut => MAX_TRIES,
    }
}

/// The pause before the try after number `failed` (from 1); `None`: give up.
///
/// Doubles from one second up to thirty, of which `jitter` (0 to 1) takes up to a half away; never shorter than the provider's `Retry-After`.
pub(super) fn delay(error: &ModelError, failed: u32, jitter: f64) -> Option<Duration> {
    if failed >= tries(error.kind) {
        return None;
    }
    let backoff = FIRST_DELAY.saturating_mul(1 << (failed - 1).min(8)).min(MAX_DELAY);
    let backoff = backoff.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
    Some(error.retry_after.map_or(backoff, |wanted| wanted.max(backoff)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refusals_are_final_and_garbage_gets_one_more_try() {
        for kind in [ModelErrorKind::Authentication, ModelErrorKind::Rejected, ModelErrorKind::ContextTooLong] {
            assert_eq!(delay(&ModelError::new(kind, ""), 1, 0.0), None);
        }
        let garbage = ModelError::new(ModelErrorKind::Garbage, "");
        assert!(delay(&garbage, 1, 0.0).is_some());
        assert_eq!(delay(&garbage, 2, 0.0), None);
    }

    #[test]
    fn pauses_double_and_honor_retry_after() {
        let mut error = ModelError::new(ModelErrorKind::Overloaded, "");
        let pauses: Vec<_> = (1..=4).map(|failed| delay(&error, failed, 0.0)).collect();
        assert_eq!(pauses, [Some(Duration::from_secs(1)), Some(Duration::from_secs(2)), Some(Duration::from_secs(4)), None]);
        error.retry_after = Some(Duration::from_secs(90));
        assert_eq!(delay(&error, 1, 0.5), Some(Duration::from_secs(90)));
    }

    proptest! {
        #[test]
        fn jitter_takes_at_most_half_away(failed in 1u32..4, jitter in 0.0f64..=1.0) {
            let error = ModelError::new(ModelErrorKind::RateLimited, "");
            let full = delay(&error, failed, 0.0).expect("retried");
            let cut = delay(&error, failed, jitter).expect("retried");
            prop_assert!(cut <= full && cut >= full / 2);
        }
    }
}
