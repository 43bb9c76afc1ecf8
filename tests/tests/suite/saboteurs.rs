//! Do the drill's checks notice? Each rule is broken on purpose, in the real functions over the wire, and seen to be broken.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use drill::check::{self, Check};
use drill::lambdas::{COMMAND_LINE, LAMBDAS, OTHERS, build};
use drill::run::{self, Drill};
use drill::scenario::{self, QUICK, Scenario};
use drill::stage::{Layout, Settings};

/// A broken rule, the function that breaks it, where it shows, and the checks that must notice.
struct Companion {
    sabotage: &'static str,
    of: &'static [&'static str],
    scenario: &'static str,
    noticed_by: &'static [Check],
}

/// Most of a drill is waiting, and other tests run beside it.
const JOBS: usize = 6;

const HANDLER: &[&str] = &["alarm-handler"];

const COMPANIONS: [Companion; 27] = [
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
    // Without ticks there is no heartbeat.
    Companion { sabotage: "ignores-ticks", of: HANDLER, scenario: "held", noticed_by: &[check::NOBODY_SENT_TO_DR] },
    Companion {
        sabotage: "keeps-silent",
        of: &["notifier"],
        scenario: "region-outage",
        noticed_by: &[check::OPERATORS_TOLD],
    },
    Companion { sabotage: "keeps-silent", of: &["notifier"], scenario: "shadow", noticed_by: &[check::SHADOW_TOLD] },
    Companion {
        sabotage: "accepts-any-loss",
        of: &["replica-promoter"],
        scenario: "lagging-replica",
        noticed_by: &[check::ASKED, check::PROMOTED_AFTER_APPROVAL],
    },
    Companion {
        sabotage: "asks-nobody",
        of: HANDLER,
        scenario: "approval",
        noticed_by: &[check::ASKED, check::PINNED_AFTER_APPROVAL],
    },
    Companion {
        sabotage: "hears-alarms",
        of: HANDLER,
        scenario: "partition",
        noticed_by: &[check::NOTHING_TOUCHED, check::STILL_ARMED, check::USERS_NEVER_LEFT],
    },
    Companion {
        sabotage: "leaves-drift",
        of: HANDLER,
        scenario: "pin-undone",
        noticed_by: &[check::PINNED_AGAIN_TWICE, check::LEFT_TO_PEOPLE],
    },
    Companion {
        sabotage: "stays-paused",
        of: HANDLER,
        scenario: "maintenance",
        noticed_by: &[check::ARMED_AGAIN, check::PINNED_ONCE, check::USERS_SERVED],
    },
    Companion {
        sabotage: "promotes-at-once",
        of: &["replica-promoter"],
        scenario: "region-outage",
        noticed_by: &[check::PIN_BEFORE_PROMOTION, check::LOSS_WITHIN_LAG],
    },
    Companion {
        sabotage: "never-reboots",
        of: &["fencer"],
        scenario: "fence",
        noticed_by: &[check::FENCED_ONCE, check::STRAYS_CUT_OFF],
    },
    Companion {
        sabotage: "starts-afresh",
        of: HANDLER,
        scenario: "redeploy-mid-incident",
        noticed_by: &[check::RECORDS_RESTORABLE],
    },
    Companion {
        sabotage: "leaves-it-to-ticks",
        of: &["replica-promoter"],
        scenario: "region-outage",
        noticed_by: &[check::NO_TICK_AWAITED],
    },
    Companion {
        sabotage: "believes-lag",
        of: &["replica-promoter"],
        scenario: "lag-slow-link",
        noticed_by: &[check::ASKED, check::PROMOTED_AFTER_APPROVAL, check::NO_FALSE_MOMENT],
    },
    Companion {
        sabotage: "believes-silence",
        of: &["replica-promoter"],
        scenario: "lag-silent-link",
        noticed_by: &[check::NO_FALSE_MOMENT],
    },
    Companion {
        sabotage: "believes-counting",
        of: &["replica-promoter"],
        scenario: "lag-cut-transaction",
        noticed_by: &[check::ASKED, check::PROMOTED_AFTER_APPROVAL, check::NO_FALSE_MOMENT],
    },
    Companion {
        sabotage: "records-late",
        of: &["preparer"],
        scenario: "prepare-undone",
        noticed_by: &[check::STEPS_UNDONE],
    },
    Companion {
        sabotage: "sees-no-red",
        of: &["readiness"],
        scenario: "unready",
        noticed_by: &[check::UNREADY_PAGED, check::READY_TOLD],
    },
    Companion {
        sabotage: "ignores-targets",
        of: HANDLER,
        scenario: "dr-not-healthy",
        noticed_by: &[check::TARGETS_AWAITED, check::HELD_BY_TARGETS],
    },
    Companion { sabotage: "forgets-groups", of: &["fencer"], scenario: "fence", noticed_by: &[check::FENCE_LIFTED] },
];

/// A folder with the functions, some of them linked to the saboteur.
fn folder(honest: &Path, saboteur: &Path, companion: &Companion) -> PathBuf {
    let folder = honest.join("sabotaged").join(companion.scenario).join(companion.sabotage);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("an old folder can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    for lambda in LAMBDAS.into_iter().chain(OTHERS).chain([COMMAND_LINE]) {
        let target = if companion.of.contains(&lambda) { saboteur.to_owned() } else { honest.join(lambda) };
        symlink(target, folder.join(lambda)).expect("a link can be made");
    }
    folder
}

/// What went unnoticed, with the report; nothing if all was noticed.
fn unnoticed(companion: &Companion, lambdas: &Path) -> Option<String> {
    let scenario = scenario::named(companion.scenario).expect("there is such a scenario");
    // What is broken shows after a short outage, too.
    let quick: &Scenario = Box::leak(Box::new(scenario.on(QUICK)));
    let scenario = if companion.scenario == "region-outage" { quick } else { scenario };
    let drill = Drill { scenario, settings: Settings { seed: 1, speed: 3_600.0 } };
    let told = |what: &str| Some(format!("{} in {}: {what}", companion.sabotage, companion.scenario));
    let report = match run::one(drill, lambdas, |_| {}) {
        Ok(report) => report,
        Err(error) => return told(&error.to_string()),
    };
    let broken = |check: &&Check| report.checks.iter().any(|done| done.name == check.name && !done.held);
    let missed: Vec<_> = companion.noticed_by.iter().filter(|check| !broken(check)).map(|check| check.name).collect();
    if missed.is_empty() { None } else { told(&format!("{missed:?}\n{}", report.text(false))) }
}

#[test]
fn where_nobody_looks_each_hour_the_drill_says_so() {
    let scenario = scenario::named("unready").expect("there is such a scenario");
    // A pager, and no function.
    let unwatched = Layout { responder: &scenario.layout.responder[..2], ..scenario.layout };
    let scenario: &Scenario = Box::leak(Box::new(scenario.on(unwatched)));
    let drill = Drill { scenario, settings: Settings { seed: 1, speed: 3_600.0 } };
    let report = run::one(drill, &build().expect("the Lambdas build"), |_| {}).expect("it comes to its end");
    let missed: Vec<_> = report.checks.iter().filter(|done| !done.held).map(|done| done.name).collect();
    assert_eq!(missed, [check::UNREADY_PAGED.name, check::READY_TOLD.name]);
}

#[test]
fn every_rule_broken_on_purpose_is_noticed_by_the_checks_meant_for_it() {
    let honest = build().expect("the Lambdas build");
    let saboteur = honest.join("saboteurs");
    let judge = |companion: &Companion| unnoticed(companion, &folder(&honest, &saboteur, companion));
    let unnoticed: Vec<_> = run::side_by_side(&COMPANIONS, JOBS, judge).into_iter().flatten().collect();
    assert!(unnoticed.is_empty(), "not noticed:\n{}", unnoticed.join("\n"));
}
