//! The operators' command line, end to end: the binary, the lab, the deployed functions. What it prints is for people; what
//! `--json` prints and the exit codes are for scripts.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

mod adopt;
mod credentials;
mod fenced;
mod init;
mod interrupted;
mod left_to_people;
mod readiness;
mod scheduled;
mod secret;
mod steps;
mod there_and_back;
mod throw_away;
mod two_operators;
mod way_home;

use std::process::Output;
use std::time::Duration;

use crate::documented::{documented, fields, of_command};
use drill::databases::Databases;
use drill::lambdas;
use drill::stage::{APPROVER, CLOSED_GROUP, Layout, OPERATOR, PRIMARY, Settings, Stage};
use failover::incident::Incident;
use failover::register::Register;
use lab::fault::{CallEffect, CallFault, Site};
use lab::journal::What;
use lab::rds;
use serde_json::Value;

const NAMES: usize = 5;

/// A stage whose workload has no databases: what the records alone need.
const WITHOUT_DATABASES: Layout = Layout {
    responder: &[("AuroraClusters", ""), ("RdsInstances", "")],
    detector: &[],
    crowd: 0,
    one_stack: false,
    is_global: false,
    has_shop: false,
    databases: Databases::Simulated,
    plan: None,
};

async fn stage(layout: &Layout) -> Stage {
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let settings = Settings { seed: 1, speed: 3_600.0 };
    Stage::set(settings, layout, &lambdas).await.expect("the stage can be set")
}

async fn run(stage: &Stage, arguments: &[&str]) -> Output {
    stage.holdfast(arguments, false).await.expect("holdfast starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs it, and it must do as told.
async fn text(stage: &Stage, arguments: &[&str]) -> String {
    let output = run(stage, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

async fn json(stage: &Stage, arguments: &[&str]) -> Value {
    let text = text(stage, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&text).expect("standard output is one JSON document")
}

/// Runs it, and it must refuse; what it says.
async fn refused(stage: &Stage, arguments: &[&str], code: i32) -> String {
    let output = run(stage, arguments).await;
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
    stderr(&output)
}

fn states(stage: &Stage) -> Vec<&'static str> {
    let state = |register: &Register| match register {
        Register::Disarmed { .. } => "disarmed",
        Register::Armed { .. } => "armed",
        Register::Paused { .. } => "paused",
        Register::Pinned { .. } => "pinned",
        Register::FailedOver { .. } => "failed over",
    };
    stage.registers().values().map(state).collect()
}

fn contains_all(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

/// What keeps a failover from happening as planned, of all that readiness says.
fn keeps(status: &Value) -> Vec<String> {
    let shortcomings = status["readiness"]["shortcomings"].as_array().expect("shortcomings are a list");
    let keeping = shortcomings.iter().filter(|shortcoming| shortcoming["weight"] == "keeps");
    keeping.map(|shortcoming| shortcoming["seen"].to_string()).collect()
}

const OPERATORS: &str = "arn:aws:sns:eu-central-1:123456789012:template-OperatorTopic";

#[tokio::test(flavor = "multi_thread")]
async fn status_and_plan_say_what_is_and_what_would_be_and_change_nothing() {
    let stage = stage(&Layout::default()).await;
    // Until the stage's records are at every name server.
    stage.minutes(3).await;
    let before = stage.registers();
    let status = text(&stage, &["status"]).await;
    contains_all(&status, &["mode automatic", "app.example.com", "DNS 127.0.10.1", "Aurora cluster app-dr", "P04"]);
    assert!(!status.contains('\u{1b}'), "colour is for terminals only");
    let verbose = text(&stage, &["status", "--verbose"]).await;
    contains_all(&verbose, &["no register", "PRIMARY 127.0.10.1  SECONDARY 127.0.20.1  DNS 127.0.10.1"]);
    let status = json(&stage, &["status"]).await;
    assert_eq!(status["names"].as_array().map(Vec::len), Some(NAMES));
    assert_eq!(fields(&status), documented("status", &["latch"]));
    assert_eq!(status["names"][0]["records"][0]["dns"], "127.0.10.1");
    // The templates, the records and the health check agree; thirty minutes, then alarm, INSYNC and TTL, 60 s each, and drain time.
    assert_eq!(keeps(&status), [""; 0]);
    assert_eq!(status["readiness"]["dns_seconds"], 1_800);
    assert_eq!(status["readiness"]["promotion_seconds"], 2_100);
    // Nobody has followed the link in SNS's mail.
    stage.lab.sns.confirm(OPERATORS, false);
    let unheard = "topic template-OperatorTopic has no confirmed subscription: nobody hears";
    contains_all(&text(&stage, &["status"]).await, &[unheard, "follow the link"]);
    stage.lab.sns.confirm(OPERATORS, true);
    text(&stage, &["arm"]).await;
    let armed = stage.registers();
    assert_ne!(armed, before);
    stage.minutes(16).await;
    let plan = text(&stage, &["plan", "--alarm"]).await;
    contains_all(&plan, &["P09a Hold", "an approval would have to lift P09", "R08b Promote", "nothing was changed"]);
    contains_all(
        &plan,
        &["and write nothing", "with an approval that lifts P09 it would write", "DELETE", "v=1 pinned"],
    );
    let plan = json(&stage, &["plan", "--alarm"]).await;
    assert_eq!(
        (&plan["format"], &plan["batches"], &plan["if_lifted"]["despite"][0]),
        (&1.into(), &Value::Array(vec![]), &"P09".into())
    );
    assert_eq!(plan["if_lifted"]["batches"].as_array().map(Vec::len), Some(2));
    assert_eq!(fields(&plan), documented("plan", &[]));
    contains_all(
        &text(&stage, &["status", "--check"]).await,
        &["ready: an outage that began now would be failed over"],
    );
    assert_eq!(fields(&json(&stage, &["status", "--check"]).await), of_command("status --check", &[]));
    assert_eq!(fields(&json(&stage, &["explain", "P09"]).await), of_command("explain", &[]));
    contains_all(&refused(&stage, &["approve"], 1).await, &["nothing waits for an approval now"]);
    text(&stage, &["disarm", "--for", "2h"]).await;
    contains_all(
        &refused(&stage, &["status", "--check"], 1).await,
        &["would not be failed over", "P05a", "app.example.com"],
    );
    text(&stage, &["arm"]).await;
    stage.minutes(16).await;
    let armed = stage.registers();
    stage.lab.faults.fail_region(PRIMARY);
    let plan = text(&stage, &["plan", "--alarm"]).await;
    contains_all(&plan, &["P13b Pin", "DELETE", "CREATE", "v=1 pinned"]);
    let plan = json(&stage, &["plan", "--alarm"]).await;
    assert_eq!(plan["pin"][0]["rule"], "P13");
    // One batch a zone; each name's register and pairs are deleted and created.
    assert_eq!(plan["batches"].as_array().map(Vec::len), Some(2));
    assert_eq!(plan["batches"][0]["changes"].as_array().map(Vec::len), Some(2 * (4 + 5)));
    assert_eq!(stage.registers(), armed);
    stage.minutes(4).await;
    let words = ["the site is down", "the failover starts at about", "holdfast failover --reason"];
    contains_all(&text(&stage, &["status"]).await, &words);
    // Where port 53 is blocked, all else is told, and soon.
    let began = std::time::Instant::now();
    let blocked =
        stage.holdfast_as(OPERATOR, &["status", "--dns", "192.0.2.53:53"], false).await.expect("holdfast starts");
    contains_all(&stdout(&blocked), &["the site is down", "no name server of the zone answered within 2 s"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// A stage whose two stacks disagree.
const AT_ODDS: Layout = Layout {
    responder: &[("AuroraClusters", ""), ("RdsInstances", ""), ("DetectionSecondsMax", "900")],
    detector: &[("ResponderBusName", "elsewhere")],
    crowd: 0,
    one_stack: false,
    is_global: false,
    has_shop: false,
    databases: Databases::Simulated,
    plan: None,
};

#[tokio::test(flavor = "multi_thread")]
async fn status_says_where_two_stacks_disagree_that_deploy_well_by_themselves() {
    let stage = stage(&AT_ODDS).await;
    stage.minutes(3).await;
    let status = text(&stage, &["status"]).await;
    contains_all(&status, &["event-bus/elsewhere", "ResponderBusName=holdfast", "DetectionSecondsMax=2400"]);
    let status = json(&stage, &["status"]).await;
    assert_eq!(keeps(&status).len(), 2, "{status}");
    assert_eq!(status["readiness"]["promotion_seconds"], Value::Null, "no minutes are promised");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_switch_holdfast_off_and_on_for_good_or_for_a_while() {
    let stage = stage(&WITHOUT_DATABASES).await;
    let armed = json(&stage, &["arm", "--reason", "after CHG-7"]).await;
    assert_eq!((fields(&armed), &armed["names"][0]["state"]), (of_command("arm", &[]), &"armed".into()));
    assert!(
        stage.until(Duration::from_secs(300), |stage| mailed(stage, "user/operator: after CHG-7")).await,
        "others are told why"
    );
    contains_all(&text(&stage, &["arm"]).await, &["nothing is to be changed"]);
    // Throttled more often than a function's client would try again.
    let is_busy = |it: &Site<'_>| it.caller == OPERATOR && it.action == "ChangeResourceRecordSets" && it.nth < 14;
    stage.lab.faults.set_call_fault(CallFault::when(is_busy, CallEffect::throttle()));
    text(&stage, &["disarm", "--reason", "new network"]).await;
    stage.lab.faults.clear_call_faults();
    assert_eq!(states(&stage), ["disarmed"; NAMES]);
    let who = |register: &Register| match register {
        Register::Disarmed { by, .. } => by.clone(),
        other => panic!("{other:?}"),
    };
    let approver = stage.holdfast_as(APPROVER, &["arm"], false).await.expect("holdfast starts");
    assert_eq!(approver.status.code(), Some(3), "who may approve may do nothing else");
    contains_all(&stderr(&approver), &["not authorized to perform: route53:ListResourceRecordSets"]);
    let by = stage.registers().values().map(who).next().unwrap_or_default();
    assert!(by.ends_with("user/operator: new network"), "{by}");
    contains_all(&refused(&stage, &["maintenance", "begin", "--for", "1h"], 1).await, &["every name is disarmed"]);
    assert_eq!(states(&stage), ["disarmed"; NAMES], "the end of a maintenance must not arm what people disarmed");
    assert!(!is_check_disabled(&stage).await, "nobody would enable it again");
    text(&stage, &["arm"]).await;
    let told = json(&stage, &["disarm", "--for", "30m"]).await;
    assert_eq!(told["names"][0]["state"], "paused");
    assert_eq!(states(&stage), ["paused"; NAMES]);
    stage.minutes(33).await;
    assert_eq!(states(&stage), ["armed"; NAMES], "it ends by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_keeps_dns_on_the_primary_and_is_ended_by_a_person_or_by_the_tick() {
    let stage = stage(&WITHOUT_DATABASES).await;
    text(&stage, &["arm"]).await;
    contains_all(&text(&stage, &["maintenance", "status"]).await, &["app.example.com  armed"]);
    let began = text(&stage, &["maintenance", "begin", "--for", "1h", "--reason", "patching"]).await;
    contains_all(
        &began,
        &["paused until", "is disabled: DNS stays on the primary", "to end it now: holdfast maintenance end"],
    );
    assert!(is_check_disabled(&stage).await);
    contains_all(
        &text(&stage, &["maintenance", "end"]).await,
        &["is enabled", "armed", "the maintenance is over", "(P08)"],
    );
    contains_all(&text(&stage, &["maintenance", "end"]).await, &["no maintenance was under way"]);
    assert!(!is_check_disabled(&stage).await);
    for ends_it in ["arm", "disarm"] {
        text(&stage, &["maintenance", "begin", "--for", "1h"]).await;
        text(&stage, &[ends_it]).await;
        assert!(!is_check_disabled(&stage).await, "after {ends_it} nobody else would enable it");
    }
    text(&stage, &["arm"]).await;
    text(&stage, &["maintenance", "begin", "--for", "20m"]).await;
    stage.minutes(23).await;
    assert_eq!(states(&stage), ["armed"; NAMES]);
    assert!(!is_check_disabled(&stage).await, "the tick enables it");
}

async fn is_check_disabled(stage: &Stage) -> bool {
    let id = &stage.failover_check;
    let url = format!("{}/2013-04-01/healthcheck/{id}", stage.lab.endpoint_url());
    let scope =
        "AWS4-HMAC-SHA256 Credential=owner/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0";
    loop {
        let request = reqwest::Client::new().get(&url).header("authorization", scope);
        let answer = request.send().await.expect("the lab answers");
        let answer = answer.text().await.expect("the lab answers with a text");
        if !answer.contains("Throttling") {
            assert!(answer.contains(id), "{answer}");
            return answer.contains("<Disabled>true</Disabled>");
        }
        // Five calls a second are all that an account has, and the functions make some of them.
        stage.lab.clock.sleep(Duration::from_secs(1)).await;
    }
}

/// All records but the registers.
fn records(stage: &Stage) -> Vec<lab::route53::RecordSet> {
    let all = stage.zones.values().flat_map(|zone| stage.lab.route53.records(zone));
    all.filter(|set| !set.key.name.bare().starts_with("_holdfast.")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_incident_is_left_alone_until_the_next() {
    let stage = stage(&WITHOUT_DATABASES).await;
    text(&stage, &["arm"]).await;
    stage.minutes(20).await;
    stage.lab.sites.fail_page(PRIMARY, "/health/deep");
    let asked =
        |stage: &Stage| stage.lab.journal.entries().iter().any(|entry| format!("{:?}", entry.what).contains("P09"));
    assert!(stage.until(Duration::from_secs(5_400), asked).await, "the failover is held, since the primary answers");
    let status = json(&stage, &["status"]).await;
    let incident = status["incident"].as_str().expect("there is an incident").to_owned();
    let wrong = incident.replace("2026", "2025");
    contains_all(&refused(&stage, &["reject", &wrong], 1).await, &["is not in the incident", "nothing was changed"]);
    // Nor what nobody ever heard of: for SettleSeconds after a rejection a real outage would only ask.
    let before = stage.registers();
    let real: Incident = incident.parse().expect("it is an incident");
    let invented = Incident { began: real.began + jiff::SignedDuration::from_secs(7), ..real };
    for invented in [invented.clone(), Incident::declared(invented.began)] {
        let told = refused(&stage, &["reject", &invented.to_string()], 1).await;
        contains_all(&told, &["nothing was changed", "no record knows of", &invented.to_string(), &incident]);
    }
    assert_eq!(stage.registers(), before);
    let refusal = refused(&stage, &["approve", &wrong, "--despite", "P09"], 1).await;
    contains_all(&refusal, &["waits for no approval", &incident]);
    contains_all(
        &refused(&stage, &["approve", &incident, "--despite", "P10"], 1).await,
        &["P09 would still stand", "P09,P10"],
    );
    text(&stage, &["reject", &incident, "--reason", "the check is broken"]).await;
    assert!(
        stage.until(Duration::from_secs(300), |stage| mailed(stage, "user/operator: the check is broken")).await,
        "others are told why"
    );
    contains_all(
        &text(&stage, &["report", &incident]).await,
        &["incident REJECTED", "user/operator: the check is broken"],
    );
    let plan = json(&stage, &["plan"]).await;
    assert_eq!(plan["pin"][0]["rule"], "P06");
    // Even once nothing else would hold it.
    stage.lab.faults.fail_region(PRIMARY);
    stage.minutes(10).await;
    assert_eq!(states(&stage), ["armed"; NAMES]);
}

/// Whether the operators got a mail that says this, and the notifier's log, which it writes after it, keeps it for a report.
fn mailed(stage: &Stage, said: &str) -> bool {
    let entries = stage.lab.journal.entries();
    let is_told = |what: &What| matches!(what, What::Mail { body, .. } if body.contains(said));
    let is_kept = |what: &What| matches!(what, What::Log { function, line } if function.ends_with("notifier") && line.contains(said));
    entries.iter().any(|entry| is_told(&entry.what)) && entries.iter().any(|entry| is_kept(&entry.what))
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_explained_and_shells_helped_without_any_aws() {
    let holdfast = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let said = |arguments: &[&str]| {
        let output = std::process::Command::new(holdfast.join("holdfast")).args(arguments).env_clear().output();
        let output = output.expect("holdfast starts");
        assert!(output.status.success(), "{arguments:?}");
        stdout(&output)
    };
    contains_all(
        &said(&["explain", "p09"]),
        &["P09a", "the primary answers our own probe", "P09b", "Hold, and people are paged", "--despite P09"],
    );
    let one = said(&["explain", "P09b"]);
    assert!(one.contains("our own probe cannot tell") && !one.contains("P09a"), "{one}");
    contains_all(&said(&["explain", "R09c"]), &["it is no replica"]);
    contains_all(&said(&["explain", "R02"]), &["clients may still hold the primary's address", "no approval lifts it"]);
    contains_all(&said(&["explain", "F06"]), &["no successor", "keep the old database"]);
    contains_all(&said(&["completions", "bash"]), &["holdfast", "P09b", "R07"]);
    // Whoever has read enough closes the pipe.
    for arguments in ["completions bash", "man", "explain P09", "explain P09 --json"] {
        let closed =
            format!("{} {arguments} | head -c 1; exit \"${{PIPESTATUS[0]}}\"", holdfast.join("holdfast").display());
        let output = std::process::Command::new("bash").args(["-c", &closed]).output().expect("bash starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments}: {}", stderr(&output));
    }
    for command in [&["init"][..], &["approve"], &["reject"], &["maintenance", "begin"], &["failback", "switch"]] {
        contains_all(&said(&[command, &["--help"]].concat()), &["Example", &format!("holdfast {}", command.join(" "))]);
    }
    contains_all(&said(&["--help"]), &["Options of every command", "holdfast plan --alarm", "4 not confirmed"]);
    contains_all(&said(&["man"]), &[".TH holdfast"]);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    said(&["man", "--out", folder.to_str().expect("it is text")]);
    for page in ["holdfast.1", "holdfast-status.1", "holdfast-failback-switch.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
    let rule: Value = serde_json::from_str(&said(&["explain", "P09", "--json"])).expect("it is JSON");
    assert_eq!(rule["may_be_approved"], true);
}
