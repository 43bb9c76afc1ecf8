//! SNS's API.

use std::sync::Arc;

use serde::Serialize;

use super::Attributes;
use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::Arn;
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    match action.as_str() {
        "CreateTopic" => reply(&action, create_topic(lab, &call.region, form)),
        "GetTopicAttributes" => reply(&action, topic_attributes(lab, form)),
        "ListTopics" => reply(&action, list_topics(lab, &call.region, form)),
        "Subscribe" => reply(&action, subscribe(lab, form)),
        "Publish" => reply(&action, publish(lab, &call.region, form)),
        other => reply::<()>(other, Err(Refusal::unsupported(format!("the SNS action {other}")))),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicArn {
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubscriptionArn {
    subscription_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MessageId {
    message_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicList {
    topics: Members,
}

#[derive(Serialize)]
struct Members {
    member: Vec<TopicArn>,
}

fn create_topic(lab: &Lab, region: &str, mut form: Form) -> Result<(String, TopicArn), Refusal> {
    let name = form.required("Name")?;
    form.finish()?;
    // "Topic names … between 1 and 256 … ASCII letters, numbers, underscores, and hyphens" (CreateTopic).
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > 256 || !name.chars().all(valid) {
        return Err(Refusal::bad_request("InvalidParameter", "Invalid parameter: Topic Name"));
    }
    let topic_arn = lab.sns.create_topic(region, &name);
    Ok((topic_arn.clone(), TopicArn { topic_arn }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicAttributes {
    attributes: Entries,
}

#[derive(Serialize)]
struct Entries {
    entry: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    key: &'static str,
    value: String,
}

fn topic_attributes(lab: &Lab, mut form: Form) -> Result<(String, TopicAttributes), Refusal> {
    let topic = form.required("TopicArn")?;
    form.finish()?;
    let (confirmed, pending): (Vec<_>, Vec<_>) = {
        let topics = lab.sns.topics();
        topics.get(&topic).ok_or_else(super::no_topic)?.iter().map(|it| it.is_confirmed).partition(|it| *it)
    };
    let entry = [
        ("TopicArn", topic.clone()),
        ("SubscriptionsConfirmed", confirmed.len().to_string()),
        ("SubscriptionsPending", pending.len().to_string()),
    ];
    let entry = entry.map(|(key, value)| Entry { key, value }).into();
    Ok((topic, TopicAttributes { attributes: Entries { entry } }))
}

fn list_topics(lab: &Lab, region: &str, form: Form) -> Result<(String, TopicList), Refusal> {
    form.finish()?;
    let here = |arn: &&String| Arn::parse(arn).is_some_and(|arn| arn.region == region);
    let member = lab.sns.topics().keys().filter(here).map(|arn| TopicArn { topic_arn: arn.clone() }).collect();
    Ok((String::new(), TopicList { topics: Members { member } }))
}

fn subscribe(lab: &Lab, mut form: Form) -> Result<(String, SubscriptionArn), Refusal> {
    let (topic, protocol) = (form.required("TopicArn")?, form.required("Protocol")?);
    let endpoint = form.required("Endpoint")?;
    // It asks for the ARN of a subscription not yet confirmed; here all are.
    form.take("ReturnSubscriptionArn");
    form.finish()?;
    let subscription_arn = lab.sns.subscribe(&topic, &protocol, &endpoint)?;
    Ok((topic, SubscriptionArn { subscription_arn }))
}

fn publish(lab: &Arc<Lab>, region: &str, mut form: Form) -> Result<(String, MessageId), Refusal> {
    let (topic, message) = (form.required("TopicArn")?, form.required("Message")?);
    let subject = form.take("Subject");
    let mut attributes = Attributes::new();
    for entry in (1..).map(|n| format!("MessageAttributes.entry.{n}")) {
        let Some(name) = form.take(&format!("{entry}.Name")) else { break };
        let kind = form.required(&format!("{entry}.Value.DataType"))?;
        if kind != "String" {
            return Err(Refusal::unsupported(format!("message attributes of type {kind}")));
        }
        attributes.insert(name, form.required(&format!("{entry}.Value.StringValue"))?);
    }
    form.finish()?;
    if Arn::parse(&topic).is_none_or(|arn| arn.region != region) {
        return Err(Refusal::bad_request("InvalidParameter", "Invalid parameter: TopicArn"));
    }
    let message_id = super::try_publish(lab, &topic, subject.as_deref(), &message, attributes)?;
    Ok((topic, MessageId { message_id }))
}
