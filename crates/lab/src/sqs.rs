//! SQS, as far as dead letters need it.

mod api;
mod queue;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Lab;
use crate::arn::{Arn, arn};
use crate::journal::What;
use crate::message::Message;

pub use api::answer;
use queue::Queue;

/// "The default visibility timeout for a queue is 30 seconds" (SQS developer guide).
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct Sqs {
    queues: Mutex<BTreeMap<String, Queue>>,
}

impl Sqs {
    /// Creates a queue, unless it exists; returns its ARN.
    pub fn create(&self, region: &str, name: &str, visibility_timeout: Duration) -> String {
        let arn = arn("sqs", region, name);
        self.queues().entry(arn.clone()).or_insert_with(|| Queue::new(visibility_timeout));
        arn
    }

    /// True if there is such a queue.
    pub fn exists(&self, queue_arn: &str) -> bool {
        self.queues().contains_key(queue_arn)
    }

    /// The bodies of every message in the queue, in flight or not.
    pub fn bodies(&self, queue_arn: &str) -> Vec<String> {
        self.queues().get(queue_arn).map(Queue::bodies).unwrap_or_default()
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The URL of a queue in the lab.
pub fn url(lab: &Lab, name: &str) -> String {
    format!("{}/{}/{name}", lab.endpoint_url(), crate::ACCOUNT)
}

/// Sends a message to a queue; it is journaled as dropped if there is none.
pub fn send(lab: &Arc<Lab>, queue_arn: &str, body: String) {
    send_with_attributes(lab, queue_arn, body, &[]);
}

/// Sends a message with string attributes.
pub fn send_with_attributes(lab: &Arc<Lab>, queue_arn: &str, body: String, attributes: &[(&'static str, String)]) {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let sent = lab.sqs.queues().get_mut(queue_arn).map(|queue| queue.send(body.clone(), attributes, lab.clock.now()));
    lab.record(match sent {
        Some(_) => What::Queued { queue: queue_arn.to_owned(), body },
        None => What::Fault { what: format!("message dropped: there is no queue {queue_arn}: {body}") },
    });
}

/// Publishes every queue's metrics once a lab minute for as long as the lab lives.
pub async fn run(lab: Arc<Lab>) {
    let mut at = lab.clock.now();
    loop {
        at += Duration::from_secs(60);
        lab.clock.sleep_until(at).await;
        let visible: Vec<(String, usize)> =
            lab.sqs.queues().iter().map(|(arn, queue)| (arn.clone(), queue.visible(at))).collect();
        for (queue_arn, count) in visible {
            let Some(arn) = Arn::parse(&queue_arn) else { continue };
            if lab.faults.is_down(arn.region) {
                continue;
            }
            lab.carry(Message::Datum {
                region: arn.region,
                namespace: "AWS/SQS",
                metric: "ApproximateNumberOfMessagesVisible",
                dimensions: &[("QueueName", arn.resource)],
                value: count as f64,
                at,
            });
        }
    }
}
