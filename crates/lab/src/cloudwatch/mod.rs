//! Metrics and alarms, evaluated as CloudWatch documents it.

mod alarm;
mod alarms;
mod codec;
mod composite;
mod message;
mod metric;
mod mute;
mod mutes;
mod queries;
mod state;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::Lab;
use crate::clock::next_minute;
use crate::journal::What;
use crate::message::Message;

pub use self::alarm::{
    Alarm, ComparisonOperator, EvaluationWindow, Judgement, Point, TreatMissingData, Verdict, WarmUp,
};
pub use self::composite::CompositeAlarm;
pub use self::message::{Settings, Transition};
pub use self::metric::{Dimension, MetricId, Metrics, Samples, Statistic};
pub use self::state::{AlarmState, EvaluationState, HistoryItem, Region, Standing};
pub use self::wire::answer;
pub(crate) use self::wire::refuse;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// How long after the minute its metrics are complete enough to judge.
pub(crate) const SETTLING: SignedDuration = SignedDuration::from_secs(10);

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct CloudWatch {
    regions: Mutex<BTreeMap<String, Region>>,
    requests: AtomicU64,
}

impl CloudWatch {
    fn region<T>(&self, region: &str, work: impl FnOnce(&mut Region) -> T) -> T {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        work(regions.entry(region.to_owned()).or_default())
    }

    /// Adds one sample to a metric.
    pub fn put_metric(
        &self,
        region: &str,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        value: f64,
        at: Timestamp,
    ) {
        let dimension = |(name, value): &(&str, &str)| Dimension { name: (*name).into(), value: (*value).into() };
        let dimensions: Vec<_> = dimensions.iter().map(dimension).collect();
        let id = MetricId::new(namespace, name, &dimensions);
        self.region(region, |region| region.metrics.put(id, at, None, Samples::of(value, 1.0)));
    }

    /// The greatest sample of each minute of a metric, by time.
    pub fn maxima(
        &self,
        region: &str,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
    ) -> Vec<(Timestamp, f64)> {
        let dimension = |(name, value): &(&str, &str)| Dimension { name: (*name).into(), value: (*value).into() };
        let id = MetricId::new(namespace, name, &dimensions.iter().map(dimension).collect::<Vec<_>>());
        self.region(region, |region| region.metrics.maxima(&id))
    }

    /// Creates or updates an alarm.
    ///
    /// # Errors
    /// What is wrong with its settings.
    pub fn put_alarm(&self, region: &str, alarm: Alarm, now: Timestamp) -> Result<(), String> {
        match alarm.fault().or_else(|| Some(format!("the lab does not know {}", alarm.unsupported()?))) {
            Some(fault) => Err(fault),
            None => {
                self.region(region, |region| region.put_alarm(alarm, now));
                Ok(())
            }
        }
    }

    /// Says what is wrong with an alarm's evaluation, or that nothing is: with a failure or an error it stays as it is.
    pub fn set_evaluation_state(&self, region: &str, name: &str, state: Option<EvaluationState>) {
        self.region(region, |region| {
            if let Some(known) = region.alarms.get_mut(name) {
                known.evaluation = state;
            }
        });
    }

    /// The metrics of a region that have samples.
    pub fn metrics(&self, region: &str) -> Vec<MetricId> {
        self.region(region, |region| region.metrics.ids().cloned().collect())
    }

    /// The settings of an alarm.
    pub fn alarm(&self, region: &str, name: &str) -> Option<Alarm> {
        self.alarm_state(region, name).map(|known| known.alarm)
    }

    /// An alarm and its state.
    pub fn alarm_state(&self, region: &str, name: &str) -> Option<AlarmState> {
        self.region(region, |region| region.alarms.get(name).cloned())
    }

    /// What a metric says by these settings up to `end`, with missing data as missing, whatever state any alarm is in.
    pub fn judge(&self, region: &str, alarm: &Alarm, end: Timestamp) -> Verdict {
        let points = self.region(region, |region| alarm.points(&region.metrics, end));
        alarm.judge(&points, TreatMissingData::Missing).verdict.unwrap_or(Verdict::InsufficientData)
    }
}

/// Evaluates alarms for as long as the lab lives. While it is silent, CloudWatch evaluates none.
pub async fn run(lab: Arc<Lab>) {
    let mut minute = next_minute(lab.clock.now());
    loop {
        lab.clock.sleep_until(minute + SETTLING).await;
        let regions: Vec<_> = {
            let regions = lab.cloudwatch.regions.lock().unwrap_or_else(PoisonError::into_inner);
            regions.keys().filter(|region| !lab.faults.is_silent(region)).cloned().collect()
        };
        for region in regions {
            let now = lab.clock.now();
            let transitions = lab.cloudwatch.region(&region, |state| state.evaluate(&region, minute, now));
            deliver(&lab, &transitions);
            release(&lab, &region);
        }
        minute += MINUTE;
    }
}

fn alarm_arn(region: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{}:alarm:{name}", crate::ACCOUNT)
}

/// Records changes of state, puts their events on the default bus, and takes the actions of the new states. Disabled and
/// muted actions silence the actions only: CloudWatch "sends events to EventBridge whenever an alarm changes state".
fn deliver(lab: &Arc<Lab>, transitions: &[Transition]) {
    for transition in transitions {
        let (region, before, after) = (&transition.region, &transition.before, &transition.after);
        lab.record(What::Alarm {
            region: region.clone(),
            name: transition.name().to_owned(),
            from: before.value.name().to_owned(),
            to: after.value.name().to_owned(),
            reason: after.reason.clone(),
        });
        lab.carry(Message::Event { region, bus: "default", event: transition.event() });
        if lab.cloudwatch.region(region, |state| state.acts(transition, lab.clock.now())) {
            act(lab, transition);
        }
    }
}

/// Takes the actions that mute rules held and hold no more.
fn release(lab: &Arc<Lab>, region: &str) {
    let released = lab.cloudwatch.region(region, |state| state.released(lab.clock.now()));
    released.iter().for_each(|transition| act(lab, transition));
}

fn act(lab: &Arc<Lab>, transition: &Transition) {
    for action in transition.settings.actions(transition.after.value) {
        if action.starts_with("arn:aws:sns:") {
            let (subject, message) = transition.mail();
            lab.carry(Message::Notification { topic: action, subject: Some(&subject), text: &message });
        } else {
            lab.carry(Message::Invocation { function: action, payload: transition.invocation() });
        }
        let summary = format!("Successfully executed action {action}");
        let data = json!({ "actionState": "Succeeded", "notificationResource": action }).to_string();
        let at = lab.clock.now().max(transition.after.updated);
        lab.cloudwatch.region(&transition.region, |state| state.note(transition.name(), at, "Action", summary, data));
    }
}
