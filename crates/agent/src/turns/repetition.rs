//! Notices a model that makes the same call again and again and learns nothing from it.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use wire::hands::ToolOutcome;
use wire::message::ToolCall;

/// Calls that are remembered.
const WINDOW: usize = 40;
const NUDGE_AT: usize = 3;
const GIVE_UP_AT: usize = 6;

#[derive(Default)]
pub(super) struct Repetition {
    recent: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Fine,
    /// The model should be told.
    Nudge,
    GiveUp,
}

impl Repetition {
    /// Counts how often the same call with the same arguments had the same result lately.
    pub(super) fn observe(&mut self, call: &ToolCall, outcome: &ToolOutcome) -> Verdict {
        let mut hasher = DefaultHasher::new();
        call.name.hash(&mut hasher);
        call.arguments.to_string().hash(&mut hasher);
        serde_json::to_string(&outcome.content).unwrap_or_default().hash(&mut hasher);
        let print = hasher.finish();
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(print);
        match self.recent.iter().filter(|seen| **seen == print).count() {
            GIVE_UP_AT.. => Verdict::GiveUp,
            NUDGE_AT => Verdict::Nudge,
            _ => Verdict::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_same_result_counts_as_repetition() {
        let call = ToolCall { id: "1".to_owned(), name: "read".to_owned(), arguments: json!({"path": "a"}) };
        let mut repetition = Repetition::default();
        for number in 0..100 {
            assert_eq!(repetition.observe(&call, &ToolOutcome::text(format!("{number}"))), Verdict::Fine);
        }
        let verdicts: Vec<_> = (0..6).map(|_| repetition.observe(&call, &ToolOutcome::text("same"))).collect();
        assert_eq!(verdicts, [Verdict::Fine, Verdict::Fine, Verdict::Nudge, Verdict::Fine, Verdict::Fine, Verdict::GiveUp]);
    }
}
