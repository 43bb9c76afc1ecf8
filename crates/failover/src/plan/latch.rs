//! The plan's latch.

use serde::Deserialize;

use super::{PlanError, given};
use crate::name::{Name, NameError};

/// Where a failover is committed beside Route 53.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latch {
    /// The table in the DR region.
    pub table: String,
    /// How name servers show it, if databases may be promoted by that; none if promotion waits for the pin.
    pub shown: Option<Shown>,
    /// How old the listing in the table may be that a look goes by while all is quiet, in seconds; 0 if every look is to list the records.
    pub listing_seconds_max: u32,
}

/// How often the listing is renewed that no look in peace goes by.
const RENEWED_SECONDS: u32 = 3_600;

impl Latch {
    /// At what age the listing is renewed, in seconds.
    #[must_use]
    pub fn renewed_seconds(&self) -> u32 {
        if self.listing_seconds_max == 0 { RENEWED_SECONDS } else { self.listing_seconds_max }
    }
}

/// How name servers show the latch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What they are asked for.
    pub pairs: Pairs,
    /// What is added to TTL and drain time where name servers' answers stand in for a pin in sync, in seconds: locations of Route 53 may
    /// differ for a while.
    pub margin_seconds: u32,
}

/// The TXT failover pairs that show the latch and the switch in DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// On the first of the switch's two latch checks.
    pub latch: Name,
    /// On the second.
    pub again: Name,
    /// On the switch.
    pub switch: Name,
}

impl Pairs {
    /// The pairs of the workload whose pairs end in `suffix`.
    ///
    /// # Errors
    /// If such names are too long for DNS.
    pub fn of(suffix: &Name) -> Result<Self, NameError> {
        let named = |label: &str| format!("_holdfast-{label}.{suffix}").parse();
        Ok(Self { latch: named("latch")?, again: named("latch-again")?, switch: named("switch")? })
    }
}

/// The ARN of the alarm that two of the switch's children go by: the template names it and the hold's after the bus.
#[must_use]
pub fn latch_alarm(hold_alarm: &str) -> String {
    hold_alarm.replace("-hold-lapsed", "-latched")
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLatch {
    #[serde(default)]
    table: String,
    #[serde(default)]
    pairs: String,
    #[serde(default)]
    margin_seconds: u32,
    #[serde(default)]
    listing_minutes_max: u32,
}

impl RawLatch {
    pub(super) fn parse(self) -> Result<Option<Latch>, PlanError> {
        let Some(table) = given(vec![self.table]).pop() else { return Ok(None) };
        let pairs = |text: String| {
            let pairs = text.parse::<Name>().and_then(|suffix| Pairs::of(&suffix));
            pairs.map_err(|error| PlanError::LatchPairs { text, error })
        };
        let pairs = given(vec![self.pairs]).pop().map(pairs).transpose()?;
        let margin_seconds = self.margin_seconds;
        let shown = pairs.map(|pairs| Shown { pairs, margin_seconds });
        Ok(Some(Latch { table, shown, listing_seconds_max: self.listing_minutes_max.saturating_mul(60) }))
    }
}
