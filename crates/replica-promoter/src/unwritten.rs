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
