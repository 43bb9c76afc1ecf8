//! What could not be put on record.

use aws::CallError;
use failover::observation::Attention;
use failover::outcome::{Finding, Kind};
use failover::promotion::GateDecision;
use failover::refusal::Fate;
use failover::register::RegisterError;

/// Registers that Route 53 has not taken, and may yet.
pub(crate) struct Unwritten {
    pub error: CallError,
    pub gate: GateDecision,
    /// What it will not take.
    pub refused: Vec<Finding>,
    /// Some of them were taken, or may have been.
    pub may_have_written: bool,
    /// What is to be told if they were to close the incident, and a new look finds it closed.
    pub closing: Option<Finding>,
}

impl Unwritten {
    pub(crate) fn of(error: CallError, gate: GateDecision) -> Self {
        let may_have_written = error.fate() == Fate::Unknown;
        Self { error, gate, refused: Vec::new(), may_have_written, closing: None }
    }

    pub(crate) fn may_look_again(&self) -> bool {
        self.error.may_look_again()
    }

    /// Whoever closed even a part of the incident tells its end.
    pub(crate) fn closing(self, closed: Finding) -> Self {
        let closing = self.may_have_written.then_some(closed);
        Self { closing, ..self }
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let Self { error, gate, mut refused, .. } = self;
        refused.push(Finding::interrupted("the registers".to_owned(), error.fate(), &error, gate.incident, gate.since));
        refused
    }
}

pub(crate) fn cannot_be_written(error: &RegisterError, gate: GateDecision) -> Finding {
    Finding {
        kind: Kind::Refused,
        because: error.to_string(),
        attention: Attention::Page,
        next: "Holdfast goes no further until you have put it right".to_owned(),
        ..gate.into()
    }
}

#[cfg(test)]
mod tests {
    use failover::observation::Changes;
    use failover::plan::Plan;
    use failover::promotion::decide_gate;
    use jiff::Timestamp;

    use super::*;

    fn of(error: CallError) -> Unwritten {
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["ALL"]}],"alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],
            "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;
        let gate = decide_gate(&Plan::parse(plan).unwrap(), Timestamp::UNIX_EPOCH, &[], &Changes::new());
        Unwritten::of(error, gate)
    }

    fn closed() -> Finding {
        Finding { kind: Kind::FailedOver, ..of(never_sent()).gate.into() }
    }

    fn never_sent() -> CallError {
        CallError::NeverSent { call: "ChangeResourceRecordSets", why: "no route".to_owned() }
    }

    #[test]
    fn the_end_of_an_incident_is_told_by_whoever_may_have_closed_a_part_of_it() {
        let unknown = CallError::Unknown { call: "ChangeResourceRecordSets", why: "timed out".to_owned() };
        assert_eq!(of(unknown).closing(closed()).closing, Some(closed()));
        assert_eq!(of(never_sent()).closing(closed()).closing, None, "nothing of it was written");
    }

    #[test]
    fn what_route_53_refuses_is_told_beside_what_it_did_not_answer() {
        let refused = Finding { kind: Kind::WriteRefused, ..closed() };
        let unwritten = Unwritten { refused: vec![refused.clone()], ..of(never_sent()) };
        let findings = unwritten.into_findings();
        assert_eq!(findings[0], refused);
        assert_eq!((findings.len(), findings[1].kind), (2, Kind::Interrupted));
    }
}
