//! A user's own plan in the lab, as the `drill` program plays it: the exit status is the verdict on the budget.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use drill::lambdas::{self, repository};
use serde_json::Value;

/// Holdfast's own samconfig, filled in for one stack on the switch that is quick to arm and to be sure.
fn samconfig() -> String {
    let text = fs::read_to_string(repository().join("samconfig.toml")).expect("it is there");
    let (before, rest) = text.split_once("[responder.build").expect("it has the responder's environment");
    let filled = before
        .replace("Mode=shadow", "Mode=automatic")
        .replace("HostedZoneId=FILL IN", "HostedZoneId=Z0123456789ABCDEFGHIJ")
        .replace("DomainName=FILL IN", "DomainName=shop.example")
        .replace("RecordNames=FILL IN", "RecordNames=www.shop.example,*.api.shop.example")
        .replace("EndpointDomain=FILL IN", "EndpointDomain=lb.eu-west-3.elb.amazonaws.com")
        .replace("AuroraClusters=FILL IN", "AuroraClusters=shop-dr\", \"RdsInstances=shop-orders-dr")
        .replace("OperatorEmail=FILL IN", "OutageMinutes=5\", \"SettleSeconds=120\", \"DrainSeconds=0");
    format!("{filled}[responder.build{rest}")
}

fn drill(folder: &Path, programs: &Path, rto_minutes_max: u32) -> (Output, PathBuf) {
    let plan = folder.join(format!("within-{rto_minutes_max}.toml"));
    let text = fs::read_to_string(repository().join("examples/ci/drill.toml")).expect("the example is there");
    // Shorter than that of the lab's own records, which nobody waits for.
    let text = text.replace("record_ttl_seconds = 60", "record_ttl_seconds = 20");
    let text = text.replace("rto_minutes_max = 45", &format!("rto_minutes_max = {rto_minutes_max}"));
    fs::write(&plan, text).expect("it can be written");
    let pages = folder.join(format!("pages-{rto_minutes_max}"));
    let output = Command::new(programs.join("drill"))
        .arg("--plan")
        .arg(&plan)
        .arg("--functions")
        .arg(programs)
        .args(["--json", "--pages"])
        .arg(&pages)
        .output()
        .expect("it starts");
    (output, pages.join("plan-1.html"))
}

#[test]
fn a_plan_within_its_budget_passes_and_with_one_too_small_fails_by_its_name() {
    let programs = lambdas::build().expect("all builds");
    let folder = std::env::temp_dir().join(format!("holdfast-plan-suite-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("samconfig.toml"), samconfig()).expect("it can be written");
    // Side by side, since most of a drill is waiting.
    let (within, without) = std::thread::scope(|scope| {
        let without = scope.spawn(|| drill(&folder, &programs, 6));
        (drill(&folder, &programs, 30), without.join().expect("it ends"))
    });
    for ((output, page), code, broken) in [(within, 0, vec![]), (without, 1, vec!["rto_minutes_max"])] {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&output.stdout));
        let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        let checks = report["checks"].as_array().expect("it has checks");
        let failed = checks.iter().filter(|check| check["held"] == false);
        let failed: Vec<_> = failed.filter_map(|check| check["name"].as_str()).collect();
        assert!(
            failed.len() == broken.len() && failed.iter().zip(&broken).all(|(one, it)| one.contains(it)),
            "{failed:?}"
        );
        let plan = &report["plan"];
        assert!(
            plan["parameters"].as_array().is_some_and(|kept| kept.contains(&"DnsMoves=by-holdfast".into())),
            "{plan}"
        );
        assert!(plan["replaced"].as_array().is_some_and(|own| own.contains(&"HostedZoneId".into())), "{plan}");
        let page = fs::read_to_string(page).expect("the page is written");
        assert!(
            page.contains("rto_minutes_max") && page.contains("shop-orders-dr"),
            "it tells of the budget and the plan"
        );
    }
    fs::remove_dir_all(folder).expect("the folder can be removed");
}

#[test]
fn what_cannot_be_played_is_refused_before_anything_starts() {
    let programs = lambdas::build().expect("all builds");
    let run = |arguments: &[&str]| Command::new(programs.join("drill")).args(arguments).output().expect("it starts");
    for (arguments, said) in [
        (&["--plan", "/nowhere/drill.toml"][..], "/nowhere/drill.toml: "),
        (&["--functions", "/nowhere", "--scenario", "switch"], "/nowhere has no alarm-handler"),
        (&["--plan", "drill.toml", "--all"], "cannot be used with"),
    ] {
        let output = run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}
