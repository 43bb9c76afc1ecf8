//! Drills on real MariaDB servers, short ones.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

mod positions;
mod switchover;

use crate::packages;
use drill::databases::Databases;
use drill::lambdas;
use drill::report::Verdict;
use drill::run::{self, Drill};
use drill::scenario::{self, QUICK};
use drill::stage::{Layout, Settings};

/// A report's check by what it claims, which must be among them.
fn detail<'a>(report: &'a drill::report::Report, claim: &str) -> &'a str {
    let check = report.checks.iter().find(|check| check.name.contains(claim));
    &check.expect("the drill has that check").detail
}

/// The loss that the report tells is what the servers lack, row by row; over a slow link it is minutes, RDS's lag knew nothing, and a
/// heartbeat all of it.
#[test]
fn what_is_lost_is_counted_in_real_servers() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    let lambdas = lambdas::build().expect("the Lambdas build");
    let settings = Settings { seed: 7, speed: 3_600.0 };
    let layout = Layout { databases: Databases::Mariadb, ..QUICK };
    let outage = scenario::named("region-outage").expect("there is such a scenario").on(layout);
    let outage: &'static _ = Box::leak(Box::new(outage));
    let slow =
        ["slow-link", "slow-link-heartbeat"].map(|name| scenario::named(name).expect("there is such a scenario"));
    let drills = [outage, slow[0], slow[1]].map(|scenario| Drill { scenario, settings });
    let ends = run::many(&drills, 3, &lambdas, &super::drills::Failures);
    let reports: Vec<_> = ends.into_iter().map(|ended| ended.expect("it runs to its end")).collect();
    for report in &reports {
        assert_eq!(report.verdict, Verdict::Passed, "{}", report.text(false));
        assert!(detail(report, "counted one by one").ends_with(&format!("the report says {}", report.rpo_writes)));
    }
    // Three quarters of five minutes of writes.
    assert!(reports[1].rpo_writes > 1_000, "{}", reports[1].text(false));
}

/// The warm standby's own application, out by itself and home by command.
#[test]
fn the_articles_workload_is_failed_over_and_called_home_under_its_own_application() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    let lambdas = lambdas::build().expect("the Lambdas build");
    let scenario = scenario::named("the-article").expect("there is such a scenario");
    let drill = Drill { scenario, settings: Settings { seed: 7, speed: 3_600.0 } };
    let report = run::one(drill, &lambdas, |_| {}).expect("it runs to its end");
    assert_eq!(report.verdict, Verdict::Passed, "{}", report.text(false));
    let listed = detail(&report, "the old primary alone has, one by one");
    assert!(listed.starts_with(&format!("{} of ", report.rpo_writes)), "{listed}");
}

/// A folder without the application, as a release's is.
#[test]
fn without_the_application_the_articles_story_is_refused_in_a_sentence() {
    let folder = std::env::temp_dir();
    let scenario = scenario::named("the-article").expect("there is such a scenario");
    let drill = Drill { scenario, settings: Settings { seed: 7, speed: 3_600.0 } };
    let refused = run::one(drill, &folder, |_| {}).expect_err("it does not run").to_string();
    assert!(refused.contains("has no orders, the application of examples/warm-standby"), "{refused}");
}

/// By position nothing is lost on the way home; by the lag, with somebody's word in the place of a proof, what the link held is, and the same
/// checks notice.
#[test]
fn a_failback_over_a_slow_link_loses_nothing_by_position_and_what_the_link_holds_by_the_lag() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    let lambdas = lambdas::build().expect("the Lambdas build");
    let settings = Settings { seed: 5, speed: 3_600.0 };
    let by_position = scenario::named("failback-slow-link").expect("there is such a scenario");
    let by_lag = scenario::named("failback-by-lag").expect("there is such a scenario");
    let by_lag: &'static _ = Box::leak(Box::new(by_lag.held_to(by_position.checks)));
    let drills = [by_position, by_lag].map(|scenario| Drill { scenario, settings });
    let ends = run::many(&drills, 2, &lambdas, &super::drills::Failures);
    let reports: Vec<_> = ends.into_iter().map(|ended| ended.expect("it runs to its end")).collect();
    assert_eq!(reports[0].verdict, Verdict::Passed, "{}", reports[0].text(false));
    let broken: Vec<_> = reports[1].checks.iter().filter(|check| !check.held).map(|check| check.name).collect();
    assert_eq!(broken, [drill::check::NOTHING_LOST_ON_THE_WAY_HOME.name], "{}", reports[1].text(false));
}

/// Whoever moves in peace loses nothing: not one of the rows that users were told are written.
#[test]
fn a_switchover_loses_nothing() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    let lambdas = lambdas::build().expect("the Lambdas build");
    let settings = Settings { seed: 5, speed: 3_600.0 };
    let scenario = scenario::named("switchover").expect("there is such a scenario");
    let ends = run::many(&[Drill { scenario, settings }], 1, &lambdas, &super::drills::Failures);
    for report in ends.into_iter().map(|ended| ended.expect("it runs to its end")) {
        assert_eq!((report.verdict, report.rpo_writes), (Verdict::Passed, 0), "{}", report.text(false));
    }
}
