//! The old writers, cut off and let in again by commands.

use super::*;

/// A stage whose old writers are to be fenced.
const FENCED: Layout = Layout {
    responder: &[
        ("FenceRegion", PRIMARY),
        ("FenceSecurityGroupId", CLOSED_GROUP),
        ("FenceAuroraClusters", "app"),
        ("FenceRdsInstances", "orders"),
    ],
    detector: &[],
    crowd: 0,
    one_stack: false,
    is_global: false,
    has_shop: false,
    databases: Databases::Simulated,
    plan: None,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_is_shown_made_at_once_and_lifted_by_its_rules() {
    let stage = stage(&FENCED).await;
    contains_all(&text(&stage, &["fence", "status"]).await, &["Aurora cluster app", "X01", "sg-default"]);
    contains_all(&refused(&stage, &["fence", "now"], 1).await, &["nothing was changed", "pin is in sync"]);
    text(&stage, &["arm"]).await;
    stage.minutes(16).await;
    stage.lab.faults.fail_region(PRIMARY);
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    assert!(stage.until(Duration::from_secs(10_800), failed_over).await, "{:?}", states(&stage));
    // The tick is not to be first: what it has in flight when the region returns would be carried out.
    let by_tick = |site: &Site<'_>| site.caller == "holdfast-fencer" && site.service == "rds";
    stage.lab.faults.set_call_fault(CallFault::when(by_tick, CallEffect::unavailable()));
    stage.lab.faults.heal_region(PRIMARY);
    let groups = |stage: &Stage| ["app", "orders"].map(|id| rds::groups(&stage.lab, PRIMARY, id).concat());
    // RDS takes its time over security groups; until they are in force no reboot would cut anything.
    let begun = json(&stage, &["fence", "now"]).await;
    assert!(fields(&begun).is_superset(&of_command("fence now", &[])), "{begun}");
    assert_eq!((&begun["outcome"], &begun["rule"]), (&Value::from("Waiting"), &Value::from("X07")));
    stage.minutes(3).await;
    let fenced = json(&stage, &["fence", "now"]).await;
    assert_eq!((&fenced["outcome"], &fenced["rule"]), (&Value::from("Fenced"), &Value::from("X09")));
    assert_eq!(groups(&stage), [CLOSED_GROUP; 2]);
    stage.lab.faults.clear_call_faults();
    let status = json(&stage, &["fence", "status"]).await;
    assert_eq!(
        (&status["fence"][0]["rule"], fields(&status)),
        (&"X05".into(), of_command("fence status", &[])),
        "{status}"
    );
    // RDS modifies nothing that reboots.
    stage.minutes(3).await;
    let lifted = json(&stage, &["fence", "lift"]).await;
    assert_eq!(lifted["lifted"], serde_json::json!(["Aurora cluster app", "RDS instance orders"]));
    assert_eq!(fields(&lifted), of_command("fence lift", &[]));
    stage.minutes(3).await;
    contains_all(&text(&stage, &["fence", "lift"]).await, &["no fence of Holdfast's stands"]);
    stage.minutes(5).await;
    assert_eq!(groups(&stage), ["sg-default"; 2], "the tick leaves it to people");
    assert_eq!(json(&stage, &["fence", "status"]).await["fence"][1]["rule"], "X04");
}
