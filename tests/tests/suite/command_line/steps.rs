//! The steps around a failover, as the command line shows them.

use drill::stage::steps::{STEPS, Stepped};

use super::*;

const WITH_STEPS: Layout = Layout {
    responder: STEPS,
    detector: &[],
    crowd: 0,
    one_stack: false,
    is_global: false,
    has_shop: false,
    databases: Databases::Simulated,
    plan: None,
};

fn rules(steps: &Value) -> Vec<String> {
    let of = |step: &Value| {
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        format!("{} {}{}", text("list"), text("rule"), text("row"))
    };
    steps.as_array().into_iter().flatten().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_each_step_and_the_dry_run_what_an_outage_and_a_failover_would_do() {
    let stage = stage(&WITH_STEPS).await;
    stage.furnish_steps().expect("the lab takes them");
    text(&stage, &["arm"]).await;
    let now = "min 1, desired 2, max 8, 0 in service; it is to have at least 6 instances";
    let said = [now, "Auto Scaling group shop", "rule nightly", "function resume-jobs", "it is to be called once"];
    contains_all(&text(&stage, &["status"]).await, &said);
    let status = json(&stage, &["status"]).await;
    assert_eq!(rules(&status["steps"]).len(), 7);
    assert!(status["steps"][0]["resource"].as_str().is_some_and(|arn| arn.ends_with("/shop")), "{status}");
    let plan = json(&stage, &["plan", "--alarm"]).await;
    let all = [["prepare S06"; 4].as_slice(), &["after S06"; 3]].concat();
    assert_eq!(rules(&plan["steps"]), all);
    let said = ["preparer", "as if it were over", "S06", "nothing was changed"];
    contains_all(&text(&stage, &["plan", "--alarm"]).await, &said);
    text(&stage, &["disarm"]).await;
    let plan = json(&stage, &["plan", "--alarm"]).await;
    assert_eq!(rules(&plan["steps"])[0], "prepare S03c", "what is switched off changes nothing");
    assert_eq!(stage.stepped(), Stepped::untouched(), "and neither does a dry run");
    stage.update(&[("After", "arn:aws:events:us-east-1:123456789012:rule/nightly=on")]).expect("it deploys");
    let said = ["steps", "not known", "After has \"arn:aws:events:us-east-1", "DR region eu-central-1"];
    contains_all(&text(&stage, &["status"]).await, &said);
}
