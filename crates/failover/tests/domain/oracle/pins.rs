//! The pin rules, said a second time: each verdict with all that it needs, in no order. Of whatever is seen exactly one must hold.

use std::collections::BTreeSet;

use super::Sentence;
use super::sight::{ALARMS, Alarm, How, Place, REHEARSAL_MINUTE, Sight, State};
use crate::common::{at, incident};
use failover::incident::{AlarmState, EvaluationTrouble, Incident};
use failover::observation::Attention::{self, None as Quiet, Notice, Page};
use failover::observation::{ChangeStatus, Probe, Targets};
use failover::pin::Verdict;
use failover::plan::Mode;
use failover::register::ArmedBy;
use failover::rule::Rule;

/// A name is armed once all has been well for so long, and an alarm so soon after a change is asked about.
const SETTLE_SECONDS: i64 = 900;

/// Each verdict, and when it is the one.
pub const SENTENCES: &[Sentence<Sight, Verdict>] = &[
    (Verdict::Pin, |s| s.may_be_pinned() && s.acts() && (s.is_committed() || s.is_live() && s.hurdles().is_empty())),
    (Verdict::WouldPin, |s| s.may_be_pinned() && !s.acts() && s.is_live() && s.hurdles().is_empty()),
    (Verdict::Ask, |s| s.is_held_up() && (s.meets(Rule::P08) || !s.is_in_doubt())),
    (Verdict::Hold, |s| {
        let disagrees = s.is_held_up() && !s.meets(Rule::P08) && s.is_in_doubt();
        s.is_maintained() || disagrees
    }),
    (Verdict::Stay, |s| s.stands() && s.is_change_on_record()),
    (Verdict::Confirm, |s| s.stands() && !s.is_change_on_record()),
    (Verdict::LeaveSwapped, |s| s.drifted() && s.leads_home(s.records.secondary)),
    (Verdict::Follow, |s| s.drifted() && !s.leads_home(s.records.secondary) && s.only_dr_has_moved()),
    (Verdict::Repin, |s| s.was_undone() && s.repins() < 2),
    (Verdict::Yield, |s| s.was_undone() && s.repins() >= 2),
    (Verdict::Arm(ArmedBy::Settling), |s| s.is_to_be_armed() && !s.rehearses_pins()),
    (Verdict::ArmRehearsing(ArmedBy::Settling), |s| s.is_to_be_armed() && s.rehearses_pins()),
    (Verdict::Arm(ArmedBy::MaintenanceEnd), |s| s.is_ours() && s.pause_left().is_some_and(|left| left <= 0)),
    (Verdict::Rehearse, |s| s.is_due_for_rehearsal()),
    (Verdict::Remember, |s| s.keeps_watch() && s.has_alarms() && s.is_ttl_news()),
    (Verdict::Warn, |s| s.has_nothing_to_write() && !s.would_not_fail_over() && s.is_moved_by_others()),
    (Verdict::Refuse, |s| {
        let is_switched_off = s.is_off() && s.incident().is_some();
        let is_unarmable = s.is_never_armed() && s.cannot_be_armed();
        let is_useless = s.has_nothing_to_write() && s.would_not_fail_over();
        s.is_ours() && (s.is_broken() || is_switched_off || is_unarmable || is_useless)
    }),
    (Verdict::Wait, |s| {
        let is_unarmable = s.is_never_armed() && s.cannot_be_armed();
        let is_let_be = s.is_ours() && s.is_off() && s.incident().is_none() && !is_unarmable;
        (is_let_be && !s.is_broken() && !s.is_settled()) || (s.keeps_watch() && !s.has_alarms())
    }),
    (Verdict::Nothing, |s| {
        let is_over = s.may_be_pinned() && s.incident().is_some() && !s.is_live() && !(s.is_committed() && s.acts());
        let is_well = s.has_nothing_to_write() && !s.would_not_fail_over() && !s.is_moved_by_others();
        s.is_foreign || is_over || is_well
    }),
];

impl Sight {
    fn is_ours(&self) -> bool {
        !self.is_foreign
    }

    /// Shadow mode writes nothing that users have.
    fn acts(&self) -> bool {
        self.mode != Mode::Shadow
    }

    fn armed_since(&self) -> Option<i64> {
        match self.state {
            State::Armed { since, .. } => Some(since),
            _ => None,
        }
    }

    fn is_never_armed(&self) -> bool {
        matches!(self.state, State::Absent)
    }

    /// Nobody armed it, or a person switched it off.
    fn is_off(&self) -> bool {
        matches!(self.state, State::Absent | State::Disarmed)
    }

    fn is_on_dr(&self) -> bool {
        matches!(self.state, State::Pinned { .. } | State::FailedOver { .. })
    }

    fn pause_left(&self) -> Option<i64> {
        match self.state {
            State::Paused { until } => Some(until - self.now),
            _ => None,
        }
    }

    fn is_maintained(&self) -> bool {
        self.is_ours() && self.pause_left().is_some_and(|left| left > 0)
    }

    /// Nobody could tell where its users are or are to go. What people switched off is theirs to break.
    pub fn is_broken(&self) -> bool {
        let is_theirs = matches!(self.state, State::Disarmed | State::Paused { .. });
        let leads_nowhere = self.records.is_half || !self.is_on_dr() && self.records.primary == self.records.secondary;
        matches!(self.state, State::Unreadable) || !is_theirs && leads_nowhere
    }

    /// Only an armed name whose records are a pair is ever pinned.
    fn may_be_pinned(&self) -> bool {
        self.is_ours() && self.armed_since().is_some() && !self.is_broken()
    }

    /// In an incident that is alive, and something stands in the way.
    fn is_held_up(&self) -> bool {
        let goes_on_anyway = self.acts() && self.is_committed();
        self.may_be_pinned() && self.is_live() && !goes_on_anyway && !self.hurdles().is_empty()
    }

    /// The failover that others are in already and that takes this name along: armed before it, so a part of it. An incident once begun
    /// is finished, but a drill's is nobody else's.
    fn commitment(&self) -> Option<Incident> {
        let armed = self.armed_since()?;
        let latched = self.latch.iter().filter(|latch| armed < latch.at).map(|latch| latch.began);
        let pinned = self.siblings.iter().filter_map(|sibling| match sibling {
            State::Pinned { began, is_drill: false, .. } if armed < *began => Some(*began),
            _ => None,
        });
        latched.min().or_else(|| pinned.min()).map(incident)
    }

    pub fn is_committed(&self) -> bool {
        self.commitment().is_some()
    }

    pub fn incident(&self) -> Option<Incident> {
        let own = match self.state {
            State::Pinned { began, is_drill: true, .. } => {
                Some(Incident { alarm: "holdfast-drill".to_owned(), began: at(began) })
            }
            State::Pinned { began, .. } => Some(incident(began)),
            State::FailedOver { .. } => Some(incident(0)),
            _ => self.commitment(),
        };
        // News is what rang since the name was armed; of news, and without any, the oldest.
        let is_old = |alarm: &Alarm| self.armed_since().is_some_and(|armed| alarm.since <= armed);
        let ringing = self.alarms.iter().flatten().filter(|alarm| alarm.says == AlarmState::Alarm);
        let first = ringing.min_by_key(|alarm| (is_old(alarm), alarm.since, ALARMS[alarm.nth]));
        own.or_else(|| first.map(|alarm| Incident { alarm: ALARMS[alarm.nth].to_owned(), began: at(alarm.since) }))
    }

    fn began(&self) -> Option<i64> {
        Some(self.incident()?.began.duration_since(at(0)).as_secs())
    }

    /// An incident that neither a failback nor a rejection has ended.
    fn is_live(&self) -> bool {
        let ends = |by| matches!(by, ArmedBy::Failback | ArmedBy::Rejection);
        self.began().is_some_and(|began| match self.state {
            State::Armed { since, by, .. } => since < began || !ends(by),
            _ => true,
        })
    }

    /// What a person must lift, whoever has lifted what: the alarm comes too soon after a change; the second signal does not say that the
    /// primary is down; DR is down, or its targets are not known to be healthy; the mode wants a person.
    pub fn all_hurdles(&self) -> BTreeSet<Rule> {
        let (State::Armed { since, by, failed_back, .. }, Some(began)) = (&self.state, self.began()) else {
            return BTreeSet::new();
        };
        let failed_back = failed_back.or((*by == ArmedBy::Failback).then_some(*since));
        let cools = failed_back.is_some_and(|at| began < at + i64::from(self.cooldown_seconds));
        let hurdles = [
            (Rule::P08, began < since + SETTLE_SECONDS || cools),
            (Rule::P09, !is_down(self.primary) && self.primary != Probe::NotAsked),
            (Rule::P10, is_down(self.dr)),
            (Rule::P15, self.targets != Targets::NotAsked && self.targets != Targets::Healthy),
            (Rule::P12, self.mode == Mode::Approval),
        ];
        hurdles.into_iter().filter(|(_, is_met)| *is_met).map(|(rule, _)| rule).collect()
    }

    /// Those that are left. An approval is for its own incident, and lifts `P12` and what it names.
    fn hurdles(&self) -> BTreeSet<Rule> {
        let incident = self.incident();
        let word = self
            .approval
            .iter()
            .find(|word| Some(Incident { alarm: ALARMS[word.nth].to_owned(), began: at(word.began) }) == incident);
        let is_lifted = |rule: &Rule| word.is_some_and(|word| *rule == Rule::P12 || word.despite.contains(rule));
        self.all_hurdles().into_iter().filter(|rule| !is_lifted(rule)).collect()
    }

    /// One of the sites is not as it must be for users to move, or nobody knows.
    fn is_in_doubt(&self) -> bool {
        [Rule::P09, Rule::P10, Rule::P15].into_iter().any(|rule| self.meets(rule))
    }

    fn meets(&self, rule: Rule) -> bool {
        self.hurdles().contains(&rule)
    }

    /// A disagreement that the switch no longer holds users for.
    pub fn lets_go(&self) -> bool {
        let since = self.began().max(self.armed_since());
        let has_run_out = since.is_some_and(|since| self.now >= since + i64::from(self.hold_seconds_max));
        self.switch.is_some() && self.hold_seconds_max > 0 && has_run_out && self.meets(Rule::P09)
    }

    fn is_pair_on_dr(&self) -> bool {
        self.is_ours() && self.is_on_dr() && !self.records.is_half
    }

    /// Both records lead to one place, and it is not where users were before.
    fn stands(&self) -> bool {
        let places = &self.records;
        self.is_pair_on_dr() && places.primary == places.secondary && !self.leads_home(places.primary)
    }

    fn drifted(&self) -> bool {
        self.is_pair_on_dr() && !self.stands()
    }

    fn was_undone(&self) -> bool {
        self.drifted() && !self.leads_home(self.records.secondary) && !self.only_dr_has_moved()
    }

    /// To the old primary, or to what was put in its region since; that is known where it is on record what DR is.
    fn leads_home(&self, place: Place) -> bool {
        place == Place::Home || place == Place::Rebuilt && self.knows_dr()
    }

    /// The PRIMARY record is as Holdfast left it.
    fn only_dr_has_moved(&self) -> bool {
        self.knows_dr() && self.records.primary == Place::Dr
    }

    fn knows_dr(&self) -> bool {
        match self.state {
            State::Pinned { knows_dr, .. } | State::FailedOver { knows_dr, .. } => knows_dr,
            _ => false,
        }
    }

    fn repins(&self) -> u8 {
        match self.state {
            State::Pinned { repins, .. } | State::FailedOver { repins, .. } => repins,
            _ => 0,
        }
    }

    fn is_change_on_record(&self) -> bool {
        match self.state {
            State::Pinned { how: How::Written { at }, .. } => self.now < at + 30,
            State::Pinned { how: How::Asked, .. } => self.change != Some(ChangeStatus::Lost),
            _ => true,
        }
    }

    pub fn has_alarms(&self) -> bool {
        self.alarms.is_some()
    }

    fn any_alarm(&self, is_so: impl Fn(&Alarm) -> bool) -> bool {
        self.alarms.iter().flatten().any(is_so)
    }

    /// Since when both of the plan's alarms say OK. Of one that nobody told of that is not known.
    fn quiet_since(&self) -> Option<i64> {
        let quiet = |nth| {
            let is_quiet = |alarm: &&Alarm| alarm.nth == nth && alarm.says == AlarmState::Ok;
            Some(self.alarms.as_ref()?.iter().find(is_quiet)?.since)
        };
        Some(quiet(0)?.max(quiet(1)?))
    }

    pub fn is_unevaluated(&self) -> bool {
        let blinds = |trouble| matches!(trouble, EvaluationTrouble::Error | EvaluationTrouble::Failure);
        self.any_alarm(|alarm| alarm.trouble.is_some_and(blinds))
    }

    /// An alarm of the plan that watches nothing: gone, or without data for ten minutes.
    pub fn is_blind(&self) -> bool {
        self.any_alarm(|alarm| match alarm.says {
            AlarmState::Missing => true,
            AlarmState::InsufficientData => self.now >= alarm.since + 600,
            AlarmState::Ok | AlarmState::Alarm => false,
        })
    }

    /// All that can be known is well, and has been for the settle time; work on a neighbour is work on the same primary.
    fn is_settled(&self) -> bool {
        let has_settled = self.quiet_since().is_some_and(|since| self.now >= since + SETTLE_SECONDS);
        let may_be_up = matches!(self.primary, Probe::Answers | Probe::NotAsked);
        let is_worked_on = self.siblings.iter().any(|sibling| matches!(sibling, State::Paused { .. }));
        self.is_never_armed() && has_settled && may_be_up && !self.is_unevaluated() && !is_worked_on
    }

    fn is_to_be_armed(&self) -> bool {
        self.is_ours() && !self.is_broken() && self.incident().is_none() && self.is_settled()
    }

    fn cannot_be_armed(&self) -> bool {
        self.is_blind() || self.is_unevaluated() || !matches!(self.primary, Probe::Answers | Probe::NotAsked)
    }

    fn rehearses_pins(&self) -> bool {
        self.rehearses && self.acts()
    }

    /// Armed, with nothing to do about an incident.
    fn is_in_peace(&self) -> bool {
        self.may_be_pinned() && self.incident().is_none()
    }

    fn is_due_for_rehearsal(&self) -> bool {
        let State::Armed { rehearsed, .. } = self.state else { return false };
        let is_old = rehearsed.is_none_or(|at| self.now >= at + 84_600);
        let is_pinned = |sibling: &State| matches!(sibling, State::Pinned { is_drill: false, .. });
        let is_quiet = self.quiet_since().is_some() && !self.siblings.iter().any(is_pinned);
        let is_its_minute = self.now.div_euclid(60).rem_euclid(60) == *REHEARSAL_MINUTE;
        self.is_in_peace() && self.rehearses_pins() && is_quiet && is_old && is_its_minute
    }

    fn keeps_watch(&self) -> bool {
        self.is_in_peace() && !self.is_due_for_rehearsal()
    }

    /// Resolvers keep an answer for 60 s now, and the register says otherwise, or still tells of a longer time that is over. One that says
    /// nothing is left to the rehearsal.
    fn is_ttl_news(&self) -> bool {
        let State::Armed { ttl, .. } = self.state else { return false };
        self.acts()
            && match ttl {
                None => !self.rehearses,
                Some((seconds, longer)) => seconds != 60 || longer.is_some_and(|until| until <= self.now),
            }
    }

    fn has_nothing_to_write(&self) -> bool {
        self.keeps_watch() && self.has_alarms() && !self.is_ttl_news()
    }

    /// Whatever would stop a failover is told in peace.
    fn would_not_fail_over(&self) -> bool {
        self.lacks_targets() || self.is_blind() || self.is_unevaluated() || is_unclear(self.primary) || is_down(self.dr)
    }

    /// No step will mend what is so of DR's targets: there is none, or it is the alarm itself that cannot tell.
    pub fn lacks_targets(&self) -> bool {
        match self.targets {
            Targets::NotAsked | Targets::Healthy | Targets::NotAnswered => false,
            Targets::TooFew | Targets::NoData => !self.prepares,
            Targets::Unevaluated | Targets::NoAlarm => true,
        }
    }

    fn is_moved_by_others(&self) -> bool {
        let is_of_other_check = self.own_check == Some("hc-2") && self.switch != Some("hc-1");
        self.records.has_checked_dr || self.acts() && is_of_other_check
    }

    /// How loudly `verdict` is said: who must act, or must know that users move, is woken.
    pub fn attention(&self, verdict: Verdict) -> Attention {
        let is_odd = is_down(self.primary) || is_unclear(self.dr);
        match verdict {
            Verdict::Wait | Verdict::Rehearse | Verdict::Remember => Quiet,
            Verdict::Nothing if self.has_nothing_to_write() && is_odd => Notice,
            Verdict::Nothing => Quiet,
            Verdict::Hold if !self.is_maintained() => Page,
            Verdict::Hold if self.incident().is_none() => Quiet,
            Verdict::Hold | Verdict::Stay | Verdict::Confirm | Verdict::WouldPin => Notice,
            Verdict::Arm(_) | Verdict::ArmRehearsing(_) => Notice,
            Verdict::Pin | Verdict::Ask | Verdict::Refuse | Verdict::Warn => Page,
            Verdict::Follow | Verdict::LeaveSwapped | Verdict::Repin | Verdict::Yield => Page,
        }
    }
}

/// It was asked, and its silence or its own word says so.
pub fn is_down(probe: Probe) -> bool {
    matches!(probe, Probe::Silent(_) | Probe::Unwell(_))
}

pub fn is_unclear(probe: Probe) -> bool {
    !is_down(probe) && !matches!(probe, Probe::Answers | Probe::NotAsked)
}
