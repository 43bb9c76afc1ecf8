//! What a decision about a name saw, for people.

use std::fmt;

use super::conditions::{Facts, TooRecent};
use crate::incident::{AlarmSighting, Approval, EvaluationTrouble};
use crate::observation::{Fact, Probe, Targets};
use crate::register::Reading;

impl Facts<'_> {
    /// CloudWatch says that it cannot evaluate one of the alarms.
    pub(super) fn is_unevaluated(&self) -> bool {
        let is_blind = |alarm: &AlarmSighting| alarm.trouble.is_some_and(EvaluationTrouble::is_blinding);
        self.seen.alarms.iter().flatten().any(is_blind)
    }

    /// What was seen, for people.
    pub(super) fn in_words(&self) -> Vec<Fact> {
        let mut facts = vec![Fact::new("name", &self.view.name), Fact::new("time", self.seen.now)];
        match &self.seen.alarms {
            None => facts.push(Fact::new("alarm", "unknown: CloudWatch did not answer")),
            Some(alarms) => facts.extend(alarms.iter().map(|a| Fact::new(format!("alarm {}", a.name), a.in_words()))),
        }
        facts.push(match &self.view.register {
            Reading::Absent => Fact::new("register", "absent: never armed"),
            Reading::Known { register, .. } => Fact::new("register", register),
            Reading::Unreadable(error) => Fact::new("register", error),
        });
        match &self.view.pairs {
            Err(fault) => facts.push(Fact::new("records", fault)),
            Ok(pairs) => facts.extend(pairs.iter().map(|pair| {
                let (primary, secondary) = (pair.primary(), pair.secondary());
                let seen = format!("PRIMARY {}, SECONDARY {}", primary.target, secondary.target);
                Fact::new(format!("{} record", primary.kind), seen)
            })),
        }
        if !self.view.left_alone.is_empty() {
            facts
                .push(Fact::new("left alone", format!("failover records of type {}", self.view.left_alone.join(", "))));
        }
        facts.extend(self.view.warnings.iter().map(|warning| Fact::new("warning", warning)));
        facts.extend(self.other_check().map(|check| {
            Fact::new(
                "warning",
                format!("a PRIMARY record has the health check {check}, which is neither FailoverHealthCheckId nor the switch"),
            )
        }));
        facts.extend(self.fault.map(|fault| Fact::new("fault", fault)));
        for (about, probe) in [("primary's probe", self.seen.probes.primary), ("DR's probe", self.seen.probes.dr)] {
            if probe != Probe::NotAsked {
                facts.push(Fact::new(about, probe));
            }
        }
        if self.seen.probes.targets != Targets::NotAsked {
            facts.push(Fact::new("DR's targets", self.seen.probes.targets));
        }
        facts.extend(self.too_recent().map(|why| Fact::new("so soon", why)));
        facts.extend(self.let_go_at().filter(|_| self.disagrees()).map(|at| Fact::new("users are held until", at)));
        facts.extend(self.approval.map(Approval::as_fact));
        facts
    }
}

impl fmt::Display for TooRecent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RangBefore { armed } => write!(f, "the alarm has rung since before it was armed at {armed}"),
            Self::Settling { armed, settle_seconds } => {
                write!(f, "armed at {armed}, less than SettleSeconds ({settle_seconds}) before the alarm")
            }
            Self::Cooling { failed_back, cooldown_seconds } => {
                write!(
                    f,
                    "failed back at {failed_back}, less than CooldownSeconds ({cooldown_seconds}) before the alarm"
                )
            }
        }
    }
}
