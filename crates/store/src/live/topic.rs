//! What can be waited for.

use std::fmt;
use std::str::FromStr;

use domain::id::InvalidId;
use domain::{AppId, EndUserId, RunId};

/// What a reader waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// An event of one run.
    Run(RunId),
    /// Any event of one application.
    Application(AppId),
    /// Any event of one end-user.
    EndUser(EndUserId),
    /// A request to stop one run.
    Cancel(RunId),
    /// A job that may be due.
    Jobs,
}

const CANCEL: &str = "cancel:";
const JOBS: &str = "jobs";

/// As nodes tell it each other: no spaces.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(id) => write!(f, "{id}"),
            Self::Application(id) => write!(f, "{id}"),
            Self::EndUser(id) => write!(f, "{id}"),
            Self::Cancel(id) => write!(f, "{CANCEL}{id}"),
            Self::Jobs => f.write_str(JOBS),
        }
    }
}

impl FromStr for Topic {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == JOBS {
            return Ok(Self::Jobs);
        }
        if let Some(id) = text.strip_prefix(CANCEL) {
            return id.parse().map(Self::Cancel);
        }
        match text.split_once('_').map(|(prefix, _)| prefix) {
            Some(AppId::PREFIX) => text.parse().map(Self::Application),
            Some(EndUserId::PREFIX) => text.parse().map(Self::EndUser),
            _ => text.parse().map(Self::Run),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::RandomIds;

    use super::*;

    #[test]
    fn a_topic_survives_its_text() {
        let run = RunId::new(&RandomIds);
        let topics = [
            Topic::Run(run),
            Topic::Application(AppId::new(&RandomIds)),
            Topic::EndUser(EndUserId::new(&RandomIds)),
            Topic::Cancel(run),
            Topic::Jobs,
        ];
        for topic in topics {
            assert_eq!(topic.to_string().parse(), Ok(topic));
            assert!(!topic.to_string().contains(' '));
        }
        assert!("key_01jd9xq3e8f2t8v0k3m5n7p9r1".parse::<Topic>().is_err());
    }
}
