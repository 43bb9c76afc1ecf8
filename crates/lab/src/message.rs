//! What one service causes in another. A service gives it to [`crate::Lab::carry`] and knows nothing of who receives it.

use jiff::Timestamp;
use serde_json::Value;

/// Something that a service causes elsewhere in the lab. Each names who receives it by ARN, or by region and name.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<'a> {
    /// A sample of a metric.
    Datum {
        /// Region of the metric.
        region: &'a str,
        /// Namespace: `AWS/SQS`, …
        namespace: &'a str,
        /// Name of the metric.
        metric: &'a str,
        /// Its dimensions, each with its value.
        dimensions: &'a [(&'a str, &'a str)],
        /// The sample, in the metric's unit.
        value: f64,
        /// The sample's lab time.
        at: Timestamp,
    },
    /// An event for a bus, without what EventBridge fills in.
    Event {
        /// Region of the bus.
        region: &'a str,
        /// Name of the bus.
        bus: &'a str,
        /// The event.
        event: Value,
    },
    /// An asynchronous invocation of a function.
    Invocation {
        /// ARN of the function.
        function: &'a str,
        /// The event that it is given.
        payload: Value,
    },
    /// A message to a topic.
    Notification {
        /// ARN of the topic.
        topic: &'a str,
        /// Its subject.
        subject: Option<&'a str>,
        /// Its text.
        text: &'a str,
    },
    /// A message to a queue.
    Queued {
        /// ARN of the queue.
        queue: &'a str,
        /// Its body.
        body: String,
        /// Its attributes, all of them strings.
        attributes: &'a [(&'static str, String)],
    },
    /// A line that a function printed.
    Line {
        /// Region of the function.
        region: &'a str,
        /// Name of the function.
        function: &'a str,
        /// The line, without its end.
        line: String,
    },
}
