//! Logs and metrics, both as JSON lines on standard output, as CloudWatch Logs takes them.

#[cfg(feature = "overheard")]
mod overheard;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use failover::announcement::Announcement;
use failover::incident::Incident;
use failover::observation::Attention;
use failover::outcome::{Kind, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(feature = "overheard")]
pub use overheard::overhear;

/// The CloudWatch namespace of Holdfast's metrics.
pub const NAMESPACE: &str = "Holdfast";

/// The environment variable that says how much is logged, as in `info` or `debug`.
pub const LOG_VARIABLE: &str = "HOLDFAST_LOG";

/// Metrics are lines on standard output: without the platform that reads them there, as in a simulation, they are noise.
static IS_STARTED: AtomicBool = AtomicBool::new(false);

/// The dimension of every metric: the function as Lambda knows it, so that two stacks of one account and region are two.
pub(crate) const FUNCTION: &str = "Function";

/// The name of this function.
#[must_use]
pub fn function() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "holdfast".to_owned()))
}

/// Starts structured logging, and metrics.
pub fn init() {
    IS_STARTED.store(true, Ordering::Relaxed);
    let given = std::env::var(LOG_VARIABLE).ok().and_then(|text| text.parse().ok());
    let filter: Targets = given.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // A second call, in a test, changes nothing.
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}

/// One metric value and its unit (`Count`, `Seconds`).
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Metric name.
    pub name: &'static str,
    /// CloudWatch unit.
    pub unit: &'static str,
    /// Value.
    pub value: f64,
}

/// Prints this function's metrics in the CloudWatch embedded metric format; CloudWatch Logs extracts them.
pub fn emit(at: jiff::Timestamp, metrics: &[Metric]) {
    #[cfg(feature = "overheard")]
    overheard::note(at, metrics);
    emit_of(at, &[(FUNCTION, function())], metrics);
}

fn emit_of(at: jiff::Timestamp, dimensions: &[(&str, &str)], metrics: &[Metric]) {
    if IS_STARTED.load(Ordering::Relaxed) {
        println!("{}", embedded(at, dimensions, metrics));
    }
}

/// A line of the log that `holdfast report` reads back: it is the record of an incident that outlives a failback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// A function decided something that deserves a person's attention, or a place in the report.
    Returned(Box<Outcome>),
    /// The notifier told it.
    Told {
        /// The message's subject.
        subject: String,
        /// The incident it is about, if there is one.
        incident: Option<Incident>,
        /// Its whole text; older versions did not write it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// What a person did, if it told that; older versions did not write it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Box<Announcement>>,
    },
}

impl Record {
    /// Reads a line; `None` if it is some other line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Writes the line.
    pub fn log(&self) {
        if IS_STARTED.load(Ordering::Relaxed) {
            println!("{}", json!(self));
        }
    }
}

/// Logs and counts what an invocation came to.
pub fn report(outcome: &Outcome) {
    let rule = outcome.id.map_or_else(|| "none".to_owned(), |id| id.to_string());
    // A quiet minute is not worth a thousand names' facts.
    match outcome.attention == Attention::None && outcome.outcome != Kind::InSync {
        true => tracing::info!(outcome = ?outcome.outcome, rule, because = outcome.because, "returning"),
        false => Record::Returned(Box::new(outcome.clone())).log(),
    }
    let decisions = Metric { name: "Decisions", unit: "Count", value: 1.0 };
    emit_of(outcome.at, &[(FUNCTION, function()), ("Rule", &rule)], &[decisions]);
}

/// Measures how long ago the outcome's incident began.
pub fn time_since_alarm(name: &'static str, outcome: &Outcome) {
    let Some(incident) = &outcome.incident else { return };
    let value = outcome.at.duration_since(incident.began).as_secs_f64();
    emit(outcome.at, &[Metric { name, unit: "Seconds", value }]);
}

fn embedded(at: jiff::Timestamp, dimensions: &[(&str, &str)], metrics: &[Metric]) -> Value {
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    let directives: Vec<_> = metrics.iter().map(|m| json!({"Name": m.name, "Unit": m.unit})).collect();
    let mut line = json!({"_aws": {
        "Timestamp": at.as_millisecond(),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": directives}],
    }});
    for (name, value) in dimensions {
        line[*name] = json!(value);
    }
    for metric in metrics {
        line[metric.name] = json!(metric.value);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CloudWatch user guide, "Specification: Embedded metric format": every dimension and metric named in the directive
    /// must be a member of the root node.
    #[test]
    fn an_embedded_metric_names_only_members_of_its_root() {
        let metric = Metric { name: "Decisions", unit: "Count", value: 1.0 };
        let line = embedded(jiff::Timestamp::UNIX_EPOCH, &[("Rule", "P13b")], &[metric]);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for name in directive["Dimensions"][0].as_array().unwrap() {
            assert!(line[name.as_str().unwrap()].is_string());
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number());
        }
        assert_eq!(line["_aws"]["Timestamp"], 0);
    }

    #[test]
    fn what_an_older_notifier_put_on_record_is_read_as_knowing_no_more() {
        let old = r#"{"told":{"subject":"Holdfast: pinned","incident":null}}"#;
        let read = Record::Told { subject: "Holdfast: pinned".to_owned(), incident: None, body: None, order: None };
        assert_eq!(Record::parse(old), Some(read.clone()));
        assert_eq!(
            json!(read).to_string(),
            old.replace(
                r#"{"subject":"Holdfast: pinned","incident":null}"#,
                r#"{"incident":null,"subject":"Holdfast: pinned"}"#
            )
        );
    }
}
