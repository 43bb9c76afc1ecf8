//! A latch's text: `v=1 committed at=… incident=…`.

use std::fmt;

use super::{Latch, Stage};
use crate::register::RegisterError;
use crate::register::text::{Fields, encode, write_evidence};

pub(super) fn parse(text: &str) -> Result<Latch, RegisterError> {
    let (state, fields) = Fields::of(text)?;
    let stage = match state {
        "committed" => Stage::Committed,
        "promoting" => Stage::Promoting,
        "failed-over" => Stage::FailedOver { at: fields.time("ended")? },
        _ => return Err(RegisterError::Version(text.to_owned())),
    };
    Ok(Latch {
        incident: fields.text("incident")?.parse().map_err(|_| fields.error("incident"))?,
        at: fields.time("at")?,
        stage,
        shown: fields.optional_time("shown")?,
        looked: fields.optional_time("looked")?,
        evidence: fields.evidence()?,
    })
}

impl fmt::Display for Latch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.stage {
            Stage::Committed => "committed",
            Stage::Promoting => "promoting",
            Stage::FailedOver { .. } => "failed-over",
        };
        write!(f, "v=1 {state} at={} incident={}", self.at, encode(&self.incident.to_string()))?;
        if let Stage::FailedOver { at } = self.stage {
            write!(f, " ended={at}")?;
        }
        self.shown.iter().try_for_each(|at| write!(f, " shown={at}"))?;
        self.looked.iter().try_for_each(|at| write!(f, " looked={at}"))?;
        write_evidence(f, &self.evidence)
    }
}
