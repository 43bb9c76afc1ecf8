//! SNS as its SDK and its subscribers see it.

mod common;

use std::time::Duration;

use aws_sdk_sns::Client;
use common::{DR, PRIMARY, echo, journaled, lab, sdk};
use lab::functions::{FunctionConfig, Functions};
use lab::journal::What;
use serde_json::Value;

#[tokio::test]
async fn a_published_message_reaches_every_kind_of_subscriber() {
    let lab = lab(1000.0).await;
    let sns = Client::new(&sdk(&lab, DR).await);
    let topic = sns.create_topic().name("ops").send().await.unwrap().topic_arn.unwrap();
    let queue = lab.sqs.create(DR, "queue", Duration::from_secs(30));
    let function = Functions::create(&lab, DR, FunctionConfig::new("echo", echo())).unwrap();
    for (protocol, endpoint) in [("email", "ops@example.com"), ("sqs", &queue), ("lambda", &function)] {
        sns.subscribe().topic_arn(&topic).protocol(protocol).endpoint(endpoint).send().await.unwrap();
    }
    sns.publish().topic_arn(&topic).subject("Promoted").message("Replica app-dr").send().await.unwrap();
    let mail = journaled(&lab, |entry| match &entry.what {
        What::Mail { to, subject, body, .. } => Some((to.clone(), subject.clone(), body.clone())),
        _ => None,
    });
    assert_eq!(mail.await, ("ops@example.com".to_owned(), Some("Promoted".to_owned()), "Replica app-dr".to_owned()));
    let queued = journaled(&lab, |entry| match &entry.what {
        What::Queued { body, .. } => serde_json::from_str::<Value>(body).ok(),
        _ => None,
    });
    let queued = queued.await;
    assert_eq!((&queued["Type"], &queued["Message"]), (&"Notification".into(), &"Replica app-dr".into()));
    let invoked = journaled(&lab, |entry| match &entry.what {
        What::Invocation { request, .. } => Some(request.clone()),
        _ => None,
    });
    let record = invoked.await["Records"][0].clone();
    assert_eq!(record["EventSource"], "aws:sns");
    assert_eq!((&record["Sns"]["Subject"], &record["Sns"]["TopicArn"]), (&"Promoted".into(), &topic.into()));
}

#[tokio::test]
async fn what_sns_refuses_is_refused_with_its_codes() {
    let lab = lab(1000.0).await;
    let sns = Client::new(&sdk(&lab, DR).await);
    let topic = sns.create_topic().name("ops").send().await.unwrap().topic_arn.unwrap();
    let publish = || sns.publish().topic_arn(&topic).message("text");
    let subject = publish().subject("two\nlines").send().await.unwrap_err().into_service_error();
    assert!(subject.is_invalid_parameter_exception(), "{subject:?}");
    let absent = sns.publish().topic_arn(format!("{topic}x")).message("text").send().await.unwrap_err();
    assert!(absent.into_service_error().is_not_found_exception());
    let elsewhere = topic.replace(DR, PRIMARY);
    let elsewhere = sns.publish().topic_arn(elsewhere).message("text").send().await.unwrap_err();
    assert!(elsewhere.into_service_error().is_invalid_parameter_exception());
    let unknown = publish().message_structure("json").send().await.unwrap_err();
    assert!(format!("{unknown:?}").contains("MessageStructure"));
    assert_eq!(sns.list_topics().send().await.unwrap().topics()[0].topic_arn(), Some(topic.as_str()));
}
