//! The languages that the platform speaks with its users.

use serde::{Deserialize, Serialize};

/// A language of the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Fr,
}

impl Language {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::En, Self::Fr].into_iter().find(|language| language.as_str() == text)
    }
}
