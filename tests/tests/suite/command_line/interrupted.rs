//! A failback killed at each of its calls.

use std::sync::atomic::{AtomicUsize, Ordering};

use drill::stage::DR;
use lab::fault::{Effect, Loss};

use super::*;

/// Which of the operator's calls count, by the API's name for them.
type Counted = fn(&str) -> bool;

const EVERY_CALL: Counted = |_| true;
const WRITES: Counted = |action| !["Describe", "Get", "List"].iter().any(|look| action.starts_with(look));

/// Kills a run at the operator's call number `nth` of those that count, before or after it takes effect; what it printed if it makes fewer.
async fn run_killed_at(
    stage: &Stage,
    (counts, nth): (Counted, usize),
    effect: Effect,
    arguments: &[&str],
) -> Option<Output> {
    let calls = AtomicUsize::new(0);
    let from_there_on = move |site: &Site<'_>| {
        site.caller == OPERATOR && counts(site.action) && calls.fetch_add(1, Ordering::SeqCst) >= nth
    };
    stage.lab.faults.clear_call_faults();
    stage.lab.faults.set_call_fault(CallFault::when(from_there_on, CallEffect::Lose(Loss::NoAnswer, effect)));
    let mut journal = stage.lab.journal.follow();
    // A call is journaled once it has taken effect, if it does.
    let nth_is_over = async {
        let mut calls = 0;
        while calls <= nth {
            let entry = journal.recv().await.expect("the journal is followed");
            calls += usize::from(
                matches!(&entry.what, What::Call { caller, action, .. } if caller == OPERATOR && counts(action)),
            );
        }
    };
    tokio::select! {
        output = stage.holdfast(arguments, true) => Some(output.expect("holdfast starts")),
        () = nth_is_over => None,
    }
}

/// Runs it again and again, killed at one call more each time, before it takes effect and after; the run that made fewer
/// calls than that, and how many kills there were before it.
async fn killed_at_each(counts: Counted, stage: &Stage, arguments: &[&str]) -> (Output, usize) {
    let mut kills = 0;
    loop {
        let effect = if kills % 2 == 0 { Effect::Without } else { Effect::With };
        match run_killed_at(stage, (counts, kills / 2), effect, arguments).await {
            Some(output) => {
                stage.lab.faults.clear_call_faults();
                return (output, kills);
            }
            None => kills += 1,
        }
    }
}

const SUCCESSORS: [&str; 4] = ["--successor", "app-dr=eu-west-1/app", "--successor", "orders-dr=eu-west-1/orders"];

const REPLICAS: [&str; 2] = ["app-dr", "orders-dr"];

/// How often a caller asked for it and RDS did it.
fn done(stage: &Stage, of: &str) -> usize {
    let entries = stage.lab.journal.entries();
    let is_it = |what: &What| matches!(what, What::Call { caller, action, status: 200, .. } if caller == OPERATOR && action.starts_with(of));
    entries.iter().filter(|entry| is_it(&entry.what)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failback_is_interrupted_at_each_of_its_calls_and_goes_on_when_run_again() {
    let stage = stage(&Layout::default()).await;
    let original = records(&stage);
    text(&stage, &["arm"]).await;
    stage.minutes(16).await;
    stage.lab.faults.fail_region(PRIMARY);
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    assert!(stage.until(Duration::from_secs(10_800), failed_over).await, "{:?}", states(&stage));
    stage.lab.faults.heal_region(PRIMARY);
    stage.lab.sites.fail_page(DR, "/write");
    stage.minutes(10).await;
    contains_all(
        &refused(&stage, &[&["failback", "protect"][..], &SUCCESSORS].concat(), 1).await,
        &["users are on DR"],
    );

    let (last, kills) = killed_at_each(EVERY_CALL, &stage, &[&["failback", "rebuild"][..], &SUCCESSORS].concat()).await;
    assert!(last.status.success() && kills > 20, "after {kills} kills: {}", stderr(&last));
    contains_all(&stdout(&last), &["Aurora cluster app in eu-west-1 is a replica of Aurora cluster app-dr"]);
    assert_eq!(
        [done(&stage, "ModifyDB"), done(&stage, "CreateDBCluster"), done(&stage, "CreateDBInstanceReadReplica")],
        [2, 1, 1]
    );

    let output = stage.holdfast(&[&["failback", "catch-up", "--json"][..], &SUCCESSORS].concat(), true).await;
    let caught_up: Value = serde_json::from_str(&stdout(&output.expect("holdfast starts"))).expect("it is JSON");
    assert_eq!(caught_up["caught_up"][0], "app in eu-west-1");
    let compared = text(&stage, &["failback", "compare"]).await;
    contains_all(
        &compared,
        &[
            "Aurora cluster app-dr probably had every write up to",
            "TZ=UTC mysqlbinlog",
            "--to-last-log",
            "--loss-acknowledged",
        ],
    );
    let compared = json(&stage, &["failback", "compare"]).await;
    assert_eq!(fields(&compared), of_command("failback compare", &[]));
    assert_eq!(fields(&caught_up), of_command("failback catch-up", &[]));
    assert!(compared["databases"][1]["complete_until"].is_string(), "{compared}");
    let unheard = [&["failback", "switch", "--writes-stopped"][..], &SUCCESSORS].concat();
    contains_all(&refused(&stage, &unheard, 1).await, &["F09", "F10"]);

    let switch =
        [&["failback", "switch", "--writes-stopped", "--loss-acknowledged", "--position-verified"][..], &SUCCESSORS]
            .concat();
    let (last, kills) = killed_at_each(EVERY_CALL, &stage, &switch).await;
    assert!(kills > 40, "after {kills} kills: {}{}", stdout(&last), stderr(&last));
    let ended = stage.holdfast(&switch, true).await.expect("holdfast starts");
    assert!(last.status.success() || stderr(&ended).contains("F01"), "{}{}", stderr(&last), stderr(&ended));
    assert!(!last.status.success() || stdout(&last).contains("stopped in DR for another 60 s"), "{}", stdout(&last));
    assert_eq!(records(&stage), original);
    assert_eq!(states(&stage), ["disarmed"; NAMES], "nothing replicates to DR any more");
    contains_all(&refused(&stage, &["arm"], 1).await, &["Aurora cluster app-dr is no replica"]);
    assert_eq!(done(&stage, "Promote"), 2);

    for replica in REPLICAS {
        rds::set_groups(&stage.lab, DR, replica, &["sg-of-dr"]);
    }
    let (last, kills) = killed_at_each(EVERY_CALL, &stage, &[&["failback", "protect"][..], &SUCCESSORS].concat()).await;
    assert!(last.status.success() && kills > 20, "after {kills} kills: {}", stderr(&last));
    assert_eq!(states(&stage), ["armed"; NAMES]);
    assert_eq!([done(&stage, "ModifyDB"), done(&stage, "DeleteDB")], [4, 0]);
    assert_eq!(REPLICAS.map(|id| rds::groups(&stage.lab, DR, id)), [["sg-of-dr"]; 2], "as the old ones were");
}

/// Each run that was killed may have asked Aurora for the switchover, and no run asks twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_global_databases_failback_is_interrupted_at_each_of_its_writes_and_switches_over_once() {
    let scenario = drill::scenario::named("global-database").expect("there is such a scenario");
    let stage = stage(&scenario.layout).await;
    let original = records(&stage);
    text(&stage, &["arm"]).await;
    stage.minutes(10).await;
    stage.lab.faults.fail_region(PRIMARY);
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    assert!(stage.until(Duration::from_secs(10_800), failed_over).await, "{:?}", states(&stage));
    stage.lab.faults.heal_region(PRIMARY);
    let caught_up = stage.holdfast(&["failback", "catch-up"], true).await.expect("holdfast starts");
    assert!(caught_up.status.success(), "{}", stderr(&caught_up));
    stage.minutes(20).await;

    let (last, kills) = killed_at_each(WRITES, &stage, &["failback", "switch"]).await;
    assert!(kills >= 4, "after {kills} kills: {}{}", stdout(&last), stderr(&last));
    let ended = stage.holdfast(&["failback", "switch"], true).await.expect("holdfast starts");
    assert!(last.status.success() || stderr(&ended).contains("F01"), "{}{}", stderr(&last), stderr(&ended));
    assert_eq!([done(&stage, "SwitchoverGlobal"), done(&stage, "Create"), done(&stage, "Promote")], [1, 0, 0]);
    assert_eq!(records(&stage), original);
    assert_eq!(states(&stage), ["armed"; NAMES], "DR replicates from the primary again");
    assert!(rds::writable(&stage.lab, PRIMARY, "app") && !rds::writable(&stage.lab, DR, "app-dr"));
}
