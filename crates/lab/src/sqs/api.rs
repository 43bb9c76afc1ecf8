//! SQS's API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::queue::{Message, Queue};
use super::{VISIBILITY_TIMEOUT, url};
use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::journal::What;
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_0, action, input, reply};

const NO_QUEUE: &str = "com.amazonaws.sqs#QueueDoesNotExist";
const QUEUE_EXISTS: &str = "com.amazonaws.sqs#QueueNameExists";
/// "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes." (recorded from AWS.)
const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "CreateQueue" => create(lab, call),
        "GetQueueUrl" => queue_url(lab, call),
        "SendMessage" => send(lab, call),
        "ReceiveMessage" => receive(lab, call),
        "DeleteMessage" => delete(lab, call),
        "GetQueueAttributes" => attributes(lab, call),
        other => Err(Refusal::unsupported(format!("the SQS action {other}"))),
    };
    // SQS was a query service once, and SDKs still look for the codes of that time.
    let code = outcome.as_ref().err().and_then(|refusal| match refusal.code.as_str() {
        NO_QUEUE => Some("AWS.SimpleQueueService.NonExistentQueue"),
        QUEUE_EXISTS => Some("QueueAlreadyExists"),
        _ => None,
    });
    let query_error = code.map(|code| ("x-amzn-query-error", format!("{code};Sender")));
    Reply { headers: query_error.into_iter().collect(), ..reply(JSON_1_0, action, outcome) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct QueueName {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessage {
    queue_url: String,
    message_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    /// What the list of system attributes was called before.
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

fn create(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let CreateQueue { queue_name, mut attributes } = input(call)?;
    // "A queue name can have up to 80 characters: alphanumeric characters, hyphens and underscores" (CreateQueue).
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if queue_name.ends_with(".fifo") {
        return Err(Refusal::unsupported("FIFO queues"));
    }
    if queue_name.is_empty() || queue_name.len() > 80 || !queue_name.chars().all(is_allowed) {
        return Err(invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"));
    }
    let asked = match attributes.remove("VisibilityTimeout") {
        Some(text) => match text.parse() {
            Ok(seconds @ 0..=43_200) => Some(Duration::from_secs(seconds)),
            _ => {
                return Err(Refusal::bad_request(
                    "InvalidAttributeValue",
                    "Invalid value for the parameter VisibilityTimeout.",
                ));
            }
        },
        None => None,
    };
    if let Some(name) = attributes.keys().next() {
        return Err(Refusal::unsupported(format!("the queue attribute {name}")));
    }
    let arn = lab.sqs.create(&call.region, &queue_name, asked.unwrap_or(VISIBILITY_TIMEOUT));
    let stands = lab.sqs.queues().get(&arn).map(|queue| queue.visibility_timeout);
    if asked.is_some() && asked != stands {
        let why = "A queue already exists with the same name and a different value for attribute VisibilityTimeout";
        return Err(Refusal::bad_request(QUEUE_EXISTS, why));
    }
    Ok((arn, json!({"QueueUrl": url(lab, &queue_name)})))
}

fn queue_url(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let QueueName { queue_name } = input(call)?;
    let url = url(lab, &queue_name);
    let arn = with_queue(lab, call, &url, |_| ())?.0;
    Ok((arn, json!({"QueueUrl": url})))
}

fn send(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let SendMessage { queue_url, message_body } = input(call)?;
    if message_body.is_empty() {
        let why = "The request must contain the parameter MessageBody.";
        return Err(Refusal::bad_request("MissingParameter", why));
    }
    if message_body.len() > MESSAGE_BYTES_MAX {
        let why = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.";
        return Err(invalid(why));
    }
    let (arn, id) =
        with_queue(lab, call, &queue_url, |queue| queue.send(message_body.clone(), BTreeMap::new(), lab.clock.now()))?;
    let answer = json!({"MessageId": id, "MD5OfMessageBody": md5(&message_body)});
    lab.record(What::Queued { queue: arn.clone(), body: message_body });
    Ok((arn, answer))
}

fn receive(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let asked: ReceiveMessage = input(call)?;
    let ReceiveMessage { queue_url, max_number_of_messages, visibility_timeout, .. } = &asked;
    let count = max_number_of_messages.unwrap_or(1);
    if !(1..=10).contains(&count) {
        let why = format!(
            "Value {count} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        );
        return Err(invalid(&why));
    }
    let (arn, messages) = with_queue(lab, call, queue_url, |queue| {
        let timeout = visibility_timeout.map_or(queue.visibility_timeout, Duration::from_secs);
        queue.receive(count, timeout, lab.clock.now())
    })?;
    let messages: Vec<Value> = messages.iter().map(|message| received(message, &asked)).collect();
    // AWS leaves the list out when there is nothing in it.
    Ok((arn, if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) }))
}

/// A message as it is handed out: attributes of either kind only where they were asked for.
fn received(message: &Message, asked: &ReceiveMessage) -> Value {
    let wants = |wanted: &[String], name: &str| {
        wanted.iter().any(|wanted| matches!(wanted.as_str(), "All" | ".*") || wanted == name)
    };
    let attributes = message.attributes.iter().filter(|(name, _)| wants(&asked.message_attribute_names, name));
    let attributes: Map<String, Value> =
        attributes.map(|(name, value)| (name.clone(), json!({"DataType": "String", "StringValue": value}))).collect();
    let system = [
        ("SentTimestamp", message.sent_at.as_millisecond().to_string()),
        ("ApproximateReceiveCount", message.received.to_string()),
    ];
    let system = system
        .into_iter()
        .filter(|(name, _)| wants(&asked.message_system_attribute_names, name) || wants(&asked.attribute_names, name));
    let system: Map<String, Value> = system.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let mut told = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": md5(&message.body),
    });
    for (name, given) in [("Attributes", system), ("MessageAttributes", attributes)] {
        if !given.is_empty() {
            told[name] = Value::Object(given);
        }
    }
    told
}

fn delete(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let DeleteMessage { queue_url, receipt_handle } = input(call)?;
    let (arn, deleted) = with_queue(lab, call, &queue_url, |queue| queue.delete(&receipt_handle))?;
    if !deleted {
        let why = format!("The input receipt handle \"{receipt_handle}\" is not a valid receipt handle.");
        return Err(Refusal::bad_request("ReceiptHandleIsInvalid", why));
    }
    Ok((arn, json!({})))
}

fn attributes(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let GetQueueAttributes { queue_url, attribute_names } = input(call)?;
    let (arn, known) = with_queue(lab, call, &queue_url, |queue| {
        let visible = queue.visible(lab.clock.now());
        [
            ("ApproximateNumberOfMessages", visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", (queue.bodies().len() - visible).to_string()),
            ("VisibilityTimeout", queue.visibility_timeout.as_secs().to_string()),
        ]
    })?;
    let mut known: BTreeMap<&str, String> = known.into();
    known.insert("QueueArn", arn.clone());
    if let Some(name) = attribute_names.iter().find(|name| *name != "All" && !known.contains_key(name.as_str())) {
        return Err(Refusal::unsupported(format!("the queue attribute {name}")));
    }
    known.retain(|name, _| attribute_names.iter().any(|wanted| wanted == "All" || wanted == name));
    // AWS leaves the map out when there is nothing in it.
    Ok((arn, if known.is_empty() { json!({}) } else { json!({"Attributes": known}) }))
}

fn with_queue<T>(lab: &Lab, call: &Call, url: &str, act: impl FnOnce(&mut Queue) -> T) -> Result<(String, T), Refusal> {
    let name = url.rsplit('/').next().unwrap_or_default();
    let arn = arn("sqs", &call.region, name);
    let done = lab.sqs.queues().get_mut(&arn).map(act);
    done.map(|done| (arn, done)).ok_or_else(|| Refusal::bad_request(NO_QUEUE, "The specified queue does not exist."))
}

fn invalid(message: &str) -> Refusal {
    Refusal::bad_request("InvalidParameterValue", message)
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
