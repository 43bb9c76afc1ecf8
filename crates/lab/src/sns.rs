//! SNS: topics, subscriptions, publishing.

mod api;
mod filter;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Lab;
use crate::arn::{Arn, arn};
use crate::journal::What;
use crate::message::Message;
use crate::wire::Refusal;

pub use api::answer;
use filter::Filter;

const LATENCY: Duration = Duration::from_millis(200);
/// "Subjects must be … less than 100 characters long"; a hundred are taken in practice.
const SUBJECT_CHARS_MAX: usize = 100;

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct Sns {
    topics: Mutex<BTreeMap<String, Vec<Subscription>>>,
}

#[derive(Clone, Debug)]
struct Subscription {
    arn: String,
    protocol: Protocol,
    endpoint: String,
    filter: Filter,
    is_confirmed: bool,
}

/// The attributes of a message, all of them strings.
pub type Attributes = BTreeMap<String, String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Email,
    Https,
    Lambda,
    Sqs,
}

impl Sns {
    /// Creates a topic, unless it exists; returns its ARN.
    pub fn create_topic(&self, region: &str, name: &str) -> String {
        let arn = arn("sns", region, name);
        self.topics().entry(arn.clone()).or_default();
        arn
    }

    /// True if there is such a topic.
    pub fn exists(&self, topic_arn: &str) -> bool {
        self.topics().contains_key(topic_arn)
    }

    /// Subscribes an endpoint, once; returns the subscription's ARN. Mail addresses count as confirmed.
    ///
    /// # Errors
    /// If there is no such topic, or the lab does not know the protocol.
    pub fn subscribe(&self, topic_arn: &str, protocol: &str, endpoint: &str) -> Result<String, Refusal> {
        let protocol = match protocol {
            "email" => Protocol::Email,
            "https" => Protocol::Https,
            "lambda" => Protocol::Lambda,
            "sqs" => Protocol::Sqs,
            "http" | "email-json" | "sms" | "application" | "firehose" => {
                return Err(Refusal::unsupported(format!("the SNS protocol {protocol}")));
            }
            other => {
                let why = format!("Invalid parameter: Amazon SNS does not support this protocol string: {other}");
                return Err(Refusal::bad_request("InvalidParameter", why));
            }
        };
        let mut topics = self.topics();
        let subscriptions = topics.get_mut(topic_arn).ok_or_else(no_topic)?;
        let same = |known: &&Subscription| known.protocol == protocol && known.endpoint == endpoint;
        if let Some(known) = subscriptions.iter().find(same) {
            return Ok(known.arn.clone());
        }
        let arn = format!("{topic_arn}:{}", Uuid::new_v4());
        let filter = Filter::default();
        let endpoint = endpoint.to_owned();
        subscriptions.push(Subscription { arn: arn.clone(), protocol, endpoint, filter, is_confirmed: true });
        Ok(arn)
    }

    /// Nobody has followed the link in the mail of any of a topic's subscriptions, or now everybody has.
    pub fn confirm(&self, topic_arn: &str, are_confirmed: bool) {
        self.topics().get_mut(topic_arn).into_iter().flatten().for_each(|known| known.is_confirmed = are_confirmed);
    }

    /// Lets a subscription have only those messages whose attributes the filter policy accepts.
    ///
    /// # Errors
    /// If the policy has an operator that the lab does not know.
    pub fn set_filter(&self, subscription_arn: &str, policy: &Value) -> Result<(), Refusal> {
        let filter = Filter::read(policy)?;
        let mut topics = self.topics();
        let known = topics.values_mut().flatten().find(|known| known.arn == subscription_arn);
        known.ok_or_else(no_topic)?.filter = filter;
        Ok(())
    }

    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Subscription>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_topic() -> Refusal {
    Refusal::not_found("NotFound", "Topic does not exist")
}

/// "Subjects must be UTF-8 text with no line breaks or control characters" (SNS API, Publish).
fn check(subject: Option<&str>, message: &str) -> Result<(), Refusal> {
    let invalid = |what: &str| Err(Refusal::bad_request("InvalidParameter", format!("Invalid parameter: {what}")));
    match subject {
        Some("") => return invalid("Subject"),
        Some(subject) if subject.chars().count() > SUBJECT_CHARS_MAX || subject.chars().any(char::is_control) => {
            return invalid("Subject");
        }
        _ => {}
    }
    // "Messages must be UTF-8 encoded strings and at most 256 KB in size (262,144 bytes, not 262,144 characters)".
    match message.len() {
        0 => invalid("Empty message"),
        1..=262_144 => Ok(()),
        _ => invalid("Message too long"),
    }
}

/// Publishes a message to every subscriber of a topic; what SNS would refuse is journaled as dropped.
pub fn publish(lab: &Arc<Lab>, topic_arn: &str, subject: Option<&str>, message: &str) {
    if let Err(refusal) = try_publish(lab, topic_arn, subject, message, Attributes::new()) {
        lab.record(What::Fault { what: format!("message to {topic_arn} dropped: {}", refusal.message) });
    }
}

fn try_publish(
    lab: &Arc<Lab>,
    topic: &str,
    subject: Option<&str>,
    message: &str,
    attributes: Attributes,
) -> Result<String, Refusal> {
    check(subject, message)?;
    let subscriptions = lab.sns.topics().get(topic).cloned().ok_or_else(no_topic)?;
    let notification = Notification {
        id: Uuid::new_v4().to_string(),
        topic: topic.to_owned(),
        subject: subject.map(str::to_owned),
        message: message.to_owned(),
        attributes,
        at: lab.clock.now(),
    };
    let id = notification.id.clone();
    let hears = |it: &Subscription| it.is_confirmed && it.filter.accepts(&notification.attributes);
    for subscription in subscriptions.into_iter().filter(hears) {
        tokio::spawn(deliver(lab.clone(), subscription, notification.clone()));
    }
    Ok(id)
}

#[derive(Clone, Debug)]
struct Notification {
    id: String,
    topic: String,
    subject: Option<String>,
    message: String,
    attributes: Attributes,
    at: Timestamp,
}

async fn deliver(lab: Arc<Lab>, subscription: Subscription, notification: Notification) {
    lab.clock.sleep(LATENCY).await;
    if let Some(topic) = Arn::parse(&notification.topic) {
        lab.faults.until_up(topic.region).await;
    }
    match subscription.protocol {
        Protocol::Email => lab.record(What::Mail {
            topic: notification.topic,
            to: subscription.endpoint,
            subject: notification.subject,
            body: notification.message,
        }),
        // Nothing leaves the lab: the journal has what would be posted.
        Protocol::Https => {
            let body = envelope(&subscription.arn, &notification, ["SigningCertURL", "UnsubscribeURL"]);
            lab.record(What::Mail {
                topic: notification.topic,
                to: subscription.endpoint,
                subject: notification.subject,
                body: body.to_string(),
            });
        }
        Protocol::Lambda => {
            let payload = lambda_event(&subscription.arn, &notification);
            lab.carry(Message::Invocation { function: &subscription.endpoint, payload });
        }
        Protocol::Sqs => {
            let body = envelope(&subscription.arn, &notification, ["SigningCertURL", "UnsubscribeURL"]);
            lab.carry(Message::Queued { queue: &subscription.endpoint, body: body.to_string(), attributes: &[] });
        }
    }
}

/// The event as "Using AWS Lambda with Amazon SNS" shows it.
fn lambda_event(subscription: &str, notification: &Notification) -> Value {
    let mut sns = envelope(subscription, notification, ["SigningCertUrl", "UnsubscribeUrl"]);
    sns["MessageAttributes"] = message_attributes(&notification.attributes);
    sns["Subject"] = json!(notification.subject);
    json!({"Records": [{
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": sns,
    }]})
}

/// A notification in JSON. Lambda and the other protocols spell two of its URLs differently.
fn envelope(subscription: &str, notification: &Notification, urls: [&str; 2]) -> Value {
    let mut envelope = json!({
        "Type": "Notification",
        "MessageId": notification.id,
        "TopicArn": notification.topic,
        "Message": notification.message,
        "Timestamp": notification.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "SignatureVersion": "1",
        // The lab has no key of Amazon's to sign with, and subscribers in the lab do not verify.
        "Signature": "unsigned",
        urls[0]: "https://sns.invalid/SimpleNotificationService.pem",
        urls[1]: format!("https://sns.invalid/?Action=Unsubscribe&SubscriptionArn={subscription}"),
    });
    if let Some(subject) = &notification.subject {
        envelope["Subject"] = json!(subject);
    }
    if !notification.attributes.is_empty() {
        envelope["MessageAttributes"] = message_attributes(&notification.attributes);
    }
    envelope
}

fn message_attributes(attributes: &Attributes) -> Value {
    attributes.iter().map(|(name, value)| (name.clone(), json!({"Type": "String", "Value": value}))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_sns_would_refuse_are_refused() {
        let table = [
            (Some("Replica promoted"), "text", true),
            (None, "text", true),
            (Some(""), "text", false),
            (Some("two\nlines"), "text", false),
            (Some("a tab\there"), "text", false),
            (None, "", false),
        ];
        for (subject, message, accepted) in table {
            assert_eq!(check(subject, message).is_ok(), accepted, "{subject:?}");
        }
        assert!(check(Some(&"x".repeat(100)), "text").is_ok());
        assert_eq!(check(Some(&"x".repeat(101)), "text").unwrap_err().code, "InvalidParameter");
        assert!(check(None, &"x".repeat(262_145)).is_err());
    }

    #[test]
    fn an_endpoint_is_subscribed_once() {
        let sns = Sns::default();
        let topic = sns.create_topic("us-west-2", "ops");
        let first = sns.subscribe(&topic, "email", "a@example.com").unwrap();
        assert_eq!(sns.subscribe(&topic, "email", "a@example.com").unwrap(), first);
        assert_ne!(sns.subscribe(&topic, "email", "b@example.com").unwrap(), first);
        assert!(sns.subscribe(&topic, "sms", "+1").unwrap_err().message.contains("sms"));
        assert_eq!(sns.subscribe("arn:aws:sns:us-west-2:1:x", "email", "a").unwrap_err().code, "NotFound");
    }
}
