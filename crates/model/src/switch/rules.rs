//! The decisions about the switch and the latch that ship, and what AWS is told to make of them.

use failover::change::{self, Write, WriteError};
use failover::hold;
use failover::incident::Incident;
use failover::latch::{self, Latch, Look, Stage};
use failover::observation::NameView;
use failover::outcome::{Finding, Trigger};
use failover::pin::{Observation, Verdict};
use failover::plan::Plan;
use jiff::Timestamp;

use super::checks::{Children, Heard, three_of_four};

/// Every decision that may be bent.
#[expect(clippy::type_complexity, reason = "these are the signatures of the functions named")]
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The template's switch.
    pub switch: fn(Children) -> bool,
    /// The template's alarm of the hold.
    pub holds: fn(Heard, u8) -> bool,
    /// `failover::change::write`.
    pub write: fn(&NameView, Verdict, Option<&Incident>, Timestamp) -> Result<Option<Write>, WriteError>,
    /// `failover::hold::heartbeat`.
    pub heartbeat: fn(Trigger, &Observation, &[Finding]) -> Option<bool>,
    /// `failover::latch::proves`.
    pub proves: fn(&Plan, &[NameView], &Look) -> bool,
    /// `failover::latch::stands_in`.
    pub stands_in: fn(&Plan, &Latch, &NameView) -> NameView,
    /// Which step a point tells of: that of the question, or that in which it arrives.
    pub stamp: fn(u8, u8) -> u8,
    /// Whether what arrives twice may count twice.
    pub hear_again: bool,
    /// Whether a failed read of the store is no word of the latch.
    pub failed_read_is_no_word: bool,
    /// Whether the hold is told before anything is done, by what is decided.
    pub forecasts: bool,
    /// Whether the store says `promoting` before anything is promoted.
    pub begins: bool,
    /// Whether a person's lifting compares.
    pub lifting_compares: bool,
    /// Whether `holdfast unlatch` may lift a latch by what it has seen. The command line once let a person lift any that no name was in: see
    /// "What it found" in `docs/proof.md`.
    pub may_unlatch: fn(&Unlatching<'_>) -> bool,
    /// What a failback awaits of CloudWatch's word of the latch that it lifted at a step, beside what name servers show. The command line
    /// once awaited nothing: see "What it found" in `docs/proof.md`.
    pub failback_awaits: fn(u8, Heard) -> bool,
    /// Whether the latch is lifted once the pin is in sync.
    pub pin_replaces_latch: bool,
}

/// What `holdfast unlatch` has seen.
#[derive(Debug)]
pub struct Unlatching<'a> {
    /// The latch.
    pub latch: &'a Latch,
    /// The names.
    pub names: &'a [NameView],
    /// Whether Route 53's API told of them.
    pub is_listed: bool,
    /// When.
    pub now: Timestamp,
}

impl Rules {
    /// What ships.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            switch: three_of_four,
            holds: Heard::holds,
            write: change::write,
            heartbeat: hold::heartbeat,
            proves: |plan, names, look| latch::proves(plan, names, look).is_ok(),
            stands_in: latch::stands_in,
            stamp: |asked, _| asked,
            hear_again: false,
            failed_read_is_no_word: true,
            forecasts: false,
            begins: true,
            lifting_compares: true,
            may_unlatch: |seen| match seen.latch.stage {
                Stage::Committed => true,
                Stage::Promoting => seen.is_listed && seen.latch.is_left(seen.names, seen.now),
                Stage::FailedOver { .. } => false,
            },
            failback_awaits: |lifted, heard| lifted < heard.latch.0 && !heard.latch.1,
            pin_replaces_latch: false,
        }
    }
}
