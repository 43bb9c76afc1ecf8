//! Word it, publish it.

use aws::CallError;
use aws::sns::{Publisher, TopicArns};
use aws::telemetry::Record;
use failover::message;
use lambda_runtime::Diagnostic;
use serde::Serialize;

use crate::event::{EventError, Invocation};

/// Where the messages go, and what they need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The operators' topics.
    pub topics: TopicArns,
    /// The Holdfast bus, for the command that approves.
    pub bus: String,
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
        Ok(Self { topics, bus: setting("HOLDFAST_BUS")? })
    }
}

/// Why a message was not sent, or not to every topic. Lambda tries again, so that it is sent once or more, never not at all.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The event is no invocation record.
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
pub async fn handle(topics: &impl Publisher, bus: &str, invocation: Invocation) -> Result<Told, Unsent> {
    let message = match &invocation {
        Invocation::Returned { outcome, scheduled }
            if !message::is_due_at(outcome, scheduled.unwrap_or(outcome.at)) =>
        {
            return Ok(Told { subject: None });
        }
        Invocation::Returned { outcome, .. } => message::of_outcome(outcome, bus),
        Invocation::Failed(failure) if !message::is_failure_due(failure) => return Ok(Told { subject: None }),
        Invocation::Failed(failure) => message::of_failure(failure),
    };
    topics.publish(&message).await?;
    let incident = match invocation {
        Invocation::Returned { outcome, .. } => outcome.incident,
        Invocation::Failed(_) => None,
    };
    Record::Told { subject: message.subject.clone(), incident }.log();
    Ok(Told { subject: Some(message.subject) })
}
