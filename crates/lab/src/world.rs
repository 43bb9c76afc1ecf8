//! The room above the services: it carries what one of them causes in another, and answers what one must know of another.
//!
//! Everything here happens at once, in the order of the calls. A service that takes its time, as EventBridge does with an event, takes it
//! itself.

use std::sync::Arc;

use crate::Lab;
use crate::arn::Arn;
use crate::iam::Request;
use crate::message::Message;
use crate::{events, functions, logs, sns, sqs};

impl Lab {
    /// Gives a message to the service that it is for.
    pub(crate) fn carry(self: &Arc<Self>, message: Message<'_>) {
        match message {
            Message::Datum { region, namespace, metric, dimensions, value, at } => {
                self.cloudwatch.put_metric(region, namespace, metric, dimensions, value, at);
            }
            Message::Event { region, bus, event } => events::put(self, region, bus, event),
            Message::Invocation { function, payload } => functions::invoke_async(self, function, payload),
            Message::Notification { topic, subject, text } => sns::publish(self, topic, subject, text),
            Message::Queued { queue, body, attributes } => sqs::send_with_attributes(self, queue, body, attributes),
            Message::Line { region, function, line } => logs::keep(self, region, function, line),
        }
    }

    /// True if there is the function, queue, topic or event bus that an ARN names.
    pub(crate) fn has(&self, named: &str) -> bool {
        let Some(arn) = Arn::parse(named) else { return false };
        match arn.service {
            "lambda" => self.functions.exists(named),
            "sqs" => self.sqs.exists(named),
            "sns" => self.sns.exists(named),
            "events" => self.events.has_bus(arn.region, arn.named("event-bus/").unwrap_or_default()),
            _ => false,
        }
    }

    /// True if any region has a function of this name.
    pub(crate) fn has_function_named(&self, name: &str) -> bool {
        self.functions.is_named(name)
    }

    /// Asks IAM whether a principal may do something that AWS does as that principal.
    ///
    /// # Errors
    /// The refusal in AWS's words.
    pub(crate) fn allow(&self, principal: &str, action: &str, resource: &str, region: &str) -> Result<(), String> {
        self.iam.allow(principal, Request::new(action, resource, region))
    }
}
