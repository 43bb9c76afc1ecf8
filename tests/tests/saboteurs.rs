//! Do the drill's checks notice? Each rule is broken on purpose, in the real functions over the wire, and seen to be broken.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use drill::check::{self, Check};
use drill::lambdas::{LAMBDAS, build, build_packages};
use drill::report::Report;
use drill::run::{self, Drill};
use drill::scenario;
use drill::stage::Settings;

/// A broken rule, the function that breaks it, where it shows, and the checks that must notice.
struct Companion {
    sabotage: &'static str,
    of: &'static [&'static str],
    scenario: &'static str,
    noticed_by: &'static [Check],
}

const HANDLER: &[&str] = &["alarm-handler"];

const COMPANIONS: [Companion; 10] = [
    Companion {
        sabotage: "ignores-probes",
        of: HANDLER,
        scenario: "primary-still-up",
        noticed_by: &[check::NOTHING_TOUCHED, check::STILL_ARMED, check::HELD_BY_PRIMARY, check::USERS_ON_PRIMARY],
    },
    Companion {
        sabotage: "ignores-probes",
        of: HANDLER,
        scenario: "dr-down",
        noticed_by: &[check::NOTHING_TOUCHED, check::STILL_ARMED, check::HELD_BY_DR],
    },
    Companion {
        sabotage: "does-not-wait",
        of: &["replica-promoter"],
        scenario: "region-outage",
        noticed_by: &[check::PIN_BEFORE_PROMOTION],
    },
    Companion {
        sabotage: "overwrites",
        of: HANDLER,
        scenario: "edited-meanwhile",
        noticed_by: &[check::RECORDS_RESTORABLE],
    },
    Companion {
        sabotage: "loses-original",
        of: HANDLER,
        scenario: "region-outage",
        noticed_by: &[check::RECORDS_RESTORABLE],
    },
    Companion {
        sabotage: "pins-twice",
        of: HANDLER,
        scenario: "region-outage",
        noticed_by: &[check::PINNED_ONCE, check::RECORDS_PINNED],
    },
    Companion {
        sabotage: "goes-back",
        of: HANDLER,
        scenario: "region-outage",
        noticed_by: &[check::RETURN_CHANGES_NOTHING, check::NO_ANSWER_BACK, check::NO_WRITE_BACK],
    },
    Companion {
        sabotage: "ignores-ticks",
        of: HANDLER,
        scenario: "lost-event",
        noticed_by: &[check::PINNED_ONCE, check::PROMOTED_ONCE, check::RECORDS_PINNED],
    },
    Companion {
        sabotage: "keeps-silent",
        of: &["notifier"],
        scenario: "region-outage",
        noticed_by: &[check::OPERATORS_TOLD],
    },
    Companion { sabotage: "keeps-silent", of: &["notifier"], scenario: "shadow", noticed_by: &[check::SHADOW_TOLD] },
];

/// A folder with the functions, some of them linked to the saboteur.
fn folder(honest: &Path, saboteur: &Path, companion: &Companion) -> PathBuf {
    let folder = honest.join("saboteurs").join(companion.scenario).join(companion.sabotage);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("an old folder can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    for lambda in LAMBDAS {
        let target = if companion.of.contains(&lambda) { saboteur.to_owned() } else { honest.join(lambda) };
        symlink(target, folder.join(lambda)).expect("a link can be made");
    }
    folder
}

fn report(companion: &Companion, lambdas: &Path) -> Report {
    let scenario = scenario::named(companion.scenario).expect("there is such a scenario");
    let drill = Drill { scenario, settings: Settings { seed: 1, speed: 3_600.0 } };
    run::one(drill, lambdas, |_| {}).expect("the scenario comes to its end")
}

#[test]
fn every_rule_broken_on_purpose_is_noticed_by_the_checks_meant_for_it() {
    let honest = build().expect("the Lambdas build");
    let saboteur = build_packages(&["saboteurs"]).expect("the saboteurs build").join("saboteurs");
    let unnoticed: Vec<String> = std::thread::scope(|scope| {
        let judge = |companion: &'static Companion| {
            let lambdas = folder(&honest, &saboteur, companion);
            move || {
                let report = report(companion, &lambdas);
                let held = |check: &&Check| report.checks.iter().any(|done| done.name == check.name && done.held);
                let unnoticed = companion.noticed_by.iter().filter(held).map(|check| check.name);
                let unnoticed: Vec<_> = unnoticed.collect();
                let told =
                    format!("{} in {}: {unnoticed:?}\n{}", companion.sabotage, companion.scenario, report.text(false));
                (!unnoticed.is_empty()).then_some(told)
            }
        };
        let running: Vec<_> = COMPANIONS.iter().map(|companion| scope.spawn(judge(companion))).collect();
        running.into_iter().filter_map(|thread| thread.join().expect("a drill ends")).collect()
    });
    assert!(unnoticed.is_empty(), "not noticed:\n{}", unnoticed.join("\n"));
}
