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
        News::Looked(report) => message::of_readiness(report, sender),
    };
    topics.publish(&message).await?;
    let (incident, order) = match news {
        News::Returned { outcome, .. } => (outcome.incident, None),
        News::Ordered(announcement) => (announcement.deed.incident().cloned(), Some(Box::new(announcement))),
        News::Failed(_) | News::Looked(_) => (None, None),
    };
    Record::Told { subject: message.subject.clone(), incident, body: Some(message.body), order }.log();
    Ok(Told { subject: Some(message.subject) })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use failover::message::Message;
    use failover::observation::Attention;
    use failover::outcome::{Finding, Kind, Outcome, Trigger};
    use failover::rule::Rule;
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    /// The subjects that SNS took, unless it takes nothing.
    struct Sns {
        refuses: bool,
        took: RefCell<Vec<String>>,
    }

    impl Publisher for Sns {
        async fn publish(&self, message: &Message) -> Result<(), CallError> {
            self.took.borrow_mut().push(message.subject.clone());
            let refused = || CallError::Refused {
                call: "Publish",
                code: "AuthorizationError".to_owned(),
                message: String::new(),
            };
            if self.refuses { Err(refused()) } else { Ok(()) }
        }
    }

    fn sns(refuses: bool) -> Sns {
        Sns { refuses, took: RefCell::default() }
    }

    /// Something held by P09 since the epoch, as the tick finds it so many minutes later.
    fn held(minutes: i64) -> News {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let finding = Finding {
            subject: "app.example.com".to_owned(),
            kind: Kind::Held,
            id: Some(Rule::P09.row('a')),
            because: "the primary answers".to_owned(),
            attention: Attention::Page,
            incident: None,
            since: Some(Timestamp::UNIX_EPOCH),
            despite: [].into(),
            facts: Vec::new(),
            next: "look".to_owned(),
        };
        let outcome = Box::new(Outcome::of(at, Trigger::Tick, &[finding]));
        News::Returned { outcome, scheduled: Some(at) }
    }

    fn settings(without: &str) -> Result<Settings, SettingMissing> {
        Settings::from_environment(|name| match name {
            name if name == without => None,
            "HOLDFAST_TOPIC_ARN" => Some("arn:aws:sns:eu-central-1:123456789012:holdfast".to_owned()),
            "HOLDFAST_BUS" => Some("holdfast".to_owned()),
            // As a template sets what was left empty.
            _ => Some(String::new()),
        })
    }

    #[test]
    fn a_topic_left_empty_is_none_and_the_operators_topic_says_where_the_stack_is() {
        let Settings { topics, sender } = settings("").unwrap();
        assert_eq!((topics.chat, topics.pager), (None, None));
        assert_eq!((sender.region.as_str(), sender.account.as_str()), ("eu-central-1", "123456789012"));
        for needed in ["HOLDFAST_TOPIC_ARN", "HOLDFAST_BUS"] {
            assert_eq!(settings(needed), Err(SettingMissing(needed)));
        }
    }

    #[tokio::test]
    async fn a_message_that_sns_does_not_take_is_not_told_so_that_lambda_tries_again() {
        let sender = settings("").unwrap().sender;
        let refusing = sns(true);
        assert!(matches!(handle(&refusing, &sender, held(0)).await, Err(Unsent::Call(_))));
        let taking = sns(false);
        let told = handle(&taking, &sender, held(0)).await.unwrap();
        assert_eq!(told.subject, taking.took.borrow().first().cloned());
        assert!(told.subject.is_some_and(|subject| subject.contains("HELD")));
    }

    #[tokio::test]
    async fn what_lasts_is_not_told_at_every_tick() {
        let (sender, sns) = (settings("").unwrap().sender, sns(false));
        let told = handle(&sns, &sender, held(7)).await.unwrap();
        assert_eq!((told, sns.took.into_inner()), (Told { subject: None }, Vec::new()));
    }
}
