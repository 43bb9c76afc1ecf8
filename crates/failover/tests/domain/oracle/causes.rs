//! What a row must be able to say for itself: where several rows decide alike, the cause that people are told is one that is so.

use super::pins::{is_down, is_unclear};
use super::sight::{Sight, State};
use failover::observation::{Probe, Targets};
use failover::rule::Id;

impl Sight {
    /// True unless `row` tells of something that is not so. Rows that alone have their verdict tell of it.
    pub fn is_so(&self, row: Id) -> bool {
        let is_absent = matches!(self.state, State::Absent);
        match row.to_string().as_str() {
            "P01" => self.is_foreign,
            "P04a" => self.incident().is_some(),
            "P04d" => is_absent && self.is_blind(),
            "P04e" => is_absent && is_down(self.primary),
            "P04f" => is_absent && is_unclear(self.primary),
            "P04g" => is_absent && self.is_unevaluated(),
            "P05a" | "P06e" => self.incident().is_some(),
            "P05b" | "P06d" => self.incident().is_none(),
            "P06a" => !self.has_alarms(),
            "P06c" => !is_absent && self.is_blind(),
            "P07a" => is_absent && self.is_broken(),
            "P07b" => !is_absent && self.is_broken(),
            "P07c" => self.is_unevaluated(),
            "P07d" => is_unclear(self.primary),
            "P07e" => is_down(self.dr),
            "P07g" => is_unclear(self.dr),
            "P07h" => is_down(self.primary),
            // By this one alone the switch lets go of users: it must be told whenever it is so.
            "P09c" => self.lets_go(),
            "P09a" => self.primary == Probe::Answers && !self.lets_go(),
            "P09b" => is_unclear(self.primary) && !self.lets_go(),
            "P10" => is_down(self.dr),
            "P07i" => matches!(self.targets, Targets::NoAlarm | Targets::Unevaluated),
            "P07j" => matches!(self.targets, Targets::TooFew | Targets::NoData) && !self.prepares,
            "P15a" => self.targets == Targets::TooFew,
            "P15b" => !matches!(self.targets, Targets::NotAsked | Targets::Healthy | Targets::TooFew),
            "P13a" => self.is_committed(),
            "P13b" => !self.is_committed(),
            _ => true,
        }
    }
}
