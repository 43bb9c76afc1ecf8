//! Incidents, alarms and approvals: what is said to Holdfast.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::plan::{Plan, alarm_name};
use crate::rule::Rule;

/// One outage as all of Holdfast names it: the alarm, and when it entered ALARM. Every retry and every duplicate of an
/// event speaks of the same incident.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Incident {
    /// When the alarm entered ALARM.
    pub began: Timestamp,
    /// The alarm's name.
    pub alarm: String,
}

/// Instead of an alarm's name: a person started the failover.
pub(crate) const OPERATOR: &str = "operator";

/// Instead of an alarm's name: a drill's throw-away name (`holdfast drill`) is failed over.
pub const DRILL: &str = "holdfast-drill";

impl Incident {
    /// True of a drill's, which takes no other name along.
    #[must_use]
    pub fn is_drill(&self) -> bool {
        self.alarm == DRILL
    }

    /// An incident that a person declares.
    #[must_use]
    pub fn declared(at: Timestamp) -> Self {
        Self { began: at, alarm: OPERATOR.to_owned() }
    }

    /// True if a person declared it, and no alarm.
    #[must_use]
    pub fn is_declared(&self) -> bool {
        self.alarm == OPERATOR
    }

    /// A declared incident as the alarm that nobody else rang.
    #[must_use]
    pub fn as_declared_alarm(&self) -> Option<AlarmSighting> {
        let (arn, name) = (self.alarm.clone(), self.alarm.clone());
        self.is_declared().then_some(AlarmSighting {
            arn,
            name,
            state: AlarmState::Alarm,
            since: self.began,
            trouble: None,
        })
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.alarm, self.began)
    }
}

/// A text that names no incident.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no incident id; copy it from the message, it looks like holdfast-failover-started@2026-01-01T12:00:00Z"
)]
pub struct IncidentError(String);

impl FromStr for Incident {
    type Err = IncidentError;

    fn from_str(text: &str) -> Result<Self, IncidentError> {
        let bad = || IncidentError(text.to_owned());
        let (alarm, began) = text.rsplit_once('@').ok_or_else(bad)?;
        Ok(Self { alarm: alarm.to_owned(), began: began.parse().map_err(|_| bad())? })
    }
}

impl TryFrom<String> for Incident {
    type Error = IncidentError;

    fn try_from(text: String) -> Result<Self, IncidentError> {
        text.parse()
    }
}

impl From<Incident> for String {
    fn from(incident: Incident) -> Self {
        incident.to_string()
    }
}

/// What an alarm says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmState {
    /// The metric is fine.
    Ok,
    /// Failover has started.
    Alarm,
    /// CloudWatch has too little data to say.
    InsufficientData,
    /// CloudWatch answered, and has no such alarm. It never says so itself.
    #[serde(skip_deserializing)]
    Missing,
}

/// An alarm as an event or CloudWatch described it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlarmSighting {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What it said.
    pub state: AlarmState,
    /// When it began to say so.
    pub since: Timestamp,
    /// What keeps CloudWatch from evaluating it as it should, if anything is known to.
    pub trouble: Option<EvaluationTrouble>,
}

/// What CloudWatch says of its own evaluation of an alarm (`DescribeAlarms`, `EvaluationState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvaluationTrouble {
    /// "Not all the available data was able to be retrieved due to quota limitations."
    PartialData,
    /// "Configuration errors in alarm setup that require review and correction."
    Error,
    /// "Temporary CloudWatch issues. We recommend manual monitoring until the issue is resolved."
    Failure,
}

impl EvaluationTrouble {
    /// True if the alarm's state says nothing about the metric while this lasts.
    #[must_use]
    pub fn is_blinding(self) -> bool {
        matches!(self, Self::Error | Self::Failure)
    }
}

impl fmt::Display for EvaluationTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PartialData => "PARTIAL_DATA: CloudWatch did not get all of its data",
            Self::Error => "EVALUATION_ERROR: CloudWatch cannot evaluate it as it is set up",
            Self::Failure => "EVALUATION_FAILURE: CloudWatch cannot evaluate it for now",
        })
    }
}

impl AlarmSighting {
    /// What it says, since when, and whether CloudWatch can tell.
    #[must_use]
    pub fn in_words(&self) -> String {
        let trouble = self.trouble.map(|trouble| format!(", though {trouble}")).unwrap_or_default();
        format!("{:?} since {}{trouble}", self.state, self.since)
    }

    /// True if it is one of the plan's, and CloudWatch can evaluate it.
    pub(crate) fn watches(&self, plan: &Plan) -> bool {
        plan.alarms.contains(&self.arn) && !self.trouble.is_some_and(EvaluationTrouble::is_blinding)
    }

    /// True if it says that all is well, and CloudWatch can tell: the state of an alarm that it cannot evaluate is an old one.
    #[must_use]
    pub fn says_ok(&self) -> bool {
        self.state == AlarmState::Ok && !self.trouble.is_some_and(EvaluationTrouble::is_blinding)
    }

    /// CloudWatch was asked for the alarm `arn`, and does not have it.
    pub(crate) fn missing(arn: &str, now: Timestamp) -> Option<Self> {
        let name = alarm_name(arn)?.to_owned();
        Some(Self { arn: arn.to_owned(), name, state: AlarmState::Missing, since: now, trouble: None })
    }

    /// For each alarm the newest of what was heard of it: an event that overtook CloudWatch's own answer counts, a late
    /// event does not.
    #[must_use]
    pub fn newest(sightings: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut newest: Vec<Self> = Vec::new();
        for sighting in sightings {
            match newest.iter_mut().find(|known| known.arn == sighting.arn) {
                Some(known) if known.since < sighting.since => *known = sighting,
                Some(_) => {}
                None => newest.push(sighting),
            }
        }
        newest
    }
}

/// A person's leave to go on in one incident despite named rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The only incident it speaks of.
    pub incident: Incident,
    /// Who gave it.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The rules it lifts beside `P12`, which any approval lifts. A rule that no approval may lift is refused.
    #[serde(default)]
    pub despite: BTreeSet<Rule>,
}

/// Why an approval is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// Not of an approval's shape.
    #[error("not an approval: {0}")]
    Shape(String),
    /// It names a rule that keeps data safe whatever a person says.
    #[error("no approval may lift {0}; those that one may lift are {liftable}", liftable = Rule::liftable_in_words())]
    NotLiftable(Rule),
}

impl Approval {
    /// Reads an approval event's detail.
    ///
    /// # Errors
    /// If it is not one, or lifts what may not be lifted.
    pub fn parse(detail: &str) -> Result<Self, ApprovalError> {
        let approval: Self = serde_json::from_str(detail).map_err(|error| ApprovalError::Shape(error.to_string()))?;
        match approval.despite.iter().find(|rule| !rule.is_liftable()) {
            Some(rule) => Err(ApprovalError::NotLiftable(*rule)),
            None => Ok(approval),
        }
    }

    /// Who gave it and why, for the record.
    pub(crate) fn as_fact(&self) -> Fact {
        let rules: Vec<_> = self.despite.iter().map(ToString::to_string).collect();
        let lifting = if rules.is_empty() { String::new() } else { format!(", despite {}", rules.join(", ")) };
        let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        Fact::new("approval", format!("of {} by {}{lifting}{reason}", self.incident, self.by))
    }

    /// True if this approval lifts `rule` in `incident`.
    #[must_use]
    pub fn lifts(&self, rule: Rule, incident: &Incident) -> bool {
        self.incident == *incident && rule.is_liftable() && (rule == Rule::P12 || self.despite.contains(&rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    fn sighting(state: AlarmState, seconds: i64) -> AlarmSighting {
        AlarmSighting { arn: "a".to_owned(), name: "a".to_owned(), state, since: at(seconds), trouble: None }
    }

    #[test]
    fn an_incident_id_survives_being_written_and_read() {
        let incident = Incident { alarm: "team@example: site".to_owned(), began: at(0) };
        assert_eq!(incident.to_string().parse(), Ok(incident));
        assert!("nothing".parse::<Incident>().is_err());
    }

    #[test]
    fn every_state_of_an_alarm_can_be_told_and_cloudwatch_says_all_but_one() {
        for (state, word) in [
            (AlarmState::Ok, "OK"),
            (AlarmState::Alarm, "ALARM"),
            (AlarmState::InsufficientData, "INSUFFICIENT_DATA"),
            (AlarmState::Missing, "MISSING"),
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), word);
            let read = serde_json::from_value::<AlarmState>(word.into());
            assert_eq!(read.ok(), Some(state).filter(|state| *state != AlarmState::Missing));
        }
    }

    #[test]
    fn the_newest_word_of_an_alarm_counts_whichever_way_it_came() {
        let (ok, alarm) = (sighting(AlarmState::Ok, 0), sighting(AlarmState::Alarm, 60));
        for heard in [[ok.clone(), alarm.clone()], [alarm.clone(), ok]] {
            assert_eq!(AlarmSighting::newest(heard), std::slice::from_ref(&alarm));
        }
    }

    #[test]
    fn an_approval_lifts_only_what_it_names_in_its_own_incident() {
        let approval =
            Approval::parse(r#"{"incident":"a@2026-01-01T12:00:00Z","by":"kim","despite":["P09"]}"#).unwrap();
        let incident = approval.incident.clone();
        let other = Incident { began: at(1), ..incident.clone() };
        assert!(approval.lifts(Rule::P09, &incident) && approval.lifts(Rule::P12, &incident));
        assert!(!approval.lifts(Rule::P10, &incident) && !approval.lifts(Rule::P09, &other));
    }

    #[test]
    fn no_approval_lifts_a_rule_that_keeps_data_safe() {
        let detail = r#"{"incident":"a@2026-01-01T12:00:00Z","by":"kim","despite":["R02"]}"#;
        assert_eq!(Approval::parse(detail), Err(ApprovalError::NotLiftable(Rule::R02)));
    }
}
