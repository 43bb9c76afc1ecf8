//! Every scenario of the drill ends as it should, an outage does whatever the seed, and so does everything at once.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::sync::Arc;

use drill::lambdas;
use drill::permissions::Permissions;
use drill::report::{Report, Verdict, table};
use drill::run::{self, Drill, Ended, Watcher};
use drill::scenario::{self, SCENARIOS};
use drill::stage::Settings;
use lab::Lab;

/// Lab time does not depend on it, only how long the tests take.
const SPEED: f64 = 3_600.0;
/// Most of a drill is waiting, and other tests run beside it.
const JOBS: usize = 6;

/// Prints the reports of drills that did not pass.
struct Failures;

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
    assert!(passed, "{}", table(drills, &ends, false));
    ends.into_iter().flatten().collect()
}

fn seeds(name: &str, seeds: impl Iterator<Item = u64>) -> Vec<Drill> {
    let scenario = scenario::named(name).expect("there is such a scenario");
    seeds.map(|seed| Drill { scenario, settings: Settings { seed, speed: SPEED } }).collect()
}

#[test]
fn every_scenario_ends_as_it_should() {
    let drill = |scenario| Drill { scenario, settings: Settings { seed: 1, speed: SPEED } };
    let reports = pass(&SCENARIOS.iter().map(drill).collect::<Vec<_>>());
    let permissions = Permissions::of_all(reports.iter().map(|report| &report.permissions));
    println!("{}", permissions.markdown());
    assert_eq!(permissions.spare(), Vec::<String>::new(), "granted, and never used in any drill");
}

/// Each with its own second of the minute, replica lag, promotion time and propagation delays; and with its own faults.
#[test]
fn an_outage_fails_over_once_whatever_the_seed_and_whatever_else_goes_wrong() {
    let quiet = seeds("region-outage", 2..=7);
    let everything = seeds("everything", 2..=7);
    pass(&quiet.into_iter().chain(everything).collect::<Vec<_>>());
}
