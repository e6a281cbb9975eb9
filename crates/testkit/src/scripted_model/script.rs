//! The steps of a script.

use std::time::Duration;

use serde_json::Value;

/// A tool call that the script makes the model ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: String,
    pub arguments: Value,
}

/// One answer of the scripted model.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Answer {
        text: String,
        calls: Vec<Call>,
    },
    /// Waits, then answers.
    After {
        delay: Duration,
        then: Box<Step>,
    },
    /// An HTTP error, with `Retry-After` in seconds.
    Refuse {
        status: u16,
        retry_after: Option<u64>,
    },
    /// An HTTP error whose message holds the request's headers, the key among them.
    Reflect {
        status: u16,
    },
    /// A stream that is no protocol.
    Garbage,
    /// Headers, then nothing.
    Hang,
    /// Half an answer, then the connection breaks.
    Cut {
        text: String,
    },
}

/// The model says `text` and stops.
pub fn say(text: &str) -> Step {
    Step::Answer { text: text.to_owned(), calls: Vec::new() }
}

/// The model asks for one tool call.
pub fn call(name: &str, arguments: Value) -> Step {
    Step::Answer { text: String::new(), calls: vec![Call { name: name.to_owned(), arguments }] }
}

impl Step {
    /// Adds another call to the same turn.
    #[must_use]
    pub fn and(self, name: &str, arguments: Value) -> Self {
        match self {
            Self::Answer { text, mut calls } => {
                calls.push(Call { name: name.to_owned(), arguments });
                Self::Answer { text, calls }
            }
            other => other,
        }
    }

    /// The same answer, later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After { delay: delay.min(super::MAX_DELAY), then: Box::new(self) }
    }
}
