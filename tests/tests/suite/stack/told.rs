//! What chat and pagers are sent, and that they can read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::event::sns::CloudWatchAlarmPayload;
use lab::journal::What;
use lab::{Lab, arn};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DR, STACK, deployed, invoke, until};

const PAGER: &str = "https://events.pager.example/integration/key/enqueue";
const INCIDENT: &str = "holdfast-failover-started@2026-01-01T12:00:00Z";

/// The event schema of custom notifications (Amazon Q Developer in chat applications administrator guide, "Custom
/// notifications"): every member it has, and no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    version: String,
    source: String,
    #[serde(rename = "id")]
    _id: Option<String>,
    content: Content,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    text_type: String,
    title: String,
    description: String,
    next_steps: Vec<String>,
    keywords: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Metadata {
    thread_id: Option<String>,
    summary: String,
    event_type: String,
    related_resources: Vec<String>,
    additional_context: BTreeMap<String, String>,
}

/// Lambda's record of an invocation that returned an outcome, as the bus brings it.
fn record(outcome: &str, attention: &str) -> Value {
    let payload = json!({
        "outcome": outcome, "attention": attention, "rule": "P09", "because": "the primary site answers from here",
        "subjects": ["*.shop.example.com"], "incident": INCIDENT, "at": "2026-01-01T12:00:30Z", "trigger": "event",
        "despite": ["P09"], "facts": [{"about": "primary", "seen": "answers"}], "next": "people decide",
    });
    json!({
        "version": "0", "id": "1", "account": "123456789012", "region": DR, "source": "lambda", "resources": [],
        "time": "2026-01-01T12:00:31Z", "detail-type": "Lambda Function Invocation Result - Success", "detail": {
            "version": "1.0", "timestamp": "2026-01-01T12:00:31Z", "requestPayload": {},
            "requestContext": {"requestId": "r", "condition": "Success", "approximateInvokeCount": 1,
                "functionArn": format!("arn:aws:lambda:{DR}:123456789012:function:holdfast-alarm-handler:$LATEST")},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}, "responsePayload": payload}})
}

/// Subscribes a queue to the chat's topic, as Amazon Q subscribes itself.
fn listen(lab: &Lab) {
    let queue = lab.sqs.create(DR, "chat", std::time::Duration::from_secs(30));
    let topic = arn::arn("sns", DR, &format!("{STACK}-ChatTopic"));
    lab.sns.subscribe(&topic, "sqs", &queue).expect("the topic is there");
}

async fn told(outcome: &str, attention: &str) -> Arc<Lab> {
    let lab = deployed(&[("ChatCards", "yes"), ("PagerUrl", PAGER)], |yaml| yaml, None).await;
    listen(&lab);
    invoke(&lab, "notifier", record(outcome, attention));
    until(&lab, "a mail", |what| {
        mail(what, "OperatorTopic", "a@example.com").filter(|(subject, _)| subject.starts_with("Holdfast: "))
    })
    .await;
    lab
}

/// Subject and body of what an endpoint got from a topic.
fn mail(what: &What, of: &str, endpoint: &str) -> Option<(String, String)> {
    match what {
        What::Mail { topic, to, subject: Some(subject), body } if to == endpoint && topic.ends_with(of) => {
            Some((subject.clone(), body.clone()))
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_gets_a_card_in_the_incidents_thread() {
    let lab = told("Held", "page").await;
    let body = until(&lab, "a card", |what| match what {
        What::Queued { queue, body } if queue.ends_with(":chat") => Some(body.clone()),
        _ => None,
    })
    .await;
    let envelope: Value = serde_json::from_str(&body).expect("SNS wraps it in JSON");
    assert_eq!(envelope["MessageAttributes"]["attention"], json!({"Type": "String", "Value": "page"}));
    let card: Card = serde_json::from_str(envelope["Message"].as_str().expect("it is text")).expect("it is a card");
    assert_eq!((card.version.as_str(), card.source.as_str()), ("1.0", "custom"));
    assert_eq!(card.content.text_type, "client-markdown");
    assert_eq!(card.metadata.thread_id.as_deref(), Some(INCIDENT));
    assert_eq!((card.metadata.event_type.as_str(), card.metadata.summary.contains("HELD")), ("Held", true));
    assert_eq!(card.metadata.related_resources, ["*.shop.example.com"]);
    assert_eq!(card.metadata.additional_context["attention"], "page");
    assert!(card.content.title.contains("HELD, primary may be up"), "{}", card.content.title);
    assert!(card.content.description.contains("P09"), "{}", card.content.description);
    assert!(!card.content.description.contains("*.shop"), "an asterisk would make the rest bold");
    assert!(
        card.content.next_steps.iter().any(|step| step.contains("`holdfast approve")),
        "{:?}",
        card.content.next_steps
    );
    assert!(card.content.keywords.contains(&"Held".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pager_gets_pages_as_alarms_that_cloudwatchs_readers_understand_and_no_notices() {
    let lab = told("Held", "page").await;
    let (_, body) = until(&lab, "a page", |what| mail(what, "PagerTopic", PAGER)).await;
    let envelope: Value = serde_json::from_str(&body).expect("SNS wraps it in JSON");
    let (subject, message) = (envelope["Subject"].as_str(), envelope["Message"].as_str().expect("it is text"));
    let alarm: CloudWatchAlarmPayload = serde_json::from_str(message).expect("it is what CloudWatch would send");
    assert_eq!(
        alarm.alarm_name,
        format!("Holdfast: HELD, primary may be up (P09), {INCIDENT}"),
        "however often it is told"
    );
    assert_eq!((alarm.new_state_value.as_str(), alarm.region.as_str()), ("ALARM", DR));
    assert!(subject.is_some_and(|subject| subject.starts_with(&format!("{}: ", alarm.new_state_value))), "{subject:?}");
    assert!(message.contains("holdfast approve"), "what to run is in it");

    let lab = told("Armed", "notice").await;
    invoke(&lab, "notifier", json!({"this": "fails, so that the stack's own alarm rings"}));
    let is_it = |(subject, _): &(String, String)| subject.starts_with("ALARM: \"holdfast-notifier-");
    until(&lab, "an alarm", |what| mail(what, "OperatorTopic", PAGER).filter(is_it)).await;
    for entry in lab.journal.entries() {
        assert_eq!(mail(&entry.what, "PagerTopic", PAGER), None, "a notice wakes nobody");
        let text = mail(&entry.what, "OperatorTopic", PAGER).filter(|(subject, _)| subject.starts_with("Holdfast"));
        assert_eq!(text, None, "nor does a pager get what people read");
    }
}
