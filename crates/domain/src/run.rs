//! The states of a run and the moves between them.

use serde::{Deserialize, Serialize};

/// Where a run stands. `pending` covers queueing and preparation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(example = "success"))]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    Pending,
    Running,
    Success,
    Failed,
    Timeout,
    Cancelled,
}

impl RunStatus {
    pub const ALL: [Self; 6] = [Self::Pending, Self::Running, Self::Success, Self::Failed, Self::Timeout, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the run is over. A run ends exactly once.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Timeout | Self::Cancelled)
    }

    /// The whole transition table. A pending run can fail (preparation) or be cancelled, but cannot succeed or time out.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Running | Self::Failed | Self::Cancelled)
                | (Self::Running, Self::Success | Self::Failed | Self::Timeout | Self::Cancelled)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_run_never_moves() {
        for from in RunStatus::ALL.into_iter().filter(|status| status.is_ended()) {
            assert!(RunStatus::ALL.into_iter().all(|next| !from.may_become(next)));
        }
    }

    #[test]
    fn every_status_parses_back() {
        assert!(RunStatus::ALL.into_iter().all(|status| RunStatus::parse(status.as_str()) == Some(status)));
    }
}
