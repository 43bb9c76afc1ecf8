//! Where users are, whether they can write there, and by whose doing: the first thing that people are told.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Kind, Trigger};
use crate::hold;
use crate::incident::{AlarmSighting, AlarmState, OPERATOR};
use crate::latch;
use crate::name::counted;
use crate::observation::{Alarms, NameView, in_alarm};
use crate::plan::Plan;
use crate::promotion;
use crate::record::Warning;
use crate::register::{Pin, Register};

/// Where the users of a workload are, as far as records, registers and alarms tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Users {
    /// Where DNS sends them.
    pub place: Place,
    /// Since about when; unknown of the primary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// Whether the databases in DR take writes; unknown of a workload without any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dr_takes_writes: Option<bool>,
    /// How many names are not pinned.
    pub unpinned: usize,
}

/// Where DNS sends users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// To the primary: no alarm rings and nothing is pinned.
    Primary,
    /// To DR, by Route 53's health check, which takes them back as soon as it finds the primary well.
    SentToDr {
        /// Whether a maintenance brings them back, since the plan names that health check.
        returnable: bool,
    },
    /// Still to the primary, though the alarm rings: the switch keeps them there while Holdfast holds.
    HeldAtPrimary,
    /// To DR within minutes, by Route 53: Holdfast could not pin, and has let go.
    LetGo,
    /// To DR within minutes, and for good, by the latch; the pin is not written yet.
    Latched,
    /// To DR once the name servers show the latch, which they do not.
    LatchUnseen,
    /// To DR, by Holdfast's pin.
    KeptOnDr,
    /// Some of the pinned names lead elsewhere, by somebody's doing.
    Parted {
        /// How many.
        moved: usize,
    },
    /// Not known.
    Unknown,
}

/// True if something else than the failover check may have sent an unpinned name's users somewhere: target health, or a hand.
fn moves_otherwise(view: &NameView) -> bool {
    let by_target = |warning: &Warning| matches!(warning, Warning::TargetHealth { .. });
    view.pin().is_none() && (view.agrees() || view.warnings.iter().any(by_target))
}

/// True if a maintenance may have taken back the word of the failover check.
fn is_overruled(plan: &Plan, names: &[NameView]) -> bool {
    let is_paused = |view: &NameView| matches!(view.register(), Some(Register::Paused { .. }));
    plan.failover_health_check.is_some() && names.iter().any(is_paused)
}

impl Users {
    /// Where they are by what was seen.
    #[must_use]
    pub fn seen(
        plan: &Plan,
        alarms: &Alarms,
        (hold, latch): (Option<AlarmState>, &latch::Reading),
        names: &[NameView],
    ) -> Self {
        let kept = Self::kept(plan, names);
        let ringing: Vec<_> = in_alarm(alarms).into_iter().filter(|alarm| plan.alarms.contains(&alarm.arn)).collect();
        let unpinned = || names.iter().filter(|view| view.pin().is_none());
        let on_switch = unpinned().filter(|view| hold::is_on_switch(plan, view)).count();
        let is_quiet = |alarm: &AlarmSighting| alarm.state == AlarmState::Ok && alarm.watches(plan);
        let (place, since) = match (ringing.first(), alarms) {
            _ if names.iter().any(moves_otherwise) => (Place::Unknown, None),
            _ if on_switch > 0 && on_switch == unpinned().count() && latch.closed().is_some() => {
                (Place::Latched, latch.closed().map(|latch| latch.at))
            }
            (Some(_), _) if on_switch > 0 => match hold {
                // Of some that are held while others are moved, no one place can be told.
                _ if on_switch < unpinned().count() => (Place::Unknown, None),
                Some(AlarmState::Ok) => (Place::HeldAtPrimary, None),
                // A maintenance finds that nothing holds, and disables the failover check.
                Some(AlarmState::Alarm) => (Place::SentToDr { returnable: true }, None),
                Some(AlarmState::InsufficientData | AlarmState::Missing) | None => (Place::Unknown, None),
            },
            (Some(_), _) if is_overruled(plan, names) => (Place::Unknown, None),
            // The alarm watches the health check of the PRIMARY records.
            (Some(alarm), _) => {
                (Place::SentToDr { returnable: plan.failover_health_check.is_some() }, Some(alarm.since))
            }
            (None, Some(alarms)) if alarms.iter().all(|alarm| alarm.arn == OPERATOR || is_quiet(alarm)) => {
                (Place::Primary, None)
            }
            (None, _) => (Place::Unknown, None),
        };
        let is_over = latch.closed().is_some_and(|latch| matches!(latch.stage, latch::Stage::FailedOver { .. }));
        let dr_takes_writes = (!plan.replicas.is_empty()).then_some(place == Place::Latched && is_over);
        kept.unwrap_or(Self { place, since, dr_takes_writes, unpinned: names.len() })
    }

    /// Where they are while names are pinned; nothing if none is.
    #[must_use]
    pub fn kept(plan: &Plan, names: &[NameView]) -> Option<Self> {
        let pinned = || names.iter().filter(|view| view.pin().is_some());
        let left = |view: &NameView| {
            // Nothing but the pin moves who is on the switch, nor whom a person sends.
            let is_by_pin = |pin: &Pin| pin.incident.alarm == OPERATOR || hold::is_on_switch(plan, view);
            view.pin().map(|pin| if is_by_pin(pin) { pin.at } else { pin.incident.began })
        };
        let since = pinned().filter_map(left).min()?;
        let place = match pinned().filter(|view| !view.agrees()).count() {
            0 => Place::KeptOnDr,
            moved => Place::Parted { moved },
        };
        let dr_takes_writes = (!plan.replicas.is_empty()).then(|| promotion::is_over(names));
        Some(Self { place, since: Some(since), dr_takes_writes, unpinned: names.len() - pinned().count() })
    }

    /// Where they are once this was done.
    #[must_use]
    pub fn after(mut self, trigger: Trigger, findings: &[Finding], now: Timestamp) -> Self {
        let done = |kinds: &[Kind]| findings.iter().filter(|finding| kinds.contains(&finding.kind)).count();
        let (pinned, restored) = (done(&[Kind::Pinned]), done(&[Kind::PinnedAgain, Kind::Followed]));
        self.unpinned = self.unpinned.saturating_sub(pinned);
        if let Some(latched) = findings.iter().find(|finding| finding.kind == Kind::Latched)
            && !matches!(self.place, Place::KeptOnDr | Place::Parted { .. } | Place::Unknown)
        {
            (self.place, self.since) = (Place::Latched, latched.since);
        }
        self.place = match self.place {
            Place::Parted { moved } if moved <= restored => Place::KeptOnDr,
            Place::Parted { moved } => Place::Parted { moved: moved - restored },
            Place::Primary | Place::SentToDr { .. } | Place::HeldAtPrimary | Place::Unknown | Place::Latched
                if pinned > 0 =>
            {
                self.since = self.since.or(Some(now));
                Place::KeptOnDr
            }
            Place::HeldAtPrimary if hold::lets_go(trigger, findings) => Place::LetGo,
            place => place,
        };
        let takes_writes = done(&[Kind::FailedOver]) > 0 || self.dr_takes_writes == Some(true);
        // A database that still replicates takes none, whatever registers say.
        self.dr_takes_writes = self.dr_takes_writes.map(|_| takes_writes && done(&[Kind::DatabaseTrouble]) == 0);
        self
    }

    /// True if Route 53's health check moved them, and a maintenance moves them back.
    #[must_use]
    pub fn maintenance_brings_back(&self) -> bool {
        self.place == Place::SentToDr { returnable: true }
    }

    /// True if Route 53's health check moved them.
    #[must_use]
    pub fn are_sent(&self) -> bool {
        matches!(self.place, Place::SentToDr { .. })
    }

    /// True if the switch keeps them at the primary.
    #[must_use]
    pub fn are_held(&self) -> bool {
        self.place == Place::HeldAtPrimary
    }

    /// True if they are on DR, or on their way.
    fn are_on_dr(&self) -> bool {
        match self.place {
            Place::SentToDr { .. } | Place::LetGo | Place::Latched | Place::KeptOnDr | Place::Parted { .. } => true,
            Place::Primary | Place::HeldAtPrimary | Place::LatchUnseen | Place::Unknown => false,
        }
    }

    /// True if they are where no database takes writes, as far as is known.
    #[must_use]
    pub fn cannot_write(&self) -> bool {
        self.are_on_dr() && self.dr_takes_writes == Some(false)
    }
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.map(|since| format!(" since about {since}")).unwrap_or_default();
        match self.place {
            Place::Primary => return f.write_str("Users are at the primary."),
            Place::Unknown => {
                return f.write_str("Where users are is not known: not all that tells it was seen. holdfast status shows what DNS answers.");
            }
            Place::HeldAtPrimary => {
                return f.write_str(
                    "Users are still sent to the primary: Holdfast holds DNS there until it pins.",
                );
            }
            Place::LatchUnseen => {
                return f.write_str(
                    "Users may still be at the primary: the latch is closed, but not every name server shows it, and no pin is known to \
                     have arrived.",
                );
            }
            Place::LetGo => f.write_str(
                "Users go to DR within about five minutes: Holdfast cannot pin, and holds DNS no more. Route 53 moves them, and takes \
                 them back once it finds the primary well.",
            )?,
            Place::SentToDr { .. } => write!(
                f,
                "Users are on DR{since}: Route 53's health check sends them there, whatever Holdfast decides, and takes them back \
                 once it finds the primary well."
            )?,
            Place::Latched => write!(
                f,
                "Users are on DR{since}, or reach it within minutes, and the latch keeps them there; Route 53 has not taken every pin yet."
            )?,
            Place::KeptOnDr => write!(f, "Users are on DR{since}, and the pin keeps them there.")?,
            Place::Parted { moved } => write!(
                f,
                "Users are on DR{since}, but for those of {}, whose records somebody has changed since the pin.",
                counted(moved)
            )?,
        }
        let is_by_route_53 = self.are_sent() || self.place == Place::LetGo;
        if !is_by_route_53 && self.place != Place::Latched && self.unpinned > 0 {
            write!(f, " Not pinned, and moved by Route 53's health check alone: {}.", counted(self.unpinned))?;
        }
        match self.dr_takes_writes {
            Some(true) => f.write_str(" DR's databases take writes."),
            Some(false) if !is_by_route_53 => f.write_str(" Not every database there takes writes yet."),
            Some(false) => f.write_str(" Holdfast has promoted no database there, so writes fail."),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;
    use crate::observation::Attention;

    const NOW: i64 = 60;
    const SENT: Place = Place::SentToDr { returnable: true };

    fn users(place: Place, unpinned: usize) -> Users {
        Users { place, since: Some(at(0)), dr_takes_writes: Some(false), unpinned }
    }

    fn found(kind: Kind) -> Finding {
        Finding {
            subject: String::new(),
            kind,
            id: Some(crate::rule::Rule::P13.row('b')),
            because: String::new(),
            attention: Attention::None,
            incident: Some(crate::incident::Incident { alarm: "a".to_owned(), began: at(0) }),
            since: None,
            despite: std::collections::BTreeSet::new(),
            facts: Vec::new(),
            next: String::new(),
        }
    }

    #[test]
    fn what_was_done_moves_users_on() {
        for (before, done, after) in [
            (users(SENT, 2), vec![Kind::Pinned, Kind::Pinned], users(Place::KeptOnDr, 0)),
            (users(SENT, 2), vec![Kind::Pinned, Kind::WriteRefused], users(Place::KeptOnDr, 1)),
            (users(SENT, 2), vec![Kind::Held], users(SENT, 2)),
            (users(Place::HeldAtPrimary, 2), vec![Kind::Held], users(Place::HeldAtPrimary, 2)),
            (users(Place::HeldAtPrimary, 2), vec![Kind::WriteRefused], users(Place::LetGo, 2)),
            (users(Place::HeldAtPrimary, 2), vec![Kind::Pinned, Kind::WriteRefused], users(Place::KeptOnDr, 1)),
            (
                users(Place::HeldAtPrimary, 2),
                vec![Kind::Latched, Kind::Interrupted],
                Users { since: None, ..users(Place::Latched, 2) },
            ),
            (users(Place::KeptOnDr, 1), vec![Kind::Latched], users(Place::KeptOnDr, 1)),
            (users(Place::Parted { moved: 2 }, 0), vec![Kind::PinnedAgain], users(Place::Parted { moved: 1 }, 0)),
            (users(Place::Parted { moved: 1 }, 0), vec![Kind::Followed], users(Place::KeptOnDr, 0)),
            (
                users(Place::KeptOnDr, 0),
                vec![Kind::FailedOver],
                Users { dr_takes_writes: Some(true), ..users(Place::KeptOnDr, 0) },
            ),
        ] {
            let findings: Vec<_> = done.into_iter().map(found).collect();
            assert_eq!(before.clone().after(Trigger::Tick, &findings, at(NOW)), after, "{before:?} {findings:?}");
        }
        let declared = Users { since: None, ..users(Place::Primary, 1) };
        assert_eq!(
            declared.after(Trigger::Event, &[found(Kind::Pinned)], at(NOW)).since,
            Some(at(NOW)),
            "a person began it"
        );
    }

    #[test]
    fn whether_users_can_write_is_said_wherever_they_are_on_dr() {
        for (users, words) in [
            (users(SENT, 1), "Route 53's health check sends them there, whatever Holdfast decides"),
            (users(SENT, 1), "promoted no database there, so writes fail."),
            (users(Place::KeptOnDr, 1), "moved by Route 53's health check alone: 1 name."),
            (users(Place::Parted { moved: 1 }, 0), "but for those of 1 name, whose"),
            (Users { dr_takes_writes: Some(true), ..users(Place::KeptOnDr, 0) }, "DR's databases take writes."),
            (Users { dr_takes_writes: None, ..users(Place::KeptOnDr, 0) }, "the pin keeps them there."),
            (users(Place::LetGo, 1), "go to DR within about five minutes"),
            (users(Place::LetGo, 1), "promoted no database there, so writes fail."),
            (users(Place::Latched, 1), "and the latch keeps them there"),
            (users(Place::Latched, 1), "Not every database there takes writes yet."),
            (users(Place::LatchUnseen, 1), "may still be at the primary"),
            (users(Place::HeldAtPrimary, 1), "still sent to the primary"),
            (users(Place::Unknown, 1), "not known"),
        ] {
            assert!(users.to_string().contains(words), "{words:?} is not in {users}");
        }
        for place in [Place::Primary, Place::HeldAtPrimary] {
            assert!(!users(place, 1).to_string().contains("write") && !users(place, 0).cannot_write());
        }
        assert!(users(SENT, 0).cannot_write() && users(Place::LetGo, 0).cannot_write());
    }
}
