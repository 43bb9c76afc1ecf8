//! What wakes alarm-handler, and what is known of the alarms then.

use jiff::{SignedDuration, Timestamp};

use crate::finding::{Finding, Kind};
use crate::incident::{AlarmSighting, AlarmState, Approval, Incident};
use crate::observation::Alarms;
use crate::plan::{Plan, alarm_name};

/// How old an alarm's state may be for its event to speak alone. EventBridge delivers an event for up to 24 hours and
/// Lambda for six more, and by then the alarm may be over; three minutes of Lambda's own retries fit in well.
const SPEAKS_ALONE: SignedDuration = SignedDuration::from_mins(15);

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Look, whatever happened.
    Tick,
    /// Something happened that is no change of an alarm's state, such as one contributor's: look, as at a tick.
    Hint,
    /// An alarm changed state.
    Alarm(AlarmSighting),
    /// A person approves.
    Approval {
        /// What.
        approval: Approval,
        /// When; an event may be delivered again hours later.
        given: Timestamp,
    },
}

impl Signal {
    /// True if an alarm woke us that the plan does not name.
    #[must_use]
    pub fn is_foreign(&self, plan: &Plan) -> bool {
        matches!(self, Self::Alarm(alarm) if !plan.alarms.contains(&alarm.arn))
    }

    /// The approval, if that is what woke us.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approval { approval, .. } => Some(approval),
            Self::Tick | Self::Hint | Self::Alarm(_) => None,
        }
    }

    /// Why a person's word had no part in what was found: it speaks of an incident that no name is in. None where a call failed, since
    /// nobody knows then.
    #[must_use]
    pub fn unheeded(&self, findings: &[Finding], now: Timestamp) -> Option<String> {
        let incident = &self.approval()?.incident;
        let is_in =
            |finding: &Finding| finding.kind == Kind::Interrupted || finding.incident.as_ref() == Some(incident);
        if findings.iter().any(is_in) {
            return None;
        }
        let said = match (incident.as_declared_alarm(), findings.iter().find_map(|finding| finding.incident.as_ref())) {
            (Some(_), _) if declared(incident, now).is_none() => format!(
                "the failover that it starts is of {}, which is valid for {} minutes, and now it is {now:.0}. If it is still meant, send it again \
                 with the time now (`holdfast failover` does)",
                incident.began,
                SPEAKS_ALONE.as_mins()
            ),
            (_, Some(other)) => format!(
                "it speaks of {incident}, and the incident now is {other}. `holdfast approve` goes on with that one"
            ),
            (_, None) => format!(
                "it speaks of {incident}, and no name is in that incident now: its alarm is over or was never heard of. If users are cut off, \
                 `holdfast failover` starts one"
            ),
        };
        Some(said)
    }

    /// The newest word on each of the plan's alarms, CloudWatch's or this event's; one that CloudWatch does not have is missing. Where
    /// CloudWatch does not answer, a fresh event or a person's fresh approval is all there is: with us-east-1 down, nobody else can tell.
    #[must_use]
    pub fn known_alarms(&self, plan: &Plan, described: Option<Vec<AlarmSighting>>, now: Timestamp) -> Alarms {
        let is_fresh = |at: Timestamp| now.duration_since(at) <= SPEAKS_ALONE;
        let told = match self {
            Self::Alarm(alarm) => Some(alarm.clone()).filter(|_| !self.is_foreign(plan)),
            Self::Approval { approval, .. } => declared(&approval.incident, now),
            Self::Tick | Self::Hint => None,
        };
        if let Some(described) = described {
            // Of an alarm that somebody has deleted CloudWatch says nothing: an old event about it may be about what is over.
            let told = told.filter(|alarm| is_fresh(alarm.since) || described.iter().any(|it| it.arn == alarm.arn));
            let mut known = AlarmSighting::newest(described.into_iter().chain(told));
            let missing = plan.alarms.iter().filter(|arn| known.iter().all(|alarm| alarm.arn != **arn));
            let missing: Vec<_> = missing.filter_map(|arn| AlarmSighting::missing(arn, now)).collect();
            known.extend(missing);
            return Some(known);
        }
        let by_a_person = || match self {
            // An old approval delivered again is nobody's word about now: what it was given for may be over, failed back
            // and armed again.
            Self::Approval { approval, given } if is_fresh(*given) => vouched(plan, approval),
            Self::Tick | Self::Hint | Self::Alarm(_) | Self::Approval { .. } => None,
        };
        told.filter(|alarm| is_fresh(alarm.since)).or_else(by_a_person).map(|alarm| vec![alarm])
    }
}

/// Until when alarm-handler acts on a person's word that starts a failover, though it may have got lost on the way; nothing for an alarm's.
#[must_use]
pub fn declared_until(incident: &Incident) -> Option<Timestamp> {
    incident.is_declared().then(|| incident.began.checked_add(SPEAKS_ALONE).unwrap_or(Timestamp::MAX))
}

/// The alarm that a person rings who starts a failover. An old request is none: what it was meant for may be over.
fn declared(incident: &Incident, now: Timestamp) -> Option<AlarmSighting> {
    let alarm = incident.as_declared_alarm()?;
    (now.duration_since(alarm.since).abs() <= SPEAKS_ALONE).then_some(alarm)
}

/// The alarm as a person who approves its incident has seen it.
fn vouched(plan: &Plan, approval: &Approval) -> Option<AlarmSighting> {
    let Incident { alarm, began } = &approval.incident;
    let arn = plan.alarms.iter().find(|arn| alarm_name(arn) == Some(alarm))?;
    Some(AlarmSighting {
        arn: arn.clone(),
        name: alarm.clone(),
        state: AlarmState::Alarm,
        since: *began,
        trouble: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    const ARN: &str = "arn:aws:cloudwatch:us-east-1:1:alarm:a";

    fn plan() -> Plan {
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["ALL"]}],"alarms":["ARN"],
            "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;
        Plan::parse(&plan.replace("ARN", ARN)).unwrap()
    }

    fn sighting(state: AlarmState, minute: i64) -> AlarmSighting {
        AlarmSighting { arn: ARN.to_owned(), name: "a".to_owned(), state, since: at(minute * 60), trouble: None }
    }

    fn approval(incident: Incident, given_minute: i64) -> Signal {
        let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: [].into() };
        Signal::Approval { approval, given: at(given_minute * 60) }
    }

    #[test]
    fn an_event_speaks_alone_only_while_it_is_fresh() {
        let (ringing, over) = (sighting(AlarmState::Alarm, 10), sighting(AlarmState::Ok, 20));
        let now = |minute: i64| at(minute * 60);
        let second = SignedDuration::from_secs(1);
        let gone = AlarmSighting::missing(ARN, now(25) + second).unwrap();
        for (story, described, told, now, known) in [
            ("a fresh event is believed", None, Some(&ringing), now(25), Some(vec![&ringing])),
            ("though the clocks differ", None, Some(&ringing), now(9), Some(vec![&ringing])),
            ("an old one is not", None, Some(&ringing), now(25) + second, None),
            ("nor that all is well", None, Some(&over), now(36), None),
            ("without an event nothing is known", None, None, now(25), None),
            ("CloudWatch's word has no age", Some(vec![ringing.clone()]), None, now(900), Some(vec![&ringing])),
            ("nor has an event beside it", Some(vec![ringing.clone()]), Some(&over), now(900), Some(vec![&over])),
            (
                "of an alarm that is deleted a fresh event is believed",
                Some(vec![]),
                Some(&ringing),
                now(25),
                Some(vec![&ringing]),
            ),
            ("an old one is not: it may be over", Some(vec![]), Some(&ringing), now(25) + second, Some(vec![&gone])),
            ("CloudWatch's newer word counts", Some(vec![over.clone()]), Some(&ringing), now(21), Some(vec![&over])),
        ] {
            let signal = told.map_or(Signal::Tick, |alarm| Signal::Alarm(alarm.clone()));
            let alarms = signal.known_alarms(&plan(), described, now);
            assert_eq!(alarms.as_ref().map(|alarms| alarms.iter().collect()), known, "{story}");
        }
    }

    #[test]
    fn an_alarm_that_the_plan_does_not_name_tells_nothing() {
        let foreign = AlarmSighting { arn: "else".to_owned(), ..sighting(AlarmState::Alarm, 10) };
        let signal = Signal::Alarm(foreign);
        assert!(signal.is_foreign(&plan()) && !Signal::Alarm(sighting(AlarmState::Alarm, 10)).is_foreign(&plan()));
        assert_eq!(signal.known_alarms(&plan(), None, at(600)), None);
        let missing = AlarmSighting { since: at(600), ..sighting(AlarmState::Missing, 0) };
        assert_eq!(signal.known_alarms(&plan(), Some(Vec::new()), at(600)), Some(vec![missing]));
    }

    #[test]
    fn an_alarm_that_cloudwatch_does_not_have_is_missing_and_one_nobody_could_be_asked_for_is_not() {
        let (missing, ringing) = (sighting(AlarmState::Missing, 10), sighting(AlarmState::Alarm, 9));
        let known = |signal: &Signal, described| signal.known_alarms(&plan(), described, at(600));
        assert_eq!(known(&Signal::Tick, Some(Vec::new())), Some(vec![missing]));
        assert_eq!(known(&Signal::Tick, None), None);
        assert_eq!(
            known(&Signal::Alarm(ringing.clone()), Some(Vec::new())),
            Some(vec![ringing.clone()]),
            "it was heard of"
        );
        assert_eq!(known(&Signal::Alarm(ringing.clone()), None), Some(vec![ringing]));
    }

    #[test]
    fn a_person_who_starts_a_failover_rings_an_alarm_that_soon_falls_silent() {
        let request = approval(Incident::declared(at(600)), 10);
        let rings = |minute: i64| {
            let alarms = request.known_alarms(&plan(), Some(Vec::new()), at(minute * 60));
            alarms.iter().flatten().any(|alarm| alarm.state == AlarmState::Alarm)
        };
        assert_eq!([rings(-6), rings(-5), rings(10), rings(25), rings(26)], [false, true, true, true, false]);
        assert_eq!(request.approval().map(|approval| approval.by.as_str()), Some("kim"));
        assert_eq!(
            [Signal::Tick, Signal::Alarm(sighting(AlarmState::Alarm, 10))].map(|it| it.approval().cloned()),
            [None, None]
        );
        let of_an_alarm = approval(Incident { alarm: "a".to_owned(), began: at(600) }, 10);
        let missing = sighting(AlarmState::Missing, 10);
        assert_eq!(of_an_alarm.known_alarms(&plan(), Some(Vec::new()), at(600)), Some(vec![missing]));
    }

    #[test]
    fn a_person_vouches_for_the_alarm_only_where_cloudwatch_does_not_answer_and_while_the_word_is_fresh() {
        let (ringing, over) = (sighting(AlarmState::Alarm, 10), sighting(AlarmState::Ok, 5));
        let fresh = approval(Incident { alarm: "a".to_owned(), began: at(600) }, 890);
        let now = at(900 * 60);
        assert_eq!(fresh.known_alarms(&plan(), None, now), Some(vec![ringing]));
        assert_eq!(fresh.known_alarms(&plan(), Some(vec![over.clone()]), now), Some(vec![over]));
        let old = approval(Incident { alarm: "a".to_owned(), began: at(600) }, 880);
        assert_eq!(old.known_alarms(&plan(), None, now), None);
    }
}
