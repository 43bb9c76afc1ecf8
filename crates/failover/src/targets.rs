//! Whether enough of DR's targets are healthy, by an alarm that the plan names.
//!
//! The alarm is the user's own, on whatever says that DR can carry users: `HealthyHostCount` of its target groups, most often. Only its
//! `OK` says that they can. That is not known is no evidence of it.

use std::fmt;

use crate::incident::{AlarmSighting, AlarmState, EvaluationTrouble};

/// What the alarm says that is OK while enough of DR's targets are healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Targets {
    /// The plan names no such alarm.
    #[default]
    NotAsked,
    /// Enough are healthy.
    Healthy,
    /// Too few are.
    TooFew,
    /// CloudWatch has no data by which it could tell, as of a group that has no target yet.
    NoData,
    /// CloudWatch cannot evaluate it, or says OK of a part of its data only.
    Unevaluated,
    /// CloudWatch has no such alarm.
    NoAlarm,
    /// CloudWatch did not answer.
    NotAnswered,
}

impl Targets {
    /// By what CloudWatch answered, if it did.
    #[must_use]
    pub fn of(described: Option<&[AlarmSighting]>) -> Self {
        let Some(described) = described else { return Self::NotAnswered };
        let Some(alarm) = described.first() else { return Self::NoAlarm };
        match alarm.state {
            AlarmState::Missing => Self::NoAlarm,
            _ if alarm.trouble.is_some_and(EvaluationTrouble::is_blinding) => Self::Unevaluated,
            // "PARTIAL_DATA": what CloudWatch did not look at may be a group that has no target.
            AlarmState::Ok if alarm.trouble.is_some() => Self::Unevaluated,
            AlarmState::Ok => Self::Healthy,
            AlarmState::Alarm => Self::TooFew,
            AlarmState::InsufficientData => Self::NoData,
        }
    }

    /// True if users are not to be sent there.
    #[must_use]
    pub fn hold_users(self) -> bool {
        !matches!(self, Self::NotAsked | Self::Healthy)
    }

    /// True if nobody knows whether enough are healthy.
    #[must_use]
    pub fn is_unclear(self) -> bool {
        self.hold_users() && self != Self::TooFew
    }

    /// True if in peace it already shows that an outage would find them so. A step may raise DR first, and brings data with it; that
    /// CloudWatch does not answer now says nothing of then.
    #[must_use]
    pub fn would_hold(self, prepares: bool) -> bool {
        match self {
            Self::NotAsked | Self::Healthy | Self::NotAnswered => false,
            Self::TooFew | Self::NoData => !prepares,
            Self::Unevaluated | Self::NoAlarm => true,
        }
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "not asked: the plan names no alarm",
            Self::Healthy => "healthy: the alarm says OK",
            Self::TooFew => "too few are healthy: the alarm says ALARM",
            Self::NoData => "not known: the alarm has no data",
            Self::Unevaluated => "not known: CloudWatch cannot evaluate the alarm, or not on all of its data",
            Self::NoAlarm => "not known: CloudWatch has no such alarm",
            Self::NotAnswered => "not known: CloudWatch did not answer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    #[test]
    fn only_an_ok_that_cloudwatch_could_evaluate_says_that_targets_are_healthy() {
        use AlarmState::{Alarm, InsufficientData, Missing, Ok};
        use EvaluationTrouble::{Error, Failure, PartialData};
        let of = |state, trouble| {
            let (arn, name) = ("a".to_owned(), "dr-healthy".to_owned());
            Targets::of(Some(&[AlarmSighting { arn, name, state, since: at(0), trouble }]))
        };
        for (targets, expected, holds, unclear, in_peace, in_peace_with_steps) in [
            (Targets::default(), Targets::NotAsked, false, false, false, false),
            (Targets::of(None), Targets::NotAnswered, true, true, false, false),
            (Targets::of(Some(&[])), Targets::NoAlarm, true, true, true, true),
            (of(Missing, None), Targets::NoAlarm, true, true, true, true),
            (of(Ok, None), Targets::Healthy, false, false, false, false),
            (of(Ok, Some(PartialData)), Targets::Unevaluated, true, true, true, true),
            (of(Ok, Some(Error)), Targets::Unevaluated, true, true, true, true),
            (of(Ok, Some(Failure)), Targets::Unevaluated, true, true, true, true),
            (of(Alarm, None), Targets::TooFew, true, false, true, false),
            (of(Alarm, Some(PartialData)), Targets::TooFew, true, false, true, false),
            (of(Alarm, Some(Failure)), Targets::Unevaluated, true, true, true, true),
            (of(InsufficientData, None), Targets::NoData, true, true, true, false),
        ] {
            assert_eq!(targets, expected);
            assert_eq!((targets.hold_users(), targets.is_unclear()), (holds, unclear), "{targets}");
            assert_eq!(
                (targets.would_hold(false), targets.would_hold(true)),
                (in_peace, in_peace_with_steps),
                "{targets}"
            );
        }
    }
}
