//! What a simulated outage is judged by.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// What must never be, what must come to be in time, and what people must hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// No promotion unless every name is pinned, at every name server, or every name server shows the latch, and clients have drained.
    PromotedTooEarly,
    /// One promotion a database.
    PromotedTwice,
    /// No promotion that may lose more than the plan allows, unless a person's approval lifts R07.
    PromotedAtALoss,
    /// One pin a name and incident, and one more for each time that a person undid it, up to the limit.
    PinnedTwice,
    /// No pin for an alarm that rang before the name was failed back, or a person rejected the incident.
    PinnedForOldAlarm,
    /// No pin for an incident in which no alarm of ours rang and that no person declared.
    PinnedForNothing,
    /// No pin that a rule holds back (settle time, cool-down, either probe, approval mode), unless an approval lifts that rule
    /// or another name of the workload is pinned in the same incident.
    PinnedUnapproved,
    /// No incident is closed over a database that a person had promoted before the pin, unless an approval lifts R09, nor over one that
    /// does not take writes.
    FalseEnd,
    /// Once pinned, DNS never answers the primary, unless a person put it back.
    PrimaryAnswered,
    /// Nothing is written while disarmed, paused or in shadow mode, but an arming that is due.
    WroteWhileOff,
    /// What the register holds restores the PRIMARY record byte for byte.
    OriginalLost,
    /// Nothing but PRIMARY records' targets and registers is touched.
    ForeignRecordTouched,
    /// Nothing is armed while the failover health check, disabled for a maintenance, keeps DNS on the primary.
    ArmedUnchecked,
    /// An old writer is fenced only once every pin is at every name server, and what its security groups were is on record before.
    FencedTooEarly,
    /// An outage that lasts, or a pin once made, ends failed over within the bound; a fence then stands.
    NotFailedOver,
    /// Nothing is pinned that was switched off.
    PinnedThoughOff,
    /// Every transition, event, answer to an approval and promised repeat is told at least once, or left to the queue's alarm.
    NotTold,
    /// Nothing is told but what was promised: repeats come at growing intervals.
    ToldOutOfTurn,
    /// Every minute each function looks, so that a page that stays true is due when it was promised.
    DidNotLook,
    /// A latch is committed only for an incident that was decided by the pin rules, and never while some name on the switch is held.
    LatchedUndecided,
    /// Once every name server has shown the latch, DNS answers DR whatever returns, until a person lifts it.
    LatchedWentBack,
    /// While Holdfast lives and could see all it needs, nobody on the switch is moved but by a commit.
    MovedUncommitted,
    /// That users are on DR for good, and that the incident is closed, is heard though whoever did it died.
    EndNotTold,
}

impl Property {
    /// All of them, in this order.
    pub const ALL: [Self; 23] = [
        Self::PromotedTooEarly,
        Self::PromotedTwice,
        Self::PromotedAtALoss,
        Self::PinnedTwice,
        Self::PinnedForOldAlarm,
        Self::PinnedForNothing,
        Self::PinnedUnapproved,
        Self::FalseEnd,
        Self::PrimaryAnswered,
        Self::WroteWhileOff,
        Self::OriginalLost,
        Self::ForeignRecordTouched,
        Self::ArmedUnchecked,
        Self::FencedTooEarly,
        Self::NotFailedOver,
        Self::PinnedThoughOff,
        Self::NotTold,
        Self::ToldOutOfTurn,
        Self::DidNotLook,
        Self::LatchedUndecided,
        Self::LatchedWentBack,
        Self::MovedUncommitted,
        Self::EndNotTold,
    ];

    /// What holds, in words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::PromotedTooEarly => {
                "no promotion unless every name is pinned, or every name server shows the latch, and clients have drained"
            }
            Self::PromotedTwice => "one promotion a database",
            Self::PromotedAtALoss => {
                "no promotion that may lose more than the plan allows, unless a person approved that"
            }
            Self::PinnedTwice => "one pin a name and incident, and at most two more where a person undid it",
            Self::PinnedForOldAlarm => "no pin for an alarm from before the name was armed",
            Self::PinnedForNothing => "no pin unless an alarm of ours rang",
            Self::PinnedUnapproved => "no pin that a rule holds back and nobody approved",
            Self::FalseEnd => "no end over what nobody saw as a replica, unless a person approved that",
            Self::PrimaryAnswered => "once pinned, DNS never answers the primary, unless a person put it back",
            Self::WroteWhileOff => {
                "nothing is written while disarmed, paused or in shadow mode, but an arming that is due"
            }
            Self::OriginalLost => "what the register holds restores the PRIMARY record byte for byte",
            Self::ForeignRecordTouched => "nothing but PRIMARY records' targets and registers is touched",
            Self::ArmedUnchecked => "nothing is armed while the failover health check is disabled",
            Self::FencedTooEarly => "no fence before every pin is in sync and the security groups are on record",
            Self::NotFailedOver => "an outage that lasts, or a pin once made, ends failed over in time",
            Self::PinnedThoughOff => "what was switched off is not pinned",
            Self::NotTold => "every transition and every promised repeat is told at least once",
            Self::ToldOutOfTurn => "nothing is told out of turn: repeats come at growing intervals",
            Self::DidNotLook => "every minute each function looks",
            Self::LatchedUndecided => {
                "no latch but for a decided incident, and none while a name that it moves is held"
            }
            Self::LatchedWentBack => "once every name server shows the latch, DNS answers DR whatever returns",
            Self::MovedUncommitted => "while Holdfast lives nobody on the switch is moved but by a commit",
            Self::EndNotTold => "the pin and the end are heard, whoever died",
        }
    }
}

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// When it was seen.
    pub at: Timestamp,
    /// Which.
    pub property: Property,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NOT SO: {} ({:?}): {}", self.property.in_words(), self.property, self.what)
    }
}
