//! A planned switchover on real servers: what it refuses, what a killed one leaves, and what it says of a write that came too late.

use std::process::Output;
use std::time::Duration;

use drill::stage::{Credentials, DR, PRIMARY, Stage};
use failover::register::Register;
use lab::fault::{CallEffect, CallFault, Site};
use lab::rds;
use lab::wire::Refusal;
use serde_json::Value;

use super::positions::{armed, text};
use crate::documented::{fields, of_command};
use crate::packages;

const SWITCHOVER: [&str; 4] = ["switchover", "--reason", "CHG-7", "--writes-stopped"];

/// Lab time goes at the pace of real time, except while it waits.
async fn run(stage: &Stage, arguments: &[&str]) -> Output {
    stage.holdfast(arguments, false).await.expect("holdfast starts")
}

async fn refused(stage: &Stage, arguments: &[&str], code: i32) -> String {
    let output = run(stage, arguments).await;
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

async fn until(stage: &Stage, what: &str, holds: impl Fn(&Stage) -> bool) {
    assert!(stage.until(Duration::from_secs(3_600), holds).await, "{what}");
}

fn all_pinned(stage: &Stage) -> bool {
    stage.all_registers(|register| register.pin().is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switchover_waits_for_no_open_transaction_and_one_that_was_killed_goes_on_without_loss() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    let mut stage = armed().await;
    stage.asks_databases = Credentials::None;
    assert!(refused(&stage, &SWITCHOVER, 2).await.contains("HOLDFAST_DATABASE_USER"));
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:other";
    stage.asks_databases = Credentials::Environment;
    let two_users = refused(&stage, &[&SWITCHOVER[..], &["--database-secret", arn]].concat(), 2).await;
    assert!(two_users.contains("--database-secret and HOLDFAST_DATABASE_USER each name a user"), "{two_users}");
    stage.asks_databases = Credentials::Secret;
    assert!(refused(&stage, &SWITCHOVER[..3], 2).await.contains("--writes-stopped"), "--yes answers no such question");
    let too_soon = refused(&stage, &SWITCHOVER, 1).await;
    assert!(
        too_soon.contains("(P08)") && too_soon.contains("--despite P08,P09 lifts it"),
        "as of a failover: {too_soon}"
    );
    let switchover = [&SWITCHOVER[..], &["--despite", "P08"]].concat();

    stage.lab.sites.fail_page(PRIMARY, "/write");
    let unfinished = ["BEGIN", "INSERT INTO app.writes (id, filling) VALUES ('unfinished', '')"];
    let open = rds::session(&stage.lab, PRIMARY, "app", &unfinished).await.expect("the master user may");
    let said = refused(&stage, &switchover, 1).await;
    assert!(said.contains("1 transactions have changed rows and are not committed yet"), "{said}");
    assert!(said.contains("Nothing was changed: let writes go on"), "{said}");
    assert!(stage.all_registers(|register| matches!(register, Register::Armed { .. })));
    drop(open);

    // From here to the next run lab time is real time, or clients have drained by then.
    let held = stage.lab.clock.working();
    tokio::select! {
        output = run(&stage, &switchover) => panic!("it ended by itself: {}", text(&output.stderr)),
        () = until(&stage, "it pins", all_pinned) => {}
    }
    let (ended, ()) = tokio::join!(run(&stage, &switchover), async { drop(held) });
    let (told, failed) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success() && told.contains("nothing was lost"), "{told}{failed}");
    let rows = |region, id| rds::rows(&stage.lab, region, id);
    let (old, new) = (rows(PRIMARY, "app").await.expect("it answers"), rows(DR, "app-dr").await.expect("it answers"));
    assert!(!old.is_empty() && old.iter().all(|row| new.contains(row)), "{old:?} {new:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_came_after_the_proof_is_told_and_counted_and_so_is_what_cannot_be_known() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    let mut stage = armed().await;
    stage.asks_databases = Credentials::Secret;
    stage.lab.sites.fail_page(PRIMARY, "/write");
    let switchover = [&SWITCHOVER[..], &["--despite", "P08"]].concat();
    // The comparison waits for the last promotion, and so for this write, whichever database RDS would be done with first.
    let refusal = Refusal::bad_request("InvalidDBInstanceState", "not before the stray write, says the lab");
    let of_instance = |site: &Site<'_>| site.action == "PromoteReadReplica";
    stage.lab.faults.set_call_fault(CallFault::when(of_instance, CallEffect::Refuse(refusal)));
    let stray = async {
        until(&stage, "DR is promoted", |stage| rds::writable(&stage.lab, DR, "app-dr")).await;
        rds::settle(&stage.lab).await.expect("the servers do as told");
        rds::commit(&stage.lab, PRIMARY, "app", "too-late", 0).await.expect("the old primary takes writes");
        stage.lab.faults.clear_call_faults();
    };
    let (ended, ()) = tokio::join!(run(&stage, &switchover), stray);
    let (told, failed) = (text(&ended.stdout), text(&ended.stderr));
    assert_eq!(ended.status.code(), Some(1), "{told}{failed}");
    let lost =
        "1 transactions are only in Aurora cluster app in eu-west-1, and not in Aurora cluster app-dr (app.writes)";
    assert!(failed.contains(lost), "{told}{failed}");
    assert!(told.contains("RDS instance orders-dr has everything"), "{told}");
    // RDS does not say any more what a promoted database replicated.
    let again = run(&stage, &[&SWITCHOVER[..], &["--json"]].concat()).await;
    let told: Value = serde_json::from_slice(&again.stdout).expect("standard output is one JSON document");
    assert_eq!((fields(&told), again.status.code()), (of_command("switchover", &[]), Some(1)));
    let database = &told["databases"][0];
    assert_eq!(
        (&database["database"], &database["transactions_only_in_old"]),
        (&"Aurora cluster app-dr".into(), &Value::Null)
    );
}
