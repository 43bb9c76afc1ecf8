//! What must never be, judged at each effect from outside. One judgement compares with the shipped rules: what they say with an
//! approval, with what they say without.

use failover::incident::Incident;
use failover::pin::{Decision, Verdict};
use failover::register::{ArmedBy, Register};
use failover::rule::Rule;
use jiff::Timestamp;

use crate::world::{Author, Records, World, original, pinned};

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Violation {
    /// A promotion though the pin was not at every name server, or clients of the primary had not drained.
    PromotedTooEarly,
    /// A second promotion in an incident.
    PromotedTwice,
    /// A pin more in an incident than one, and one for each time that somebody undid it, up to the limit.
    PinnedTwice,
    /// A pin for an alarm from before a failback or a rejection.
    PinnedForOldAlarm,
    /// A function led users back to the primary.
    PrimaryAnswered,
    /// A function wrote while disarmed or paused.
    WroteWhileOff,
    /// The register does not hold what restores the PRIMARY record, field by field.
    OriginalLost,
    /// A failback did not restore it.
    NotRestored,
    /// A pin against a rule that no approval had lifted, or may.
    SkippedRule,
}

impl Violation {
    /// The property that says it does not happen.
    #[must_use]
    pub fn property(self) -> &'static str {
        match self {
            Self::PromotedTooEarly => "no promotion unless the pin is at every name server and clients have drained",
            Self::PromotedTwice => "at most one promotion in an incident",
            Self::PinnedTwice => "at most one pin in an incident, and two more for what somebody undid",
            Self::PinnedForOldAlarm => "no pin for an alarm from before a failback or a rejection",
            Self::PrimaryAnswered => "no function leads users back to the primary",
            Self::WroteWhileOff => "nothing is written while disarmed or paused",
            Self::OriginalLost => "the register always holds what restores the PRIMARY record",
            Self::NotRestored => "a failback restores the PRIMARY record field by field",
            Self::SkippedRule => "no pin against a rule that was not lifted, or may not be",
        }
    }
}

/// How often somebody's undoing of a pin is answered by another one.
const REPINS: u8 = failover::register::REPINS_MAX;

/// What was seen so far, as far as a judgement needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The first thing that must never be.
    pub violation: Option<Violation>,
    /// Pins in the incident, and how often somebody undid one.
    pins: (u8, u8),
    promotions: u8,
    incident: Option<Incident>,
    /// The last step of time at which name servers led to the primary.
    reachable: u8,
    /// Name servers hold the pin.
    held: bool,
}

impl Watch {
    fn accuse(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    /// Somebody wrote.
    pub fn wrote(&mut self, now: Timestamp, author: Author, before: &Records, after: &Records) {
        let (was, is) = (World::primary(before), World::primary(after));
        let (original, pinned) = (original(), pinned());
        match author {
            Author::Holdfast => self.holdfast_wrote(now, before, after),
            Author::Hand if was == Some(&pinned) && is != Some(&pinned) => self.pins.1 += 1,
            Author::Failback if is != Some(&original) => self.accuse(Violation::NotRestored),
            Author::Failback => (self.pins, self.promotions, self.incident) = ((0, 0), 0, None),
            Author::Hand | Author::Order => {}
        }
    }

    fn holdfast_wrote(&mut self, now: Timestamp, before: &Records, after: &Records) {
        let (was, is) = (World::view(before), World::view(after));
        let has_moved = World::primary(before) != World::primary(after);
        let only_arms = !has_moved && matches!(is.register(), Some(Register::Armed { .. }));
        let may_write = match was.register() {
            None => only_arms,
            Some(Register::Disarmed { .. }) => false,
            Some(Register::Paused { until, .. }) => only_arms && *until <= now,
            Some(_) => true,
        };
        if !may_write {
            self.accuse(Violation::WroteWhileOff);
        }
        if has_moved && World::primary(after) != Some(&pinned()) {
            self.accuse(Violation::PrimaryAnswered);
        }
        if is.register().is_none() {
            self.accuse(Violation::OriginalLost);
        }
        let Some(pin) = is.register().and_then(Register::pin) else { return };
        if has_moved {
            self.pinned(pin.incident.clone());
            // Whatever else armed it, an approval may say that the outage goes on (P08).
            let dismissed = [ArmedBy::Failback, ArmedBy::Rejection];
            if matches!(was.register(), Some(Register::Armed { since, by }) if dismissed.contains(by) && pin.incident.began <= *since)
            {
                self.accuse(Violation::PinnedForOldAlarm);
            }
        }
        if pin.original.get("A") != Some(&original().target) || pin.original.len() != 1 {
            self.accuse(Violation::OriginalLost);
        }
    }

    fn pinned(&mut self, incident: Incident) {
        if self.incident.as_ref() != Some(&incident) {
            (self.pins, self.promotions) = ((0, 0), 0);
            self.incident = Some(incident);
        }
        self.pins.0 += 1;
        if self.pins.0 > 1 + self.pins.1.min(REPINS) {
            self.accuse(Violation::PinnedTwice);
        }
    }

    /// A change is about to be at every name server.
    pub fn arrives(&mut self, time: u8, author: Author, before: &Records, after: &Records) {
        let pinned = pinned();
        if World::primary(before) != Some(&pinned) {
            self.reachable = time;
        }
        match World::primary(after) == Some(&pinned) {
            true => self.held = true,
            false if self.held && author == Author::Holdfast => self.accuse(Violation::PrimaryAnswered),
            false => self.held = false,
        }
    }

    /// How often somebody undid the pin.
    pub fn undone(&self) -> u8 {
        self.pins.1
    }

    /// RDS began to promote.
    pub fn promoted(&mut self, time: u8, published: &Records, register: Option<&Register>, was_undone_since: bool) {
        let is_published = World::primary(published) == Some(&pinned());
        let is_pinned = register.is_some_and(|register| register.pin().is_some());
        let was_safe = is_published && is_pinned && time > self.reachable;
        if !was_safe && !was_undone_since {
            self.accuse(Violation::PromotedTooEarly);
        }
        self.promotions += 1;
        if self.promotions > 1 {
            self.accuse(Violation::PromotedTwice);
        }
    }

    /// A pin was decided: `unaided` is what the shipped rules say without an approval, of the same sight.
    pub fn decided(&mut self, decision: &Decision, unaided: &Decision, lifted: &[Rule]) {
        let pins = |decision: &Decision| matches!(decision.row.verdict, Verdict::Pin);
        let may_be_lifted = [Rule::P08, Rule::P09, Rule::P10, Rule::P12].contains(&unaided.row.rule);
        let was_lifted = may_be_lifted && lifted.contains(&unaided.row.rule);
        // What no approval may lift is nobody's business here unless there is one: others judge it by what it does.
        if pins(decision) && !pins(unaided) && !was_lifted && (may_be_lifted || !lifted.is_empty()) {
            self.accuse(Violation::SkippedRule);
        }
    }
}
