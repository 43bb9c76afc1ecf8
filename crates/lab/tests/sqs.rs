//! SQS as its SDK sees it.

mod common;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use common::{DR, lab, sdk};
use lab::sqs::send_with_attributes;

#[tokio::test]
async fn a_message_is_sent_received_with_its_attributes_and_deleted() {
    let lab = lab(1000.0).await;
    let sqs = Client::new(&sdk(&lab, DR).await);
    let url = sqs.create_queue().queue_name("dead").send().await.unwrap().queue_url.unwrap();
    assert_eq!(sqs.get_queue_url().queue_name("dead").send().await.unwrap().queue_url(), Some(url.as_str()));
    let arn = "arn:aws:sqs:us-west-2:123456789012:dead";
    send_with_attributes(&lab, arn, "first".to_owned(), &[("ERROR_CODE", "NO_RESOURCE".to_owned())]);
    let sent = sqs.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    let count = || async {
        let ask = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
        let attributes = ask.send().await.unwrap().attributes.unwrap();
        assert_eq!(attributes[&QueueAttributeName::QueueArn], arn);
        attributes[&QueueAttributeName::ApproximateNumberOfMessages].clone()
    };
    assert_eq!(count().await, "2");
    let receive = sqs.receive_message().queue_url(&url).max_number_of_messages(10).visibility_timeout(43_200);
    let received = receive.message_attribute_names("All").send().await.unwrap();
    let [first, second] = received.messages() else { panic!("{received:?}") };
    assert_eq!((first.body(), second.body()), (Some("first"), Some("hello")));
    let attribute = &first.message_attributes().unwrap()["ERROR_CODE"];
    assert_eq!(attribute.string_value(), Some("NO_RESOURCE"));
    assert_eq!(count().await, "0", "they are hidden now");
    let receipt = second.receipt_handle().unwrap();
    sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
    assert_eq!(lab.sqs.bodies(arn), ["first"]);
}

#[tokio::test]
async fn what_is_absent_or_unknown_is_refused_by_name() {
    let lab = lab(1000.0).await;
    let sqs = Client::new(&sdk(&lab, DR).await);
    let absent = sqs.get_queue_url().queue_name("absent").send().await.unwrap_err().into_service_error();
    assert!(absent.is_queue_does_not_exist(), "{absent:?}");
    sqs.create_queue().queue_name("q").send().await.unwrap();
    let waiting = sqs.receive_message().queue_url("x/q").wait_time_seconds(20).send().await.unwrap_err();
    assert!(format!("{waiting:?}").contains("WaitTimeSeconds"));
    let purge = sqs.purge_queue().queue_url("x/q").send().await.unwrap_err();
    assert!(format!("{purge:?}").contains("PurgeQueue"));
}
