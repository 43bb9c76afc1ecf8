//! What Holdfast leaves to people, once they have undone its pin often enough: it is held again, or let go, by their word.

use drill::scenario::QUICK;
use drill::stage::{self, DR_ADDRESS, PRIMARY_ADDRESS};
use failover::register::REPINS_MAX;
use lab::route53::{Kind, Target};

use super::*;

const UNDONE: &str = stage::NAMES[0];

/// Where the PRIMARY A record of the undone name leads.
fn leads_to_dr(stage: &Stage) -> bool {
    let all = records(stage);
    let mut of_name = all.iter().filter(|set| set.key.name.bare() == UNDONE && set.key.kind == Kind::A);
    let address = DR_ADDRESS.to_string();
    of_name.all(|set| matches!(&set.target, Target::Values { values, .. } if *values == [address.clone()]))
}

/// A person writes the record back as often as Holdfast pins it again, and once more: then it is left to people.
async fn undo_until_left(stage: &Stage, repins: u8) {
    for nth in 0..=repins {
        stage.point_app_at(PRIMARY_ADDRESS).await.expect("Route 53 takes the record");
        let is_again = stage.until(Duration::from_secs(300), leads_to_dr).await;
        assert_eq!(is_again, nth < repins, "after {nth} repins");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_people_undid_is_left_to_them_until_they_have_it_held_again_or_let_go() {
    let stage = stage(&WITHOUT_DATABASES).await;
    text(&stage, &["arm"]).await;
    contains_all(&refused(&stage, &["pin-again"], 1).await, &["is not pinned"]);
    assert_eq!(stdout(&run(&stage, &["release"]).await), "", "what is refused has no consequences to tell of");
    let failover = ["failover", "--reason", "game day", "--despite", "P08,P09"];
    assert!(stage.holdfast(&failover, true).await.expect("holdfast starts").status.success());
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    assert!(stage.until(Duration::from_secs(1_800), failed_over).await, "{:?}", states(&stage));

    // What the records say now is not what the workload is in peace.
    let folder = std::env::temp_dir().join(format!("holdfast-init-on-dr-{}", std::process::id()));
    let out = folder.to_str().expect("the path is a text");
    let init = ["init", "--zone", "example.com", "--email", "a@example.com", "--force", "--out", out];
    contains_all(&refused(&stage, &init, 1).await, &["on DR", "nothing was written", "holdfast failback check"]);
    assert!(!folder.exists());
    let idle = text(&stage, &["pin-again"]).await;
    assert!(idle.contains("nothing is to be changed") && !idle.contains("the next tick"), "{idle}");

    undo_until_left(&stage, REPINS_MAX).await;
    let again = text(&stage, &["pin-again"]).await;
    contains_all(&again, &["the next tick, within a minute, points the PRIMARY records at DR again"]);
    assert!(stage.until(Duration::from_secs(300), leads_to_dr).await, "it is pinned again");
    contains_all(&refused(&stage, &["release"], 1).await, &["failback"]);

    // One of the two was that.
    undo_until_left(&stage, REPINS_MAX - 1).await;
    let released = text(&stage, &["release", "--reason", "the primary is where users belong"]).await;
    contains_all(&released, &["no record is changed"]);
    let before = records(&stage);
    stage.minutes(10).await;
    assert_eq!(records(&stage), before, "nobody moves what was let go");
    assert_eq!(states(&stage).iter().filter(|state| **state == "disarmed").count(), 1);
}

const WITH_DATABASES_ON_SWITCH: Layout =
    Layout { responder: &[("SettleSeconds", "120"), ("DnsMoves", "by-holdfast")], ..QUICK };

/// The way out that docs/operating.md promises under "Limits".
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_that_cannot_end_is_left_by_people_and_its_latch_is_lifted_five_minutes_later() {
    let stage = stage(&WITH_DATABASES_ON_SWITCH).await;
    let switch = stage.switch.clone().expect("the stack has a switch");
    text(&stage, &["arm"]).await;
    stage.minutes(6).await;
    text(&stage, &["adopt"]).await;
    let promotes = |site: &Site<'_>| site.action.starts_with("Promote");
    stage.lab.faults.set_call_fault(CallFault::when(promotes, CallEffect::unavailable()));
    stage.lab.faults.fail_region(PRIMARY);
    let is_promoting = |stage: &Stage| {
        let refuses = |what: &What| matches!(what, What::Call { action, .. } if action.starts_with("Promote"));
        stage.lab.journal.entries().iter().any(|entry| refuses(&entry.what))
    };
    assert!(stage.until(Duration::from_secs(3_600), is_promoting).await, "{:?}", states(&stage));
    assert_eq!(states(&stage), ["pinned"; NAMES]);
    stage.lab.faults.heal_region(PRIMARY);
    stage.minutes(10).await;
    let status = json(&stage, &["status"]).await;
    let incident = status["incident"].as_str().expect("there is an incident").to_owned();
    let unlatch = ["unlatch", &incident, "--users-move-now"];
    contains_all(&refused(&stage, &unlatch, 1).await, &["databases are being promoted", "holdfast release"]);

    // Each name as often as it is pinned again, and once more.
    for _ in 0..=REPINS_MAX {
        stage.put_on_primaries(&switch).await.expect("Route 53 takes the records");
        stage.minutes(6).await;
    }
    text(&stage, &["release"]).await;
    assert_eq!(states(&stage), ["disarmed"; NAMES]);
    contains_all(&refused(&stage, &["adopt", "--off"], 1).await, &["the latch is not known to be open"]);
    contains_all(&refused(&stage, &unlatch, 1).await, &["again five minutes after"]);
    stage.minutes(6).await;
    let lifted = text(&stage, &unlatch).await;
    contains_all(&lifted, &["may have been promoted", "lifted"]);
    stage.minutes(10).await;
    assert!(!text(&stage, &["status"]).await.contains("the latch is closed"));
    text(&stage, &["adopt", "--off"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_with_a_remedy_and_an_exit_code() {
    let stage = stage(&WITHOUT_DATABASES).await;
    // Whoever may read one plan is told no more of others.
    contains_all(
        &refused(&stage, &["status", "--bus", "elsewhere"], 3).await,
        &["elsewhere-alarm-handler", "AccessDenied"],
    );
    let absent = stage.holdfast_as("owner", &["status", "--bus", "elsewhere"], false).await.expect("holdfast starts");
    assert_eq!(absent.status.code(), Some(2));
    contains_all(&stderr(&absent), &["elsewhere-alarm-handler", "--bus", "--region"]);
    let elsewhere = ["status", "--region", "us-west-2"];
    let elsewhere = stage.holdfast_as("owner", &elsewhere, false).await.expect("holdfast starts");
    assert_eq!(elsewhere.status.code(), Some(2));
    contains_all(&stderr(&elsewhere), &["the region is us-west-2", "--region"]);
    contains_all(&refused(&stage, &["status", "--plan-file", "/nowhere"], 2).await, &["--plan-file /nowhere"]);
    contains_all(&refused(&stage, &["fence", "status"], 1).await, &["the plan has no fence", "FenceRegion"]);
    contains_all(&refused(&stage, &["maintenance", "begin", "--for", "1m"], 2).await, &["at least 10m"]);
    contains_all(&refused(&stage, &["approve", "yesterday"], 2).await, &["is no incident id"]);
    for lasting in ["soon", "-2h"] {
        contains_all(&refused(&stage, &["disarm", "--for", lasting], 2).await, &["2h, 90m"]);
    }
    contains_all(&refused(&stage, &["plan", "--at", "yesterday"], 2).await, &["2026-01-01T12:00:00Z"]);
    contains_all(&refused(&stage, &["explain", "P99"], 2).await, &["P01 to P15"]);
    contains_all(&refused(&stage, &["explain", "P09x"], 2).await, &["P09 has no row P09x"]);
    contains_all(&refused(&stage, &["failback", "check", "--successor", "app"], 2).await, &["app-dr=us-east-2/app-2"]);
    stage.lab.faults.fail_service("route53");
    contains_all(&refused(&stage, &["status"], 3).await, &["ListResourceRecordSets", "run the command again"]);
    let error: Value =
        serde_json::from_str(&refused(&stage, &["status", "--json"], 3).await).expect("errors are JSON too");
    assert_eq!(error["exit_code"], 3);
}
