//! What people are told was seen, and how loudly.

use serde::{Deserialize, Serialize};

/// One thing seen, for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub about: String,
    /// What was seen.
    pub seen: String,
}

impl Fact {
    /// A fact in words.
    pub fn new(about: impl Into<String>, seen: impl ToString) -> Self {
        Self { about: about.into(), seen: seen.to_string() }
    }
}

/// How much a decision deserves a person's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attention {
    /// Logs only.
    None,
    /// Worth a message.
    Notice,
    /// Worth waking someone.
    Page,
}
