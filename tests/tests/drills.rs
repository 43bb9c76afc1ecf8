//! Every scenario of the drill ends as it should, and an outage does whatever the seed.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use drill::report::{Report, Verdict};
use drill::scenario;
use drill::stage::{Settings, Stage};

/// Lab time does not depend on it, only how long the tests take.
const SPEED: f64 = 600.0;

async fn passes(name: &str, seed: u64) {
    let settings = Settings { seed, speed: SPEED };
    let lambdas = drill::lambdas::build().expect("the Lambdas build");
    let stage = Stage::set(settings, &lambdas).await.expect("the stage can be set");
    let scenario = scenario::named(name).expect("there is such a scenario");
    let evidence = scenario.play(stage, settings).await.expect("the scenario comes to its end");
    let report = Report::of(scenario, settings, &evidence);
    assert_eq!(report.verdict, Verdict::Passed, "{}", report.text(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blip_sends_a_mail_and_fails_nothing_over() {
    passes("blip", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_answers_our_probe_holds_the_failover() {
    passes("primary-still-up", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dr_site_that_does_not_answer_holds_the_failover() {
    passes("dr-down", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_delivered_again_and_again_make_one_failover() {
    passes("duplicate-events", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_event_is_made_good_by_the_tick() {
    passes("lost-event", 1).await;
}

/// Ten seeds, each with its own second of the minute, replica lag, promotion time and propagation delays.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_fails_over_once_whatever_the_seed() {
    for seed in 1..=10 {
        passes("region-outage", seed).await;
    }
}
