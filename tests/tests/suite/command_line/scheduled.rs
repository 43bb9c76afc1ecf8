//! A maintenance from a schedule: the commands of examples/ci/maintenance.yml, under the policy of docs/policies/maintenance.json.

use drill::lambdas::repository;
use drill::stage::MAINTAINER;

use super::*;

/// What the workflow asks before it begins, in jq's words; `is_well` is the same.
const LOOK: &str = r#".users.place == "primary" and .outage == null and .probes.primary == "answers""#;

fn is_well(status: &Value) -> bool {
    status["users"]["place"] == "primary" && status["outage"].is_null() && status["probes"]["primary"] == "answers"
}

/// Runs a command of the workflow as its role does.
async fn scheduled(stage: &Stage, command: &str) -> Output {
    let file = repository().join("examples/ci/maintenance.yml");
    let workflow = std::fs::read_to_string(file).expect("the workflow is there");
    assert!(workflow.contains(LOOK) && workflow.contains(&format!("holdfast {command}")), "{command}");
    let arguments: Vec<_> = command.split_whitespace().collect();
    stage.holdfast_as(MAINTAINER, &arguments, false).await.expect("holdfast starts")
}

async fn look(stage: &Stage) -> Value {
    let looked = scheduled(stage, "status --json").await;
    assert!(looked.status.success(), "{}", stderr(&looked));
    serde_json::from_str(&stdout(&looked)).expect("standard output is one JSON document")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_maintenance_begins_and_ends_under_its_own_policy_and_does_not_begin_in_an_outage() {
    let stage = stage(&Layout::default()).await;
    stage.let_maintain().expect("the policy is one");
    // Until the stage's records are at every name server.
    stage.minutes(3).await;
    text(&stage, &["arm"]).await;
    assert!(is_well(&look(&stage).await));

    let begun = scheduled(&stage, "maintenance begin --for 2h").await;
    assert!(begun.status.success(), "{}", stderr(&begun));
    assert_eq!(states(&stage), ["paused"; NAMES]);
    assert!(is_check_disabled(&stage).await, "DNS stays at the primary");
    let ended = scheduled(&stage, "maintenance end").await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert_eq!(states(&stage), ["armed"; NAMES]);
    assert!(!is_check_disabled(&stage).await);

    stage.lab.faults.fail_region(PRIMARY);
    let is_down = |stage: &Stage| {
        let says_so =
            |what: &What| matches!(what, What::Alarm { name, to, .. } if name.ends_with("site-down") && to == "ALARM");
        stage.lab.journal.entries().iter().any(|entry| says_so(&entry.what))
    };
    assert!(stage.until(Duration::from_secs(900), is_down).await, "the first alarm rings");
    assert!(!is_well(&look(&stage).await), "a maintenance would hold the failover");

    // What it may not read is not known, and it writes no more than registers and the failover check.
    let maintainer = stage.lab.iam.everyone()[MAINTAINER].clone();
    let reads = |action: &str| {
        action.split_once(':').is_some_and(|(_, call)| {
            call.starts_with("List") || call.starts_with("Get") || call.starts_with("Describe")
        })
    };
    for request in &maintainer.denied {
        assert!(reads(&request.action), "{request:?}");
    }
    let written: Vec<_> =
        maintainer.asked.iter().map(|request| request.action.as_str()).filter(|action| !reads(action)).collect();
    for action in ["route53:ChangeResourceRecordSets", "route53:UpdateHealthCheck", "events:PutEvents"] {
        assert!(written.contains(&action), "nothing of the policy is spare: {action}");
    }
    // Whoever begins one all the same is told what it holds.
    let begun = text(&stage, &["maintenance", "begin", "--for", "2h"]).await;
    contains_all(&begun, &["the site has been down since 2026-01-05T", "a maintenance holds its failover"]);
}
