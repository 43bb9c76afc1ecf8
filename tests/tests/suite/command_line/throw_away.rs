//! A drill in the real zone, under the policy of docs/policies/drill.json; killed at each of its writes, and cleaned up.

use std::sync::atomic::{AtomicUsize, Ordering};

use drill::stage::DRILLER;
use lab::fault::{Effect, Loss};

use super::*;

const WRITE: &str = "ChangeResourceRecordSets";

/// Nothing writes production's registers in quiet hours, so that they can be compared byte for byte.
const NO_REHEARSALS: Layout = Layout {
    responder: &[("AuroraClusters", ""), ("RdsInstances", ""), ("PinRehearsal", "false")],
    detector: &[],
    crowd: 0,
    one_stack: false,
    is_global: false,
    has_shop: false,
    databases: Databases::Simulated,
    plan: None,
};

async fn armed_stage() -> Stage {
    let stage = stage(&NO_REHEARSALS).await;
    stage.let_drill().expect("the policy is one");
    text(&stage, &["arm"]).await;
    stage.minutes(16).await;
    stage
}

async fn drilled(stage: &Stage, arguments: &[&str]) -> Output {
    let arguments = [&["drill"][..], arguments].concat();
    stage.holdfast_as(DRILLER, &arguments, true).await.expect("holdfast starts")
}

/// Kills a drill at its write number `nth`, before or after it takes effect; what it printed if it makes fewer.
async fn killed_at(stage: &Stage, nth: usize, effect: Effect) -> Option<Output> {
    let writes = AtomicUsize::new(0);
    let from_there_on = move |site: &Site<'_>| {
        site.caller == DRILLER && site.action == WRITE && writes.fetch_add(1, Ordering::SeqCst) >= nth
    };
    stage.lab.faults.set_call_fault(CallFault::when(from_there_on, CallEffect::Lose(Loss::NoAnswer, effect)));
    let mut journal = stage.lab.journal.follow();
    let nth_is_over = async {
        let mut writes = 0;
        let is_write =
            |what: &What| matches!(what, What::Call { caller, action, .. } if caller == DRILLER && action == WRITE);
        while writes <= nth {
            writes += usize::from(is_write(&journal.recv().await.expect("the journal is followed").what));
        }
    };
    let ended = tokio::select! {
        output = drilled(stage, &[]) => Some(output),
        () = nth_is_over => None,
    };
    stage.lab.faults.clear_call_faults();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_fails_a_throw_away_name_over_and_back_and_leaves_all_else_as_it_was() {
    let stage = armed_stage().await;
    let before = stage.records();
    let page = std::env::temp_dir().join(format!("holdfast-drill-{}.html", std::process::id()));
    let output = drilled(&stage, &["--json", "--page", page.to_str().expect("the path is a text")]).await;
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let told: Value = serde_json::from_str(&stdout(&output)).expect("standard output is one JSON document");
    assert_eq!(fields(&told), &documented("report", &["id"]) | &of_command("drill", &[]));
    let checks = told["checks"].as_array().expect("checks are a list");
    assert!(checks.iter().all(|check| check["held"] == true) && checks.len() == 9, "{told}");
    let rules = ["Armed (P04b)", "Pinned (P13b)", "InSync (R02c)", "FailedOver (R04)", "P06e"];
    contains_all(&told.to_string(), &rules);
    contains_all(&told.to_string(), &["are as before the drill", "name servers asked, each by itself"]);
    let stages: Vec<_> = told["stages"].as_array().into_iter().flatten().map(|stage| stage["name"].clone()).collect();
    let reached = ["drill begun", "the name answers", "armed", "the drill's alarm rings", "pinned", "pin in sync"];
    assert_eq!(stages[..6], reached);
    assert_eq!(stages[6..], ["every name server answers DR", "failed over", "failed back", "removed"]);
    assert!(std::fs::read_to_string(&page).expect("it was written").contains("<html"));
    std::fs::remove_file(page).expect("it can be removed");
    assert_eq!(stage.records(), before, "production's records and registers, byte for byte");
    assert!(!mailed(&stage, "holdfast-drill"), "nobody is told of it");
    let driller = stage.lab.iam.everyone()[DRILLER].clone();
    assert!(driller.denied.is_empty(), "{:?}", driller.denied);
    // Nothing of the policy is spare.
    for action in ["lambda:GetFunctionConfiguration", "route53:GetHostedZone", "route53:GetChange"] {
        assert!(driller.asked.iter().any(|request| request.action == action), "{action}");
    }
    // Whom no policy lets drill is told which would, and makes nothing.
    let operator = stage.holdfast_as(OPERATOR, &["drill"], true).await.expect("holdfast starts");
    assert_eq!(operator.status.code(), Some(3), "{}", stderr(&operator));
    contains_all(&stderr(&operator), &["AccessDenied", "drill.json"]);
    assert_eq!(stage.records(), before);
    let said = stdout(&drilled(&stage, &["--clean"]).await);
    contains_all(&said, &["no drill has left anything in example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_that_was_killed_at_any_write_is_cleaned_up_exactly() {
    let stage = armed_stage().await;
    let before = stage.records();
    let mut kills = 0;
    loop {
        let effect = if kills % 2 == 0 { Effect::With } else { Effect::Without };
        if let Some(output) = killed_at(&stage, kills, effect).await {
            assert!(output.status.success(), "{}", stderr(&output));
            break;
        }
        kills += 1;
        let cleaned = drilled(&stage, &["--clean", "--json"]).await;
        let cleaned: Value = serde_json::from_str(&stdout(&cleaned)).expect("standard output is one JSON document");
        assert_eq!(fields(&cleaned), of_command("drill --clean", &[]));
        assert_eq!(stage.records(), before, "after {kills} kills: {cleaned}");
    }
    assert!(kills >= 7, "{kills} kills");
    // What was left behind long ago is removed by the next drill, and what may be of a colleague's is left alone.
    assert!(killed_at(&stage, 2, Effect::With).await.is_none());
    contains_all(&stdout(&drilled(&stage, &[]).await), &["left alone", "holdfast drill --clean"]);
    assert_ne!(stage.records(), before);
    stage.minutes(181).await;
    let next = drilled(&stage, &[]).await;
    assert!(next.status.success(), "{}", stderr(&next));
    contains_all(&stdout(&next), &["left behind by a drill: holdfast-drill-", "which is removed first"]);
    assert_eq!(stage.records(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_says_why_it_makes_nothing() {
    let whole = Layout {
        responder: &[
            ("AuroraClusters", ""),
            ("RdsInstances", ""),
            ("RecordNames", "ALL"),
            ("SecondHostedZoneId", ""),
            ("SecondRecordNames", ""),
        ],
        ..WITHOUT_DATABASES
    };
    let stage = stage(&whole).await;
    stage.let_drill().expect("the policy is one");
    let before = stage.records();
    let refused = drilled(&stage, &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    contains_all(&stderr(&refused), &["RecordNames=ALL", "--zone"]);
    assert_eq!(stage.records(), before);
}
