//! SNS: one message to the operators.

use aws_sdk_sns::Client;
use failover::message::Message;

use crate::error::CallError;
use crate::session::Session;

/// Someone who can tell the operators.
pub trait Publisher {
    /// Publishes a message to the operators' topic.
    async fn publish(&self, message: &Message) -> Result<(), CallError>;
}

/// Publishes to one SNS topic.
#[derive(Clone, Debug)]
pub struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    /// The topic with this ARN.
    #[must_use]
    pub fn new(session: &Session, arn: String) -> Self {
        let config = aws_sdk_sns::config::Builder::from(session.config()).retry_partition(session.retries());
        Self { client: Client::from_conf(config.build()), arn }
    }
}

impl Publisher for Topic {
    async fn publish(&self, message: &Message) -> Result<(), CallError> {
        let call = self.client.publish().topic_arn(&self.arn).subject(&message.subject).message(&message.body);
        call.send().await.map(drop).map_err(|error| CallError::of("Publish", error))
    }
}
