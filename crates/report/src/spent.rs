//! What the time of an incident went by.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Stage, span};

/// By what, or by whom, the time before a stage went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A wait that somebody chose, by a parameter.
    Choice,
    /// A wait for a person, or for what a guard wants to see first.
    Person,
    /// Holdfast's own looks and calls.
    Holdfast,
    /// Health checks and alarms.
    Detection,
    /// Route 53 brings a change to its name servers.
    Dns,
    /// Users' own resolvers and retries.
    Clients,
    /// RDS promotes.
    Rds,
    /// Some of these, and the records do not tell them apart.
    Unknown,
}

impl Cause {
    /// All, in the order of the page.
    const ALL: [Self; 8] = [
        Self::Choice,
        Self::Person,
        Self::Detection,
        Self::Holdfast,
        Self::Dns,
        Self::Clients,
        Self::Rds,
        Self::Unknown,
    ];

    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Choice => "waited by choice",
            Self::Person => "waited for a person or a guard",
            Self::Holdfast => "Holdfast",
            Self::Detection => "AWS (health checks, alarms)",
            Self::Dns => "AWS (DNS propagation)",
            Self::Clients => "users (DNS caches, retries)",
            Self::Rds => "RDS",
            Self::Unknown => "not known apart",
        }
    }

    /// For the page's styles.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Person => "person",
            Self::Holdfast => "ours",
            Self::Detection | Self::Dns => "aws",
            Self::Clients => "clients",
            Self::Rds => "rds",
            Self::Unknown => "unknown",
        }
    }

    /// True for time in which nothing was at work: a picture may draw it short.
    pub(crate) fn is_wait(self) -> bool {
        matches!(self, Self::Choice | Self::Person)
    }
}

/// How much of the way went by one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// By what.
    pub cause: Cause,
    /// How long.
    pub seconds: i64,
    /// Before which stages.
    pub parts: Vec<String>,
}

impl Share {
    pub(crate) fn took(&self) -> String {
        span(self.seconds)
    }

    pub(crate) fn of(&self) -> String {
        self.parts.join("; ")
    }
}

/// The way from the first stage to the one reached at `until`, by what it went by: nothing of it is left out or counted twice.
#[must_use]
pub fn shares(stages: &[Stage], until: Timestamp) -> Vec<Share> {
    let steps: Vec<_> = stages.windows(2).filter(|step| step[1].at <= until).collect();
    let share = |cause: Cause| {
        let of_cause = steps.iter().filter(|step| step[1].cause.unwrap_or(Cause::Unknown) == cause);
        let took = |step: &&&[Stage]| step[1].at.as_second() - step[0].at.as_second();
        let part = |step: &&&[Stage]| {
            let how = if step[1].how.is_empty() { String::new() } else { format!(" ({})", step[1].how) };
            format!("to {}{how} {}", step[1].name, span(took(step)))
        };
        let parts: Vec<_> = of_cause.clone().filter(|step| took(step) > 0).map(|step| part(&step)).collect();
        Share { cause, seconds: of_cause.map(|step| took(&step)).sum(), parts }
    };
    Cause::ALL.into_iter().map(share).filter(|share| !share.parts.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_to_the_end_is_somebodys_and_none_after_it() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let stages = [
            Stage::new("site-down", at(0), None, ""),
            Stage::new("prolonged-outage", at(1_740), Some(Cause::Choice), "OutageMinutes"),
            Stage::new("pin requested", at(1_740), Some(Cause::Holdfast), ""),
            Stage::new("promotion asked", at(2_000), Some(Cause::Choice), ""),
            Stage::new("failed over", at(2_300), None, ""),
            Stage::new("back", at(9_000), Some(Cause::Person), ""),
        ];
        let shares = shares(&stages, at(2_300));
        let told: Vec<_> = shares.iter().map(|share| (share.cause, share.seconds)).collect();
        assert_eq!(told, [(Cause::Choice, 2_000), (Cause::Unknown, 300)]);
        assert_eq!(shares[0].of(), "to prolonged-outage (OutageMinutes) 29 min; to promotion asked 4 min 20 s");
    }

    #[test]
    fn a_span_names_its_units() {
        for (seconds, words) in [
            (0, "0 s"),
            (42, "42 s"),
            (1_800, "30 min"),
            (2_364, "39 min 24 s"),
            (3_723, "1 h 2 min 3 s"),
            (7_200, "2 h"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}
