//! What CloudWatch remembers of a region, and how alarms move.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::alarm::{Alarm, Verdict};
use super::message::{Transition, reason, reason_data};
use super::metric::Metrics;

/// An alarm and the state it is in.
#[derive(Clone, Debug)]
pub struct AlarmState {
    /// Its settings.
    pub alarm: Alarm,
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
    pub(super) history: Vec<HistoryItem>,
}

impl Region {
    /// Creates or updates an alarm. "When you update an existing alarm, its state is left unchanged, but the update
    /// completely overwrites the previous configuration"; a new one starts with insufficient data.
    pub fn put_alarm(&mut self, alarm: Alarm, now: Timestamp) {
        let name = alarm.alarm_name.clone();
        let known = self.alarms.get_mut(&name);
        let done = if known.is_some() { "updated" } else { "created" };
        match known {
            Some(known) => (known.alarm, known.configured) = (alarm, now),
            None => {
                let new = AlarmState {
                    alarm,
                    value: Verdict::InsufficientData,
                    reason: "Unchecked: Initial alarm creation".to_owned(),
                    reason_data: None,
                    updated: now,
                    transitioned: now,
                    configured: now,
                };
                self.alarms.insert(name.clone(), new);
            }
        }
        let summary = format!("Alarm \"{name}\" {done}");
        let data = json!({ "version": "1.0", "type": if done == "created" { "Create" } else { "Update" } });
        self.note(&name, now, "ConfigurationUpdate", summary, data.to_string());
    }

    /// Puts an alarm into a state; tells if it was in another.
    pub fn set_state(
        &mut self,
        region: &str,
        name: &str,
        value: Verdict,
        (reason, reason_data): (String, Option<String>),
        now: Timestamp,
    ) -> Option<Transition> {
        let alarm = self.alarms.get_mut(name)?;
        let before = alarm.clone();
        alarm.reason = reason;
        alarm.reason_data = reason_data;
        alarm.updated = now;
        if before.value == value {
            return None;
        }
        alarm.value = value;
        alarm.transitioned = now;
        let after = alarm.clone();
        let summary = format!("Alarm updated from {} to {}", before.value.name(), value.name());
        let side = |state: &AlarmState| json!({ "stateValue": state.value, "stateReason": state.reason });
        let data = json!({ "version": "1.0", "oldState": side(&before), "newState": side(&after) });
        self.note(name, now, "StateUpdate", summary, data.to_string());
        Some(Transition { region: region.to_owned(), before, after })
    }

    /// Looks at every alarm's metric up to the end of the last whole minute; tells which alarms changed state.
    pub fn evaluate(&mut self, region: &str, end: Timestamp, now: Timestamp) -> Vec<Transition> {
        let judged: Vec<_> = self.alarms.values().map(|known| self.judged(known, end, now)).collect();
        let changes = judged.into_iter().flatten();
        let changes: Vec<_> = changes.collect();
        let mut transitions = Vec::new();
        for (name, verdict, why) in changes {
            transitions.extend(self.set_state(region, &name, verdict, why, now));
        }
        transitions
    }

    /// The state an alarm should be in and why, if it is in another.
    fn judged(
        &self,
        known: &AlarmState,
        end: Timestamp,
        now: Timestamp,
    ) -> Option<(String, Verdict, (String, Option<String>))> {
        let alarm = &known.alarm;
        let judgement = alarm.judge(&alarm.points(&self.metrics, end), alarm.treat_missing_data.unwrap_or_default());
        let verdict = judgement.verdict.filter(|verdict| *verdict != known.value)?;
        let data = reason_data(alarm, &judgement, end, now);
        Some((alarm.alarm_name.clone(), verdict, (reason(alarm, &judgement, verdict), Some(data))))
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
        assert_eq!(region.alarms["site-down"].value, Verdict::InsufficientData);
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
        assert_eq!(region.alarms["site-down"].value, Verdict::Alarm);
        assert_eq!(region.alarms["site-down"].alarm.evaluation_periods, 2);
    }

    #[test]
    fn a_state_set_by_hand_lasts_until_the_next_evaluation() {
        let mut region = Region::default();
        region.put_alarm(alarm(1, 1), minute(0));
        pass(&mut region, 0, Some(1.0));
        let why = ("drill".to_owned(), None);
        let set = region.set_state("us-east-1", "site-down", Verdict::Alarm, why.clone(), minute(1)).unwrap();
        assert_eq!((set.before.value, set.after.value), (Verdict::Ok, Verdict::Alarm));
        assert!(region.set_state("us-east-1", "site-down", Verdict::Alarm, why, minute(1)).is_none());
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
