//! What CloudWatch remembers of a region, and how alarms move.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::alarm::{Alarm, Verdict};
use super::composite::{CompositeAlarm, Rule};
use super::message::{Settings, Transition, reason, reason_data};
use super::metric::Metrics;
use super::mute::{MuteRule, Status};

/// The state an alarm of any kind is in.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its state.
    pub value: Verdict,
    /// Why it is in it.
    pub reason: String,
    /// The data behind the reason, a JSON text.
    pub reason_data: Option<String>,
    /// When its state was last set.
    pub updated: Timestamp,
    /// When its state last changed.
    pub transitioned: Timestamp,
    /// When its settings last changed.
    pub configured: Timestamp,
}

impl Standing {
    fn new(now: Timestamp) -> Self {
        Self {
            value: Verdict::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated: now,
            transitioned: now,
            configured: now,
        }
    }
}

/// Why a metric alarm's state is not what its metric says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EvaluationState {
    /// Not all of the data was looked at.
    PartialData,
    /// The alarm is set up wrong: it is not evaluated.
    EvaluationError,
    /// "Temporary CloudWatch issues": it is not evaluated.
    EvaluationFailure,
}

/// A metric alarm and the state it is in.
#[derive(Clone, Debug)]
pub struct AlarmState {
    /// Its settings.
    pub alarm: Alarm,
    /// Its state.
    pub standing: Standing,
    /// What is wrong with its evaluation.
    pub evaluation: Option<EvaluationState>,
}

/// A composite alarm and the state it is in.
#[derive(Clone, Debug)]
pub(super) struct CompositeState {
    pub alarm: CompositeAlarm,
    pub rule: Rule,
    pub standing: Standing,
}

/// One line of an alarm's history.
#[derive(Clone, Debug)]
pub struct HistoryItem {
    /// The alarm.
    pub alarm: String,
    /// When.
    pub at: Timestamp,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    pub kind: &'static str,
    /// In words.
    pub summary: String,
    /// As JSON.
    pub data: String,
}

/// A region's metrics and alarms.
#[derive(Debug, Default)]
pub struct Region {
    /// Its metrics.
    pub metrics: Metrics,
    pub(super) alarms: BTreeMap<String, AlarmState>,
    pub(super) composites: BTreeMap<String, CompositeState>,
    pub(super) mutes: BTreeMap<String, MuteRule>,
    /// The last change of each alarm whose actions a rule muted.
    held: BTreeMap<String, Transition>,
    pub(super) history: Vec<HistoryItem>,
}

/// A reason and the data behind it.
pub(super) type Why = (String, Option<String>);

impl Region {
    /// Creates or updates an alarm. "When you update an existing alarm, its state is left unchanged, but the update
    /// completely overwrites the previous configuration"; a new one starts with insufficient data.
    pub fn put_alarm(&mut self, alarm: Alarm, now: Timestamp) {
        let name = alarm.alarm_name.clone();
        let known = self.alarms.get_mut(&name);
        let is_new = known.is_none();
        match known {
            Some(known) => (known.alarm, known.standing.configured) = (alarm, now),
            None => {
                let new = AlarmState { alarm, standing: Standing::new(now), evaluation: None };
                self.alarms.insert(name.clone(), new);
            }
        }
        self.note_configured(&name, is_new, now);
    }

    /// Creates or updates a composite alarm, which is evaluated at once; tells what changed.
    pub(super) fn put_composite(
        &mut self,
        region: &str,
        alarm: CompositeAlarm,
        rule: Rule,
        now: Timestamp,
    ) -> Vec<Transition> {
        let name = alarm.alarm_name.clone();
        let known = self.composites.remove(&name);
        let is_new = known.is_none();
        let before = known.map_or_else(|| Standing::new(now), |known| known.standing);
        let standing = Standing { configured: now, ..before };
        let value = self.verdict(&rule);
        let done = if is_new { "created" } else { "updated" };
        let arn = super::alarm_arn(region, &name);
        let why = format!("{arn} was {done} and its alarm rule evaluates to {}", value.name());
        self.composites.insert(name.clone(), CompositeState { alarm, rule, standing });
        self.note_configured(&name, is_new, now);
        self.set_state(region, &name, value, (why, None), now)
    }

    fn note_configured(&mut self, name: &str, is_new: bool, now: Timestamp) {
        let summary = format!("Alarm \"{name}\" {}", if is_new { "created" } else { "updated" });
        let data = json!({ "version": "1.0", "type": if is_new { "Create" } else { "Update" } });
        self.note(name, now, "ConfigurationUpdate", summary, data.to_string());
    }

    /// Puts an alarm into a state; tells if it was in another, and which composite alarms followed.
    pub fn set_state(
        &mut self,
        region: &str,
        name: &str,
        value: Verdict,
        why: (String, Option<String>),
        now: Timestamp,
    ) -> Vec<Transition> {
        let mut all: Vec<Transition> = self.turn(region, name, value, why, now).into_iter().collect();
        // "The evaluation of composite alarms stops if CloudWatch detects a cycle."
        let most = all.len() + self.composites.len();
        let mut seen = 0;
        while let Some(cause) = all.get(seen).cloned().filter(|_| all.len() <= most) {
            seen += 1;
            for (name, value) in self.following(cause.name()) {
                all.extend(self.turn(region, &name, value, cause.as_trigger(), now));
            }
        }
        all
    }

    /// The composite alarms that ask after an alarm and should be in another state.
    fn following(&self, changed: &str) -> Vec<(String, Verdict)> {
        let asking = self.composites.iter().filter(|(_, known)| known.rule.alarms().contains(changed));
        let judged = asking.map(|(name, known)| (name.clone(), self.verdict(&known.rule), known.standing.value));
        judged.filter(|(_, value, now)| value != now).map(|(name, value, _)| (name, value)).collect()
    }

    fn verdict(&self, rule: &Rule) -> Verdict {
        match rule.holds(&|name| self.standing(name).map(|standing| standing.value)) {
            true => Verdict::Alarm,
            false => Verdict::Ok,
        }
    }

    /// The state of an alarm of any kind.
    pub(super) fn standing(&self, name: &str) -> Option<&Standing> {
        let metric = self.alarms.get(name).map(|known| &known.standing);
        metric.or_else(|| self.composites.get(name).map(|known| &known.standing))
    }

    fn turn(&mut self, region: &str, name: &str, value: Verdict, why: Why, now: Timestamp) -> Option<Transition> {
        let (settings, standing) = match (self.alarms.get_mut(name), self.composites.get_mut(name)) {
            (Some(known), _) => (Settings::Metric(known.alarm.clone()), &mut known.standing),
            (None, Some(known)) => (Settings::Composite(known.alarm.clone()), &mut known.standing),
            (None, None) => return None,
        };
        let before = standing.clone();
        (standing.reason, standing.reason_data, standing.updated) = (why.0, why.1, now);
        if before.value == value {
            return None;
        }
        (standing.value, standing.transitioned) = (value, now);
        let after = standing.clone();
        let summary = format!("Alarm updated from {} to {}", before.value.name(), value.name());
        let side = |state: &Standing| json!({ "stateValue": state.value, "stateReason": state.reason });
        let data = json!({ "version": "1.0", "oldState": side(&before), "newState": side(&after) });
        self.note(name, now, "StateUpdate", summary, data.to_string());
        Some(Transition { region: region.to_owned(), settings, before, after })
    }

    /// Looks at every alarm's metric up to the end of the last whole minute; tells which alarms changed state.
    pub fn evaluate(&mut self, region: &str, end: Timestamp, now: Timestamp) -> Vec<Transition> {
        let judged: Vec<_> = self.alarms.values().filter_map(|known| self.judged(known, end, now)).collect();
        let turned = judged.into_iter().map(|(name, verdict, why)| self.set_state(region, &name, verdict, why, now));
        turned.collect::<Vec<_>>().concat()
    }

    /// The state an alarm should be in and why, if it is in another.
    fn judged(&self, known: &AlarmState, end: Timestamp, now: Timestamp) -> Option<(String, Verdict, Why)> {
        let AlarmState { alarm, standing, evaluation } = known;
        if matches!(evaluation, Some(EvaluationState::EvaluationError | EvaluationState::EvaluationFailure)) {
            return None;
        }
        if alarm.is_warming_up(standing.configured, now) {
            let why = "Unchecked: the alarm is in its warm-up period".to_owned();
            let is_other = standing.value != Verdict::InsufficientData;
            return is_other.then(|| (alarm.alarm_name.clone(), Verdict::InsufficientData, (why, None)));
        }
        let judgement = alarm.judge(&alarm.points(&self.metrics, end), alarm.treat_missing_data.unwrap_or_default());
        let verdict = judgement.verdict.filter(|verdict| *verdict != standing.value)?;
        let data = reason_data(alarm, &judgement, end, now);
        Some((alarm.alarm_name.clone(), verdict, (reason(alarm, &judgement, verdict), Some(data))))
    }

    /// True if the actions of a change are to be taken: they are enabled, the alarm does not warm up, and no rule mutes it.
    /// What a rule mutes is held.
    pub(super) fn acts(&mut self, transition: &Transition, now: Timestamp) -> bool {
        let name = transition.name().to_owned();
        self.held.remove(&name);
        let warms_up =
            self.alarms.get(&name).is_some_and(|known| known.alarm.is_warming_up(known.standing.configured, now));
        if !transition.settings.actions_enabled() || warms_up {
            return false;
        }
        let is_muted = self.is_muted(&name, now);
        if is_muted {
            self.held.insert(name, transition.clone());
        }
        !is_muted
    }

    fn is_muted(&self, name: &str, now: Timestamp) -> bool {
        let mut rules = self.mutes.values().filter(|rule| rule.alarms.iter().any(|alarm| alarm == name));
        rules.any(|rule| rule.status(now) == Status::Active)
    }

    /// The changes whose actions no rule mutes any more, while the alarm is still in the state it then came to.
    pub(super) fn released(&mut self, now: Timestamp) -> Vec<Transition> {
        let names: Vec<String> = self.held.keys().filter(|name| !self.is_muted(name, now)).cloned().collect();
        let held: Vec<Transition> = names.iter().filter_map(|name| self.held.remove(name)).collect();
        let stands =
            |held: &Transition| self.standing(held.name()).is_some_and(|standing| standing.value == held.after.value);
        held.into_iter().filter(stands).collect()
    }

    /// Adds a line to an alarm's history.
    pub fn note(&mut self, alarm: &str, at: Timestamp, kind: &'static str, summary: String, data: String) {
        self.history.push(HistoryItem { alarm: alarm.to_owned(), at, kind, summary, data });
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::cloudwatch::alarm::tests::alarm;
    use crate::cloudwatch::metric::{Dimension, MetricId, Samples};

    fn minute(n: i64) -> Timestamp {
        "2026-01-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(n)
    }

    /// Reports the health of minute `n`, and evaluates shortly after its end.
    fn pass(region: &mut Region, n: i64, value: Option<f64>) -> Vec<Transition> {
        let id = MetricId::new("AWS/Route53", "HealthCheckStatus", &[]);
        if let Some(value) = value {
            region.metrics.put(id, minute(n), None, Samples::of(value, 1.0));
        }
        region.evaluate("us-east-1", minute(n + 1), minute(n + 1) + SignedDuration::from_secs(10))
    }

    #[test]
    fn thirty_bad_minutes_raise_a_thirty_minute_alarm_and_twenty_nine_do_not() {
        let mut region = Region::default();
        region.put_alarm(alarm(30, 30), minute(0));
        assert_eq!(region.alarms["site-down"].standing.value, Verdict::InsufficientData);
        assert_eq!(pass(&mut region, 0, Some(1.0))[0].after.value, Verdict::Ok);
        for n in 1..30 {
            assert!(pass(&mut region, n, Some(0.0)).is_empty(), "minute {n}");
        }
        let raised = pass(&mut region, 30, Some(0.0));
        assert_eq!(raised[0].after.value, Verdict::Alarm);
        assert_eq!(raised[0].after.transitioned, minute(31) + SignedDuration::from_secs(10));
        assert!(raised[0].after.reason.starts_with(
            "Threshold Crossed: 30 out of the last 30 datapoints were less than the threshold (1.0). The most recent \
             datapoints which crossed the threshold: [0.0 (01/01/26 12:30:00), "
        ));
        assert_eq!(pass(&mut region, 31, Some(1.0))[0].after.value, Verdict::Ok);
    }

    #[test]
    fn an_update_of_the_settings_leaves_the_state_alone() {
        let mut region = Region::default();
        region.put_alarm(alarm(1, 1), minute(0));
        pass(&mut region, 0, Some(0.0));
        region.put_alarm(alarm(2, 2), minute(1));
        assert_eq!(region.alarms["site-down"].standing.value, Verdict::Alarm);
        assert_eq!(region.alarms["site-down"].alarm.evaluation_periods, 2);
    }

    #[test]
    fn a_state_set_by_hand_lasts_until_the_next_evaluation() {
        let mut region = Region::default();
        region.put_alarm(alarm(1, 1), minute(0));
        pass(&mut region, 0, Some(1.0));
        let why = ("drill".to_owned(), None);
        let set = region.set_state("us-east-1", "site-down", Verdict::Alarm, why.clone(), minute(1));
        assert_eq!((set[0].before.value, set[0].after.value), (Verdict::Ok, Verdict::Alarm));
        assert!(region.set_state("us-east-1", "site-down", Verdict::Alarm, why, minute(1)).is_empty());
        assert_eq!(pass(&mut region, 1, Some(1.0))[0].after.value, Verdict::Ok);
    }

    #[test]
    fn the_event_and_the_mail_have_the_documented_shapes() {
        let mut region = Region::default();
        let dimension = Dimension { name: "HealthCheckId".to_owned(), value: "h".to_owned() };
        let id = MetricId::new("AWS/Route53", "HealthCheckStatus", std::slice::from_ref(&dimension));
        region.put_alarm(Alarm { dimensions: vec![dimension], datapoints_to_alarm: None, ..alarm(1, 1) }, minute(0));
        region.metrics.put(id, minute(0), None, Samples::of(0.0, 1.0));
        let transitions = region.evaluate("us-east-1", minute(1), minute(1) + SignedDuration::from_millis(10_989));
        let event = transitions[0].event();
        assert_eq!(event["time"], "2026-01-01T12:01:10Z");
        assert_eq!(event["resources"][0], "arn:aws:cloudwatch:us-east-1:123456789012:alarm:site-down");
        let state = &event["detail"]["state"];
        assert_eq!(state["timestamp"], "2026-01-01T12:01:10.989+0000");
        assert_eq!(
            state["reason"],
            "Threshold Crossed: 1 out of the last 1 datapoint [0.0 (01/01/26 12:00:00)] was less than the threshold \
             (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
        );
        let data: serde_json::Value = serde_json::from_str(state["reasonData"].as_str().unwrap()).unwrap();
        assert_eq!(data["startDate"], "2026-01-01T12:00:00.000+0000");
        assert_eq!(data["recentDatapoints"], json!([0.0]));
        assert_eq!(event["detail"]["previousState"]["value"], "INSUFFICIENT_DATA");
        let metric = &event["detail"]["configuration"]["metrics"][0]["metricStat"];
        assert_eq!(metric["metric"]["dimensions"], json!({ "HealthCheckId": "h" }));
        let (subject, body) = transitions[0].mail();
        assert_eq!(subject, "ALARM: \"site-down\" in US East (N. Virginia)");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["OldStateValue"], "INSUFFICIENT_DATA");
        assert_eq!(body["Trigger"]["Statistic"], "MINIMUM");
        assert_eq!(body["Trigger"]["Dimensions"], json!([{ "value": "h", "name": "HealthCheckId" }]));
        assert_eq!(transitions[0].invocation()["alarmData"], event["detail"]);
    }
}
