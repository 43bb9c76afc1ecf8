//! SNS: one message to the operators, in the form of each topic.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use failover::message::Message;
use failover::observation::Attention;
use failover::plan::{arn_account, arn_region};

use crate::error::CallError;
use crate::session::Session;

/// Someone who can tell the operators.
pub trait Publisher {
    /// Publishes a message to the operators' topics.
    async fn publish(&self, message: &Message) -> Result<(), CallError>;
}

/// The operators' topics, by what those understand who subscribe to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArns {
    /// People: text.
    pub operators: String,
    /// Chat: cards.
    pub chat: Option<String>,
    /// Pagers: what CloudWatch says of an alarm, and only what is worth waking someone.
    pub pager: Option<String>,
}

/// Publishes to the operators' topics.
#[derive(Clone, Debug)]
pub struct Topics {
    client: Client,
    arns: TopicArns,
}

impl Topics {
    /// The topics with these ARNs.
    #[must_use]
    pub fn new(session: &Session, arns: TopicArns) -> Self {
        let config = aws_sdk_sns::config::Builder::from(session.config()).retry_partition(session.retries());
        Self { client: Client::from_conf(config.build()), arns }
    }

    async fn send(&self, topic_arn: &str, subject: &str, body: String, message: &Message) -> Result<(), CallError> {
        const CALL: &str = "Publish";
        let mut call = self.client.publish().topic_arn(topic_arn).subject(subject).message(body);
        for (name, value) in message.attributes() {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value = value.map_err(|error| CallError::NeverSent { call: CALL, why: error.to_string() })?;
            call = call.message_attributes(name, value);
        }
        call.send().await.map(drop).map_err(|error| CallError::of(CALL, error))
    }
}

impl Publisher for Topics {
    /// All at once, and each whatever becomes of the others: a chat in trouble keeps no page back.
    async fn publish(&self, message: &Message) -> Result<(), CallError> {
        let TopicArns { operators, chat, pager } = &self.arns;
        let text = self.send(operators, &message.subject, message.body.clone(), message);
        let card = async {
            let Some(topic) = chat else { return Ok(()) };
            self.send(topic, &message.subject, message.card(), message).await
        };
        let alarm = async {
            let Some(topic) = pager.as_ref().filter(|_| message.attention == Attention::Page) else { return Ok(()) };
            let [region, account] = [arn_region(topic), arn_account(topic)].map(Option::unwrap_or_default);
            let (subject, body) = message.alarm(region, account);
            self.send(topic, &subject, body, message).await
        };
        let (text, card, alarm) = tokio::join!(text, card, alarm);
        text.and(card).and(alarm)
    }
}
