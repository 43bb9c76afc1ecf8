//! A failover that a person starts, the way home, and what is told of both afterwards.

use drill::stage::{CLUSTER, DR};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_fails_over_by_the_rules_and_fails_back() {
    let stage = stage(&WITHOUT_DATABASES).await;
    let original = records(&stage);
    text(&stage, &["arm"]).await;
    let refusal = refused(&stage, &["failover", "--reason", "game day"], 1).await;
    contains_all(&refusal, &["P08", "--despite P08,P09 lifts it"]);
    let refusal = refused(&stage, &["failover", "--despite", "P13"], 1).await;
    contains_all(&refusal, &["no approval may lift P13"]);
    let failover = ["failover", "--reason", "game day", "--despite", "P08,P09"];
    let output = stage.holdfast(&failover, true).await.expect("holdfast starts");
    assert!(output.status.success(), "{}", stderr(&output));
    contains_all(&stdout(&output), &["P13b Pin", "pinned to DR", "incident operator@"]);
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    assert!(stage.until(Duration::from_secs(1_800), failed_over).await, "{:?}", states(&stage));
    contains_all(
        &text(&stage, &["status"]).await,
        &["failed over to DR", "(pinned; was 127.0.10.1)", "DNS 127.0.20.1", "incident  operator@"],
    );
    contains_all(&refused(&stage, &["disarm"], 1).await, &["holdfast failback"]);
    let pinned_for = |register: &Register| register.pin().map(|pin| pin.incident.to_string());
    let incident = stage.registers().values().find_map(pinned_for).expect("every name is pinned");
    let output = stage.holdfast(&["failback", "switch"], true).await.expect("holdfast starts");
    assert!(output.status.success(), "{}", stderr(&output));
    contains_all(&stdout(&output), &["DNS answers with the primary again", "cool-down"]);
    assert_eq!(records(&stage), original);
    assert_eq!(states(&stage), ["armed"; NAMES]);
    contains_all(&text(&stage, &["plan", "--alarm"]).await, &["P08 Ask"]);
    contains_all(&refused(&stage, &["failback", "check"], 1).await, &["F01"]);
    let is_home = |stage: &Stage| mailed(stage, "DNS answers with the primary again");
    assert!(stage.until(Duration::from_secs(300), is_home).await, "others are told");
    let words = [
        "failed over, and brought back since",
        "game day",
        "BACK on the primary",
        "by arn:aws",
        "holdfast status --check",
    ];
    contains_all(&text(&stage, &["report", &incident]).await, &words);
    let check = stdout(&run(&stage, &["failback", "check", "--json"]).await);
    let check: Value = serde_json::from_str(&check).expect("standard output is one JSON document");
    assert_eq!(check["obstacles"][0]["rule"], "F01");
}

/// An approval of the pin is none of lost writes, and nobody is to learn that from users.
#[tokio::test(flavor = "multi_thread")]
async fn who_fails_over_is_told_before_and_after_which_databases_will_wait_for_a_person() {
    for (lag, words) in [
        (None, &["pinned to DR", "the databases follow"][..]),
        (
            Some(Duration::from_secs(600)),
            &["not promoted without you: Aurora cluster app-dr (R07a)", "not every database follows by itself"],
        ),
    ] {
        let stage = stage(&drill::scenario::QUICK).await;
        text(&stage, &["arm"]).await;
        if let Some(lag) = lag {
            rds::set_lag(&stage.lab, DR, CLUSTER, lag);
        }
        stage.minutes(3).await;
        let failover = ["failover", "--reason", "game day", "--despite", "P08,P09"];
        let output = stage.holdfast(&failover, true).await.expect("holdfast starts");
        assert!(output.status.success(), "{}", stderr(&output));
        contains_all(&stdout(&output), words);
    }
}
