//! Every scenario of the drill ends as it should, an outage does whatever the seed, and so does everything at once.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::sync::Arc;
use std::time::Duration;

use drill::check;
use drill::files::TEMPLATE;
use drill::fleet::{self, PINNED_IN_TIME};
use drill::lambdas::{self, repository};
use drill::permissions::Permissions;
use drill::report::{Report, Verdict};
use drill::run::{self, Drill, Ended, Watcher};
use drill::scenario::{self, SCENARIOS};
use drill::stage::{Settings, Stage};
use lab::Lab;
use lab::journal::What;

/// Lab time does not depend on it, only how long the tests take.
const SPEED: f64 = 3_600.0;
/// Most of a drill is waiting, and other tests run beside it.
const JOBS: usize = 6;

/// Prints the reports of drills that did not pass.
pub struct Failures;

impl Watcher for Failures {
    fn began(&self, _: usize, _: &Drill, _: &Arc<Lab>) {}

    fn ended(&self, _: usize, drill: &Drill, ended: &Ended) {
        match ended {
            Ok(report) if report.verdict == Verdict::Passed => {}
            Ok(report) => println!("{}", report.text(false)),
            Err(error) => println!("{}: {error}", drill.replay()),
        }
    }
}

fn pass(drills: &[Drill]) -> Vec<Report> {
    let lambdas = lambdas::build().expect("the Lambdas build");
    let ends = run::many(drills, JOBS, &lambdas, &Failures);
    let passed = ends.iter().all(|ended| matches!(ended, Ok(report) if report.verdict == Verdict::Passed));
    assert!(passed, "{}", run::table(drills, &ends, false));
    ends.into_iter().flatten().collect()
}

fn seeds(name: &str, seeds: impl Iterator<Item = u64>) -> Vec<Drill> {
    let scenario = scenario::named(name).expect("there is such a scenario");
    seeds.map(|seed| Drill { scenario, settings: Settings { seed, speed: SPEED } }).collect()
}

#[test]
fn every_scenario_ends_as_it_should() {
    let drill = |scenario| Drill { scenario, settings: Settings { seed: 1, speed: SPEED } };
    // Those that wait longest for real time-outs are listed last, and begin first.
    let reports = pass(&SCENARIOS.iter().rev().map(drill).collect::<Vec<_>>());
    let permissions = Permissions::of_steady(reports.iter());
    // While a stack is updated, what still runs of an old function has the new role.
    let at_rest = reports.iter().filter(|report| report.scenario != "redeploy-mid-incident");
    let missing = Permissions::of_all(at_rest.map(|report| &report.permissions)).missing();
    assert_eq!(missing, Vec::<String>::new(), "asked for, and not granted");
    assert_eq!(permissions.spare(), Vec::<String>::new(), "granted, and never used in any drill");
    let tables = permissions.markdown();
    assert!(!tables.contains("| ? |"), "a statement has no reason:\n{tables}");
    let documented = std::fs::read_to_string(repository().join("docs/permissions.md")).expect("it is there");
    assert!(
        documented.contains(tables.trim_end()),
        "docs/permissions.md does not say what `cargo drill --permissions` prints:\n{tables}"
    );
}

/// One action of a role is another than the function needs: RDS refuses, nothing is promoted, people are told why, the drill
/// fails, and what was granted instead is told to be spare.
#[test]
fn a_role_without_an_action_fails_the_drill_and_pages_and_a_spare_action_is_reported() {
    let lambdas = lambdas::build().expect("the Lambdas build");
    let broken = TEMPLATE.replace("Action: rds:PromoteReadReplica\n", "Action: rds:StopDBInstance\n");
    assert_ne!(broken, TEMPLATE);
    let Drill { scenario, settings } = seeds("region-outage", 1..=1)[0];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let played = runtime.block_on(async {
        let stage = Stage::set(settings, &scenario::QUICK, &lambdas).await.expect("the stage can be set");
        stage.update_to(&broken, &[]).expect("it deploys");
        scenario.play(stage, settings).await
    });
    runtime.shutdown_background();
    let evidence = played.expect("it comes to an end");
    let is_denied = |what: &What| matches!(what, What::Call { action, error: Some(code), .. } if action == "PromoteReadReplica" && code == "AccessDenied");
    assert!(evidence.count(is_denied) > 0);
    let why = "not authorized to perform: rds:PromoteReadReplica on resource";
    assert!(evidence.mailbox().iter().any(|mail| mail.body.contains(why)), "{:?}", evidence.mailbox());
    let report = Report::of(scenario, settings, &evidence, Duration::ZERO);
    let promoted = report.checks.iter().find(|done| done.name == check::PROMOTED_ONCE.name);
    assert!(report.verdict == Verdict::Failed && promoted.is_some_and(|done| !done.held));
    let spare = report.permissions.spare();
    assert!(spare.iter().any(|grant| grant.contains("rds:StopDBInstance on arn:*:rds:*:*:db:orders-dr")), "{spare:?}");
}

/// Each with its own second of the minute, replica lag, promotion time and propagation delays; and with its own faults.
#[test]
fn an_outage_fails_over_once_whatever_the_seed_and_whatever_else_goes_wrong() {
    let quiet = seeds("region-outage", 2..=4);
    let everything = seeds("everything", 2..=4);
    pass(&quiet.into_iter().chain(everything).collect::<Vec<_>>());
}

/// Each seed is held by something else; the first of them is played with all the stories.
#[test]
fn whatever_holds_a_failover_holds_users_at_the_primary_where_the_switch_stands() {
    pass(&seeds("held", 2..=7));
}

#[test]
fn several_workloads_of_one_account_are_told_apart_and_hardly_list_their_zone_in_peace() {
    let lambdas = lambdas::build().expect("the Lambdas build");
    let report = fleet::play(3, Settings { seed: 1, speed: SPEED }, &lambdas).expect("it can be played");
    // How soon pins follow each other is measured, not tested.
    let broken: Vec<_> = report.checks.iter().filter(|it| !it.held && it.name != PINNED_IN_TIME).collect();
    assert!(broken.is_empty(), "{broken:?}");
}
