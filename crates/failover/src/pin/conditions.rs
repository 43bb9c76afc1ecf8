//! What the conditions of the pin rules are written in.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{NAMES_RECORDED_A_SECOND, Observation, RECORDING_SECONDS, tables};
use crate::incident::{AlarmSighting, AlarmState, Approval, Incident};
use crate::observation::{ChangeStatus, NameView, Probe, elapsed, in_alarm};
use crate::plan::{Mode, Plan};
use crate::record::Pair;
use crate::register::{ArmedBy, Pin, Reading, Register, Spread};
use crate::rehearsal;
use crate::rule::Rule;

/// How long an alarm may be without data before people are told, in seconds: a new one begins so.
const BLIND_SECONDS: u32 = 600;

/// Why P08 asks.
pub(super) enum TooRecent {
    /// Nobody knows whether the outage that the alarm tells of still goes on.
    RangBefore { armed: Timestamp },
    /// A change that was just made is the likeliest cause of an alarm.
    Settling { armed: Timestamp, settle_seconds: u32 },
    /// So is a primary that was just come back to.
    Cooling { failed_back: Timestamp, cooldown_seconds: u32 },
}

/// What the conditions are written in.
pub struct Facts<'a> {
    pub(super) plan: &'a Plan,
    pub(super) seen: &'a Observation,
    pub(super) view: &'a NameView,
    pub(super) committed: &'a BTreeSet<&'a Incident>,
    /// What is not as it must be.
    pub(super) fault: Option<&'a str>,
    pub(super) approval: Option<&'a Approval>,
}

impl Facts<'_> {
    /// The rules that an approval must lift. One approval must do, since none is remembered: whoever lifted only the
    /// first would be asked about the next, lift that, and be asked about the first again.
    pub(super) fn in_the_way(&self) -> BTreeSet<Rule> {
        let unapproved = Facts { approval: None, ..*self };
        tables::of(self)
            .iter()
            .filter(|row| row.id.rule.is_liftable() && (row.holds)(&unapproved))
            .map(|row| row.id.rule)
            .collect()
    }

    /// The health check of a PRIMARY record that is not the plan's: an outage would move users at another time, or not at all.
    pub(super) fn other_check(&self) -> Option<&str> {
        let Plan { failover_health_check: Some(own), switch, .. } = self.plan else { return None };
        let mut checks = self.view.pairs.iter().flatten().filter_map(|pair| pair.primary().health_check.as_deref());
        checks.find(|check| *check != own && Some(*check) != switch.as_deref())
    }

    /// A name that is only watched keeps its own health check: shadow mode changes nothing that users have.
    pub(super) fn warns_of_other_check(&self) -> bool {
        self.plan.mode != Mode::Shadow && self.other_check().is_some()
    }

    pub(super) fn pin(&self) -> Option<&Pin> {
        self.view.register().and_then(Register::pin)
    }

    pub(super) fn armed_since(&self) -> Option<Timestamp> {
        match self.view.register() {
            Some(Register::Armed { since, .. }) => Some(*since),
            _ => None,
        }
    }

    /// The incident this name is in: the one it is pinned for, else the latch's, else the one its siblings are pinned for, else the oldest
    /// alarm that rang after it was armed, else the oldest alarm.
    pub(super) fn incident(&self) -> Option<Incident> {
        if let Some(incident) = self.pin().map(|pin| &pin.incident).or_else(|| self.committed_elsewhere()) {
            return Some(incident.clone());
        }
        let ringing = in_alarm(&self.seen.alarms);
        let rang_after_arming = |alarm: &&&AlarmSighting| self.armed_since().is_none_or(|since| since < alarm.since);
        let alarm = ringing.iter().find(rang_after_arming).or(ringing.first())?;
        Some(Incident { alarm: alarm.name.clone(), began: alarm.since })
    }

    pub(super) fn committed_elsewhere(&self) -> Option<&Incident> {
        let armed_since = self.armed_since()?;
        if let Some(latch) = self.seen.latch.closed().filter(|latch| latch.takes_along(self.view)) {
            return Some(&latch.incident);
        }
        self.committed.iter().copied().find(|incident| armed_since < incident.began)
    }

    /// True unless the id of the change that carries the pin must be put on record (again).
    pub(super) fn spread_on_record(&self) -> bool {
        match self.view.register() {
            Some(Register::Pinned { spread: Spread::Unrecorded { at }, .. }) => {
                let for_many = u32::try_from(self.seen.names.len() / NAMES_RECORDED_A_SECOND).unwrap_or(u32::MAX);
                !elapsed(*at, self.seen.now, RECORDING_SECONDS.saturating_add(for_many))
            }
            Some(Register::Pinned { spread: Spread::Change { id }, .. }) => {
                self.seen.changes.get(id) != Some(&ChangeStatus::Lost)
            }
            _ => true,
        }
    }

    /// True if the PRIMARY records say what Holdfast wrote last, and the SECONDARY records do not any more.
    pub(super) fn dr_has_moved(&self) -> bool {
        let Some(pin) = self.pin() else { return false };
        let as_left = |pair: &Pair| pin.dr.get(pair.kind()) == Some(&pair.primary().target.digest(pair.kind()));
        let moved = || self.view.pairs.iter().flatten().filter(|pair| !pair.agrees());
        moved().next().is_some() && moved().all(as_left)
    }

    /// A register that says nothing of TTLs is left to the next rehearsal, if there is one: an upgrade must not write every name at
    /// once.
    pub(super) fn ttl_has_changed(&self) -> bool {
        let is_armed = self.armed_since().is_some() && self.plan.mode != Mode::Shadow;
        let memory =
            self.view.register().map(Register::memory).filter(|memory| memory.ttl.is_some() || !self.plan.rehearse);
        is_armed && memory.is_some_and(|memory| memory != self.view.memory(self.seen.now))
    }

    /// An alarm of the plan that CloudWatch does not have, or that has had no data for too long: since when, where that is known.
    pub(super) fn blind_since(&self) -> Option<Option<Timestamp>> {
        let is_blind = |alarm: &&AlarmSighting| match alarm.state {
            AlarmState::Missing => true,
            AlarmState::InsufficientData => elapsed(alarm.since, self.seen.now, BLIND_SECONDS),
            AlarmState::Ok | AlarmState::Alarm => false,
        };
        let blind = self.seen.alarms.iter().flatten().find(is_blind)?;
        Some((blind.state != AlarmState::Missing).then_some(blind.since))
    }

    pub(super) fn never_armed(&self) -> bool {
        self.view.register == Reading::Absent
    }

    /// Since when every alarm of the plan has been OK, if each is.
    pub(super) fn quiet_since(&self) -> Option<Timestamp> {
        let alarms = self.seen.alarms.as_ref()?;
        let since = self.plan.alarms.iter().map(|arn| {
            let alarm = alarms.iter().find(|alarm| alarm.arn == *arn && alarm.state == AlarmState::Ok);
            alarm.map(|alarm| alarm.since)
        });
        since.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    pub(super) fn settled_at(&self) -> Option<Timestamp> {
        Some(self.quiet_since()? + SignedDuration::from_secs(self.plan.limits.settle_seconds.into()))
    }

    /// In shadow mode nothing that users have is written.
    pub(super) fn rehearses(&self) -> bool {
        self.plan.rehearse && self.plan.mode != Mode::Shadow
    }

    pub(super) fn rehearsal_is_due(&self) -> bool {
        let is_due = |register| rehearsal::is_due(self.plan, &self.view.zone, register, self.seen.now);
        self.rehearses()
            && self.quiet_since().is_some()
            && self.committed.is_empty()
            && self.view.register().is_some_and(is_due)
    }

    pub(super) fn settled(&self) -> bool {
        // A name that comes during a maintenance of others has the same primary.
        let is_maintained = |view: &NameView| matches!(view.register(), Some(Register::Paused { .. }));
        self.never_armed()
            && self.settled_at().is_some_and(|at| at <= self.seen.now)
            && !self.is_unevaluated()
            && matches!(self.seen.probes.primary, Probe::Answers | Probe::NotAsked)
            && !self.seen.names.iter().any(is_maintained)
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.view.register(), Some(Register::Paused { until, .. }) if self.seen.now < *until)
    }

    /// An old event delivered again must not undo a failback, nor a person's rejection. Whatever else armed a name while
    /// the alarm rang, the outage may be real and go on: a person decides.
    pub(super) fn alarm_is_dismissed(&self) -> bool {
        match (self.view.register(), self.incident()) {
            (Some(Register::Armed { since, by: ArmedBy::Failback | ArmedBy::Rejection, .. }), Some(incident)) => {
                incident.began <= *since
            }
            _ => false,
        }
    }

    /// Why a failover is asked about so soon, if it is.
    pub(super) fn too_recent(&self) -> Option<TooRecent> {
        let (Some(Register::Armed { since, by, memory, .. }), Some(incident)) = (self.view.register(), self.incident())
        else {
            return None;
        };
        let limits = &self.plan.limits;
        let failed_back = memory.failed_back.or((*by == ArmedBy::Failback).then_some(*since));
        let is_cooling = |at: &Timestamp| !elapsed(*at, incident.began, limits.cooldown_seconds);
        if elapsed(*since, incident.began, limits.settle_seconds) {
            let cooling = |at| TooRecent::Cooling { failed_back: at, cooldown_seconds: limits.cooldown_seconds };
            return failed_back.filter(is_cooling).map(cooling);
        }
        Some(match incident.began <= *since {
            true => TooRecent::RangBefore { armed: *since },
            false => TooRecent::Settling { armed: *since, settle_seconds: limits.settle_seconds },
        })
    }

    pub(super) fn armed_too_recently(&self) -> bool {
        self.too_recent().is_some()
    }

    /// Our own probe does not say that the primary is down, and nobody has lifted that.
    pub(super) fn disagrees(&self) -> bool {
        let primary = self.seen.probes.primary;
        (primary == Probe::Answers || primary.is_unclear()) && !self.lifted(Rule::P09)
    }

    /// When a disagreement that goes on lets go of DNS, if the plan says so and the switch holds it.
    pub(super) fn let_go_at(&self) -> Option<Timestamp> {
        let limit = i64::from(self.plan.limits.hold_seconds_max);
        let since = self.incident()?.began.max(self.armed_since()?);
        (limit > 0 && self.plan.switch.is_some()).then(|| since.checked_add(SignedDuration::from_secs(limit)).ok())?
    }

    pub(super) fn lifted(&self, rule: Rule) -> bool {
        self.approval.zip(self.incident()).is_some_and(|(approval, incident)| approval.lifts(rule, &incident))
    }
}
