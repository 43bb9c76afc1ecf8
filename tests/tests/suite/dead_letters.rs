//! Nothing is lost: an event that cannot be handled is kept, and people are told.

use std::time::Duration;

use drill::stage::{DR, Layout, Settings, Stage};
use lab::functions;
use lab::journal::What;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_handled_ends_in_the_dead_letter_queue_and_pages() {
    let lambdas = drill::lambdas::build().expect("the Lambdas build");
    let stage = Stage::set(Settings { seed: 1, speed: 600.0 }, &Layout::default(), &lambdas)
        .await
        .expect("the stage can be set");
    let lab = &stage.lab;
    let poison: serde_json::Value =
        serde_json::from_str(include_str!("../../../events/unknown.json")).expect("it is JSON");
    functions::invoke_async(lab, &lab::arn::arn("lambda", DR, "function:holdfast-alarm-handler"), poison);
    let mailed = |stage: &Stage, wanted: &str| {
        let is_it = |what: &What| matches!(what, What::Mail { subject: Some(subject), .. } if subject.contains(wanted));
        stage.lab.journal.entries().iter().any(|entry| is_it(&entry.what))
    };
    let kept = |stage: &Stage| {
        let is_it = |what: &What| matches!(what, What::Queued { queue, body } if queue.contains("DeadLetters") && body.contains("EC2"));
        stage.lab.journal.entries().iter().any(|entry| is_it(&entry.what))
    };
    let within = Duration::from_secs(15 * 60);
    assert!(stage.until(within, |stage| mailed(stage, "holdfast-alarm-handler failed")).await, "people are told");
    assert!(stage.until(within, kept).await, "the event is kept");
    assert!(
        stage.until(within, |stage| mailed(stage, "ALARM: \"holdfast-dead-letters\"")).await,
        "the queue's alarm pages"
    );
}
