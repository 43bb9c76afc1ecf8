//! What must never be, judged at each effect from outside. One judgement compares with the shipped rules: what they say with
//! an approval, with what they say without.

use std::collections::BTreeSet;

use failover::incident::{Approval, Incident};
use failover::name::Name;
use failover::observation::NameView;
use failover::pin::{Decision, Verdict};
use failover::plan::{Mode, Plan};
use failover::record::RecordSet;
use failover::register::{ArmedBy, REPINS_MAX, Register};
use failover::rule::Rule;
use jiff::Timestamp;

use crate::databases::Database;
use crate::setting::{Sets, is_pinned, leads_to_dr, may_answer_primary, original, ttl_steps};
use crate::world::{Author, Hosted};

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Violation {
    /// A promotion though some name's pin was not at every name server, or clients of the primary had not drained.
    PromotedTooEarly,
    /// A second promotion of a database in an incident.
    PromotedTwice,
    /// A promotion that loses more than the plan allows.
    LostTooMuch,
    /// An incident was closed before every database took writes.
    ClosedTooEarly,
    /// A pin more in an incident than one, and one for each time that somebody undid it, up to the limit.
    PinnedTwice,
    /// A pin for an alarm from before a failback or a rejection.
    PinnedForOldAlarm,
    /// A function led users back to the primary.
    PrimaryAnswered,
    /// A function wrote while disarmed or paused, or pinned in shadow mode.
    WroteWhileOff,
    /// A batch of ours wrote the old primary's address while users are to be on DR.
    WroteOldPrimary,
    /// A function changed where users are sent without pinning.
    RehearsalMoved,
    /// An incident was closed over a database that was not promoted in it, and nobody had approved that.
    FalseEnd,
    /// An armed name whose alarm is not there, and no page.
    Unguarded,
    /// A failback would not restore the PRIMARY record, field by field.
    OriginalLost,
    /// A failback did not restore it.
    NotRestored,
    /// A failback left a name armed though databases in DR have no replica.
    ArmedWithoutReplica,
    /// A pin against a rule that no approval of this incident lifted, or may.
    SkippedRule,
    /// The failover health check is disabled, and nothing is left to enable it.
    CheckLeftDisabled,
    /// The failover health check of a maintenance that goes on is enabled.
    MaintenanceUndone,
}

impl Violation {
    /// The property that says it does not happen.
    #[must_use]
    pub const fn property(self) -> &'static str {
        match self {
            Self::PromotedTooEarly => {
                "no promotion unless every name's pin is at every name server and clients have drained"
            }
            Self::WroteOldPrimary => "no write of ours names the old primary before a failback",
            Self::RehearsalMoved => "a rehearsal changes nothing that users see",
            Self::FalseEnd => "FAILED OVER only after a promotion in this incident, or an approval that says so",
            Self::Unguarded => "an armed name whose alarm is not there decides a page",
            Self::PromotedTwice => "at most one promotion of a database in an incident",
            Self::LostTooMuch => {
                "no promotion that loses more than the plan allows, or nobody knows how much, unless approved"
            }
            Self::ClosedTooEarly => "no incident is closed before every database takes writes",
            Self::PinnedTwice => "at most one pin in an incident, and two more for what somebody undid",
            Self::PinnedForOldAlarm => "no pin for an alarm from before a failback or a rejection",
            Self::PrimaryAnswered => {
                "once pinned, no function lets name servers answer with the primary, whatever health checks say"
            }
            Self::WroteWhileOff => "nothing is written while disarmed or paused, nor pinned in shadow mode",
            Self::OriginalLost => "from every state with a pin a failback restores the PRIMARY record byte for byte",
            Self::NotRestored => "a failback restores the PRIMARY record byte for byte",
            Self::ArmedWithoutReplica => "a failback arms nothing while databases in DR have no replica",
            Self::SkippedRule => "no pin against a rule that was not lifted in this incident, or may not be",
            Self::CheckLeftDisabled => "a health check that a maintenance disabled is never left disabled after it",
            Self::MaintenanceUndone => "no function ends a maintenance that goes on",
        }
    }
}

/// What was seen of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct NameWatch {
    incident: Option<Incident>,
    pins: u8,
    /// How often somebody undid one.
    undone: u8,
    /// How often somebody pointed the SECONDARY record at another place in DR, and the pin may follow.
    moved: u8,
    /// How often somebody made the old primary the SECONDARY.
    swapped: u8,
    /// The first step of time at which nobody is sent to the primary by what some resolver may have kept.
    gone_at: u8,
    /// Name servers hold the pin.
    held: bool,
    /// When a failback or a rejection said that what rings is no reason any more, unless a person gave an order since.
    dismissed: Option<Timestamp>,
}

impl NameWatch {
    fn changed_by_hand(&mut self, name: &Name, before: &Sets, after: &Sets) {
        let is_led = |set: Option<&RecordSet>| set.map(leads_to_dr);
        let (from, to) = (before.primary(name), after.primary(name));
        self.undone += u8::from(self.incident.is_some() && from.is_some_and(is_pinned) && from != to);
        let (from, to) = (before.secondary(name), after.secondary(name));
        self.moved += u8::from(from != to && is_led(from).is_some() && is_led(to) == Some(true));
        self.swapped += u8::from(is_led(from) == Some(true) && is_led(to) == Some(false));
    }
}

/// What was seen so far, as far as a judgement needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    /// What must never be, and was.
    pub violations: BTreeSet<Violation>,
    /// By zone.
    names: Vec<Vec<NameWatch>>,
    /// How often each database was promoted in the incident.
    promotions: Vec<u8>,
}

impl Watch {
    /// Nothing yet.
    pub fn new(names: &[usize], databases: usize) -> Self {
        let names = names.iter().map(|count| vec![NameWatch::default(); *count]).collect();
        Self { violations: BTreeSet::new(), names, promotions: vec![0; databases] }
    }

    /// Something was seen that must never be.
    pub fn accuse(&mut self, violation: Violation) {
        self.violations.insert(violation);
    }

    /// How often somebody did something to a pair that may send users back.
    pub fn undone(&self) -> u8 {
        self.names.iter().flatten().map(|name| name.undone + name.swapped).sum()
    }

    /// Somebody wrote.
    pub fn wrote(
        &mut self,
        (plan, now): (&Plan, Timestamp),
        author: Author,
        zone: usize,
        (before, after): (&Sets, &Sets),
        (databases, is_approved): (&[Database], bool),
    ) {
        for (nth, (was, is)) in before.views.iter().zip(&after.views).enumerate() {
            let name = &is.name;
            let (from, to) = (before.primary(name), after.primary(name));
            match author {
                Author::Holdfast if was != is => {
                    let has_moved = from != to;
                    let may_write = may_write(plan, was.register(), is.register(), has_moved, now);
                    self.judge_records(zone, nth, is, (before, after));
                    self.judge(zone, nth, is, may_write, has_moved.then_some(to.is_some_and(is_pinned)));
                    self.judge_end((was, is), databases, is_approved);
                }
                Author::Hand => self.names[zone][nth].changed_by_hand(name, before, after),
                Author::Failback if was != is => {
                    if to != Some(&original(name)) {
                        self.accuse(Violation::NotRestored);
                    }
                    let is_armed = matches!(is.register(), Some(Register::Armed { .. }));
                    if is_armed && databases.iter().any(|database| *database != Database::Replica) {
                        self.accuse(Violation::ArmedWithoutReplica);
                    }
                    let seen = &mut self.names[zone][nth];
                    *seen = NameWatch {
                        gone_at: seen.gone_at,
                        held: seen.held,
                        dismissed: Some(now),
                        ..NameWatch::default()
                    };
                    self.promotions.fill(0);
                }
                Author::Order if was != is => {
                    let is_rejection = matches!(is.register(), Some(Register::Armed { by: ArmedBy::Rejection, .. }));
                    self.names[zone][nth].dismissed = is_rejection.then_some(now);
                }
                Author::Holdfast | Author::Order | Author::Failback => {}
            }
        }
    }

    /// A function wrote; what its batch makes of the name's records is compared with where users were before the pin.
    fn judge_records(&mut self, zone: usize, nth: usize, is: &NameView, (before, after): (&Sets, &Sets)) {
        if before.records(&is.name).eq(after.records(&is.name)) {
            return;
        }
        let (to, is_held) = (after.primary(&is.name), self.names[zone][nth].incident.is_some());
        if is_held && before.primary(&is.name) != to && to.is_some_and(|to| !leads_to_dr(to)) {
            self.accuse(Violation::WroteOldPrimary);
        }
        if is.register().and_then(Register::pin).is_none() {
            self.accuse(Violation::RehearsalMoved);
        }
    }

    /// A function wrote; `pins` is whether it moved the PRIMARY record, and if so to DR.
    fn judge(&mut self, zone: usize, nth: usize, is: &NameView, may: bool, pins: Option<bool>) {
        if !may {
            self.accuse(Violation::WroteWhileOff);
        }
        if pins == Some(false) {
            self.accuse(Violation::PrimaryAnswered);
        }
        let Some(pin) = is.register().and_then(Register::pin) else { return };
        if pins.is_none() {
            return;
        }
        let seen = &mut self.names[zone][nth];
        if seen.incident.as_ref() != Some(&pin.incident) {
            (seen.pins, seen.undone, seen.moved) = (0, 0, 0);
            if self.names.iter().flatten().all(|name| name.incident.as_ref() != Some(&pin.incident)) {
                self.promotions.fill(0);
            }
        }
        let seen = &mut self.names[zone][nth];
        seen.incident = Some(pin.incident.clone());
        seen.pins += 1;
        let is_too_often = seen.pins > 1 + seen.undone.min(REPINS_MAX) + seen.moved;
        // Whatever else armed it, an approval may say that the outage goes on (P08).
        let is_dismissed = seen.dismissed.is_some_and(|at| pin.incident.began <= at);
        if is_too_often {
            self.accuse(Violation::PinnedTwice);
        }
        if is_dismissed {
            self.accuse(Violation::PinnedForOldAlarm);
        }
    }

    fn judge_end(&mut self, (was, is): (&NameView, &NameView), databases: &[Database], is_approved: bool) {
        let is_closed = |view: &NameView| matches!(view.register(), Some(Register::FailedOver { .. }));
        if !is_closed(is) || is_closed(was) {
            return;
        }
        if !databases.iter().all(|database| database.takes_writes()) {
            self.accuse(Violation::ClosedTooEarly);
        }
        if !is_approved && !databases.iter().all(|database| database.was_promoted_in_this_incident()) {
            self.accuse(Violation::FalseEnd);
        }
    }

    /// A change is about to be at every name server of its zone.
    pub fn arrives(&mut self, time: u8, zone: usize, author: Author, before: &Sets, after: &Sets) {
        for (nth, view) in after.views.iter().enumerate() {
            let seen = &mut self.names[zone][nth];
            if let Some(steps) = ttl_steps(before, &view.name) {
                seen.gone_at = seen.gone_at.max(time + steps);
            }
            match may_answer_primary(after, &view.name) {
                false => seen.held = true,
                true if seen.held && author == Author::Holdfast => {
                    self.violations.insert(Violation::PrimaryAnswered);
                }
                true => seen.held = false,
            }
        }
    }

    /// RDS began to promote.
    pub fn promoted(&mut self, time: u8, zones: &[Hosted], database: usize, was_undone_since: bool) {
        let is_pinned = |view: &NameView| view.register().is_some_and(|register| register.pin().is_some());
        let was_safe = zones.iter().zip(&self.names).all(|(hosted, names)| {
            hosted.records.views.iter().zip(names).all(|(view, seen)| {
                is_pinned(view) && !may_answer_primary(&hosted.published, &view.name) && time >= seen.gone_at
            })
        });
        if !was_safe && !was_undone_since {
            self.accuse(Violation::PromotedTooEarly);
        }
        self.promotions[database] += 1;
        if self.promotions[database] > 1 {
            self.accuse(Violation::PromotedTwice);
        }
    }

    /// RDS gave a promotion up: there was none.
    pub fn promotion_failed(&mut self, database: usize) {
        self.promotions[database] = self.promotions[database].saturating_sub(1);
    }
}

/// Whether a function may write at all.
fn may_write(plan: &Plan, was: Option<&Register>, is: Option<&Register>, has_moved: bool, now: Timestamp) -> bool {
    let only_arms = !has_moved && matches!(is, Some(Register::Armed { .. }));
    let is_let = match was {
        None => only_arms,
        Some(Register::Disarmed { .. }) => false,
        Some(Register::Paused { until, .. }) => only_arms && *until <= now,
        Some(_) => is.is_some(),
    };
    is_let && !(has_moved && plan.mode == Mode::Shadow)
}

/// A pin was decided: `unaided` is what the shipped rules say of the same sight without an approval.
pub fn skips_a_rule(decision: &Decision, unaided: &Decision, approval: Option<&Approval>) -> Option<Violation> {
    let pins = |decision: &Decision| decision.row.verdict == Verdict::Pin;
    let approval = approval.filter(|approval| Some(&approval.incident) == unaided.incident.as_ref());
    let may_be_lifted = [Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::P15].contains(&unaided.row.id.rule);
    let was_lifted = may_be_lifted && approval.is_some();
    // What no approval may lift is nobody's business here unless there is one: others judge it by what it does.
    let is_judged_here = may_be_lifted || approval.is_some();
    (pins(decision) && !pins(unaided) && !was_lifted && is_judged_here).then_some(Violation::SkippedRule)
}
