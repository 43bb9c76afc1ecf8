//! The switch is put on the records, and taken off again, by a person's word.

use drill::scenario::QUICK;
use lab::fault::{Effect, Loss};
use lab::route53::Failover;

use super::*;

pub const ON_SWITCH: Layout = Layout {
    responder: &[("AuroraClusters", ""), ("RdsInstances", ""), ("SettleSeconds", "120"), ("DnsMoves", "by-holdfast")],
    ..QUICK
};

/// The health check of every PRIMARY record, each once.
fn checks(stage: &Stage) -> Vec<String> {
    let primaries = records(stage).into_iter().filter(|set| set.failover() == Some(Failover::Primary));
    let mut checks: Vec<_> = primaries.filter_map(|set| set.health_check).collect();
    checks.sort();
    checks.dedup();
    checks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_is_adopted_once_its_heartbeat_is_heard_and_given_back_by_the_same_command() {
    let stage = stage(&ON_SWITCH).await;
    let switch = stage.switch.clone().expect("the stack has a switch");
    text(&stage, &["arm"]).await;
    stage.minutes(6).await;
    contains_all(
        &text(&stage, &["status"]).await,
        &["advice: PRIMARY record of", "does not have the switch", "holdfast adopt"],
    );

    let adopted = json(&stage, &["adopt"]).await;
    assert_eq!(fields(&adopted), of_command("adopt", &[]));
    assert_eq!((adopted["changed"].as_array().map(Vec::len), &adopted["left"]), (Some(NAMES), &serde_json::json!([])));
    assert_eq!(checks(&stage), std::slice::from_ref(&switch));
    contains_all(&text(&stage, &["adopt"]).await, &["nothing is to be changed"]);
    let status = text(&stage, &["status"]).await;
    contains_all(&status, &["stacks, records and health check agree"]);
    assert!(!status.contains("does not have the switch"), "{status}");

    // The switch holds: a maintenance needs no health check, and writes none.
    let begun = run(&stage, &["maintenance", "begin", "--for", "2h", "--reason", "new network"]).await;
    contains_all(&(stdout(&begun) + &stderr(&begun)), &["Holdfast holds DNS at the primary meanwhile"]);
    contains_all(&refused(&stage, &["adopt", "--off"], 1).await, &["is in maintenance"]);
    let updates = |what: &What| matches!(what, What::Call { action, .. } if action == "UpdateHealthCheck");
    assert!(!stage.lab.journal.entries().iter().any(|entry| updates(&entry.what)));
    text(&stage, &["maintenance", "end"]).await;

    stage.lab.faults.fail_region(PRIMARY);
    let rings = |stage: &Stage| {
        let is_it = |what: &What| matches!(what, What::Alarm { name, to, .. } if name.ends_with("failover-started") && to == "ALARM");
        stage.lab.journal.entries().iter().any(|entry| is_it(&entry.what))
    };
    assert!(stage.until(Duration::from_secs(1_200), rings).await, "the alarm rings");
    contains_all(&refused(&stage, &["adopt", "--off"], 1).await, &["is not OK"]);
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    let all = stage.until(Duration::from_secs(1_800), failed_over).await;
    assert!(all, "{}", text(&stage, &["status"]).await);
    stage.lab.faults.heal_region(PRIMARY);
    stage.minutes(10).await;
    contains_all(&refused(&stage, &["adopt", "--off"], 1).await, &["the latch is not known to be open"]);
    assert_eq!(checks(&stage), [switch], "a pin leaves the health check where it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_moves_nobody_in_shadow_mode_or_without_a_heartbeat_and_is_not_adopted_then() {
    let stage = stage(&ON_SWITCH).await;
    text(&stage, &["arm"]).await;
    stage.minutes(6).await;
    text(&stage, &["adopt"]).await;
    stage.update(&[("Mode", "shadow")]).expect("the stack can be updated");
    let told = ["in shadow mode Holdfast pins nothing", "holdfast adopt --off"];
    contains_all(&text(&stage, &["status"]).await, &told);
    contains_all(&refused(&stage, &["adopt"], 1).await, &["in shadow mode"]);
    text(&stage, &["adopt", "--off"]).await;
    assert_eq!(checks(&stage), std::slice::from_ref(&stage.failover_check));
    stage.update(&[("Mode", "automatic")]).expect("the stack can be updated");
    let of_function = |site: &Site<'_>| site.caller_region.is_some();
    let dies = CallEffect::Lose(Loss::Kill, Effect::Without);
    stage.lab.faults.set_call_fault(CallFault::when(of_function, dies));
    stage.minutes(8).await;
    contains_all(&refused(&stage, &["adopt"], 1).await, &["nothing was changed", "holdfast-hold-lapsed"]);
}

/// Records may be given the switch in the middle of a maintenance: its end enables what its beginning disabled.
#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_that_disabled_the_failover_check_enables_it_whatever_the_records_stand_on_by_then() {
    let stage = stage(&ON_SWITCH).await;
    text(&stage, &["arm"]).await;
    stage.minutes(6).await;
    let begun = run(&stage, &["maintenance", "begin", "--for", "12m", "--reason", "new network"]).await;
    contains_all(&(stdout(&begun) + &stderr(&begun)), &["is disabled: DNS stays on the primary"]);
    stage.stand_on_switch().await.expect("Route 53 takes the records");
    let armed = |stage: &Stage| states(stage) == ["armed"; NAMES];
    assert!(stage.until(Duration::from_secs(1_200), armed).await, "the maintenance ends by itself");
    let status = text(&stage, &["status"]).await;
    assert!(!status.contains("is disabled") && !status.contains("does not have the switch"), "{status}");
}
