//! What one rule found about one name or database, and what came of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{Attention, Fact};
use crate::incident::Incident;
use crate::rule::{Id, Rule};

/// What happened, in one word that event rules can match. Their order is their weight: of two findings that are equally loud the later kind
/// leads (`Outcome::of`), so a new kind goes where it belongs and not to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Nothing was to be done.
    Nothing,
    /// Not yet.
    Waiting,
    /// A step around the failover would have been taken, and may not be.
    WouldStep,
    /// A step's resource is what it was before.
    StepUndone,
    /// Somebody else changed a step's resource, and it was left to them.
    StepLeft,
    /// What of DR was to be made ready is.
    Prepared,
    /// What was to be done after the failover is.
    AfterDone,
    /// A step around the failover could not be taken.
    StepFailed,
    /// The pin was rehearsed.
    Rehearsed,
    /// The name was armed.
    Armed,
    /// The pin was put on record as in sync.
    InSync,
    /// The name is on DR, and stays there.
    StaysOnDr,
    /// Shadow mode: what would have happened.
    WouldHavePinned,
    /// The conditions do not allow it now.
    Held,
    /// Something only a person can put right.
    Refused,
    /// An AWS call failed; the next tick goes on.
    Interrupted,
    /// Route 53 will not take a change as it is; nothing was changed.
    WriteRefused,
    /// A database cannot be promoted yet.
    DatabaseTrouble,
    /// A person must decide.
    ApprovalNeeded,
    /// Guarded, and something that a person should put right.
    AtRisk,
    /// Someone keeps undoing the pin; it was left to them.
    Yielded,
    /// What is written down as DR is where users were before the pin; it was left to people.
    Swapped,
    /// A pin was written once more, since no change was on record that carries it.
    Confirmed,
    /// DR's own address changed, and the pin with it.
    Followed,
    /// The pin was made again.
    PinnedAgain,
    /// The old writer takes no connections any more.
    Fenced,
    /// RDS was asked to promote.
    PromotionRequested,
    /// The failover is committed in DR's own store, and some name's pin is not written yet.
    Latched,
    /// The PRIMARY records were pinned to DR.
    Pinned,
    /// Every database is promoted: the incident is closed.
    FailedOver,
}

impl Kind {
    /// True for what happens once, as against a state that lasts: it is always told.
    #[must_use]
    pub fn is_transition(self) -> bool {
        match self {
            Self::StepUndone
            | Self::StepLeft
            | Self::Prepared
            | Self::AfterDone
            | Self::Armed
            | Self::Confirmed
            | Self::Followed
            | Self::PinnedAgain
            | Self::Fenced
            | Self::PromotionRequested
            | Self::Pinned
            | Self::FailedOver => true,
            Self::Nothing
            | Self::Waiting
            | Self::WouldStep
            | Self::StepFailed
            | Self::Rehearsed
            | Self::InSync
            | Self::StaysOnDr
            | Self::WouldHavePinned
            | Self::Held
            | Self::Refused
            | Self::Interrupted
            | Self::Latched
            | Self::WriteRefused
            | Self::DatabaseTrouble
            | Self::ApprovalNeeded
            | Self::AtRisk
            | Self::Yielded
            | Self::Swapped => false,
        }
    }
}

/// What woke the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The one-minute tick.
    Tick,
    /// A person's approval: whatever comes of it, the person is told.
    Approval,
    /// Anything else: something just happened.
    Event,
}

/// What one rule found about one name or database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which name or database.
    pub subject: String,
    /// What came of it.
    pub kind: Kind,
    /// The row, unless an AWS call failed before any could decide.
    pub id: Option<Id>,
    /// Its condition, or what went wrong.
    pub because: String,
    /// How loudly to say it.
    pub attention: Attention,
    /// The incident it belongs to.
    pub incident: Option<Incident>,
    /// Since when this has been so.
    pub since: Option<Timestamp>,
    /// What one approval would have to lift.
    pub despite: BTreeSet<Rule>,
    /// What was seen.
    pub facts: Vec<Fact>,
    /// What happens next.
    pub next: String,
}

impl Finding {
    /// The rule, unless an AWS call failed before any could decide.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        self.id.map(|id| id.rule)
    }
}
