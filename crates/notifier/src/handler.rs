//! Word it, publish it.

use aws::CallError;
use aws::sns::{Publisher, TopicArns};
use aws::telemetry::Record;
use failover::message::{self, Sender};
use failover::plan::{arn_account, arn_region};
use lambda_runtime::Diagnostic;
use serde::Serialize;

use crate::event::{EventError, News};

/// Where the messages go, and what they need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The operators' topics.
    pub topics: TopicArns,
    /// Which Holdfast speaks.
    pub sender: Sender,
}

/// A setting that is missing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set; deploy template.yaml again, it sets it")]
pub struct SettingMissing(&'static str);

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// The first variable that is missing.
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Result<Self, SettingMissing> {
        let optional = |name| read(name).filter(|value| !value.is_empty());
        let setting = |name| optional(name).ok_or(SettingMissing(name));
        let topics = TopicArns {
            operators: setting("HOLDFAST_TOPIC_ARN")?,
            chat: optional("HOLDFAST_CHAT_TOPIC_ARN"),
            pager: optional("HOLDFAST_PAGER_TOPIC_ARN"),
        };
        // The topic is the stack's own, and says where that is.
        let own = |part: fn(&str) -> Option<&str>| part(&topics.operators).unwrap_or_default().to_owned();
        let sender = Sender { bus: setting("HOLDFAST_BUS")?, region: own(arn_region), account: own(arn_account) };
        Ok(Self { topics, sender })
    }
}

/// Why a message was not sent, or not to every topic. Lambda tries again, so that it is sent once or more, never not at all.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The event is none of those that are told.
    #[error(transparent)]
    Event(#[from] EventError),
    /// SNS did not take it.
    #[error("SNS did not take the message: {0}")]
    Call(#[from] CallError),
}

impl From<Unsent> for Diagnostic {
    fn from(error: Unsent) -> Self {
        match error {
            Unsent::Event(error) => error.into(),
            Unsent::Call(_) => Self { error_type: "MessageNotSent".to_owned(), error_message: error.to_string() },
        }
    }
}

/// What was said, if anything was.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The message's subject; none if it was not due.
    pub subject: Option<String>,
}

/// Tells the operators, if it is time to.
///
/// # Errors
/// If SNS does not take the message.
pub async fn handle(topics: &impl Publisher, sender: &Sender, news: News) -> Result<Told, Unsent> {
    let message = match &news {
        News::Returned { outcome, scheduled } if !message::is_due_at(outcome, scheduled.unwrap_or(outcome.at)) => {
            return Ok(Told { subject: None });
        }
        News::Returned { outcome, .. } => message::of_outcome(outcome, sender),
        News::Failed(failure) if !message::is_failure_due(failure) => return Ok(Told { subject: None }),
        News::Failed(failure) => message::of_failure(failure, sender),
        News::Ordered(announcement) => message::of_announcement(announcement, sender),
    };
    topics.publish(&message).await?;
    let (incident, order) = match news {
        News::Returned { outcome, .. } => (outcome.incident, None),
        News::Ordered(announcement) => (announcement.deed.incident().cloned(), Some(Box::new(announcement))),
        News::Failed(_) => (None, None),
    };
    Record::Told { subject: message.subject.clone(), incident, body: Some(message.body), order }.log();
    Ok(Told { subject: Some(message.subject) })
}
