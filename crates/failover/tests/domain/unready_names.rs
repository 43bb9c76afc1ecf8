//! Which names would not fail over now: what the alarm of that name counts.

use crate::common::*;
use failover::incident::AlarmState::{Alarm, InsufficientData};
use failover::incident::EvaluationTrouble;
use failover::observation::{NameView, Probe, Silence, Targets, Unsent};
use failover::plan::Mode;
use failover::register::ArmedBy;
use failover::unready::unready;

/// What differs from an armed name in peace, and whether it would not fail over.
type Case = (&'static str, fn(&mut Scene), bool);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("an armed name fails over", |_| {}, false),
    ("so does one that asks first", |s| s.plan.mode = Mode::Approval, false),
    ("one in shadow mode says what it would have done", |s| s.plan.mode = Mode::Shadow, false),
    ("one that was armed a minute ago asks", |s| s.register(&armed(0, ArmedBy::Operator)), false),
    ("a name in maintenance is meant to stand still", |s| s.register(&paused(3_600)), false),
    ("a pinned name has failed over", |s| s.register(&pinned(0, in_sync(40))), false),
    ("a primary that answers will not in an outage", |s| s.probes.primary = Probe::Answers, false),
    ("a primary that refuses us will go on doing so", |s| s.probes.primary = Probe::Refused(403), true),
    ("a probe that is never sent tells nothing then either", |s| s.probes.primary = Probe::NotSent(Unsent::NameNotResolved), true),
    ("a DR site that is down holds the failover", |s| s.probes.dr = Probe::Silent(Silence::TimedOut), true),
    ("one that refuses us does not", |s| s.probes.dr = Probe::Refused(403), false),
    ("too few healthy targets hold it too", |s| s.probes.targets = Targets::TooFew, true),
    ("but steps may raise them by then", |s| { s.plan.prepares = true; s.probes.targets = Targets::TooFew; }, false),
    ("not an alarm that is not there", |s| { s.plan.prepares = true; s.probes.targets = Targets::NoAlarm; }, true),
    ("that CloudWatch was silent about them says nothing of then", |s| s.probes.targets = Targets::NotAnswered, false),
    ("a name never armed does not fail over", |s| s.view = view("app.example.com", PRIMARY, None), true),
    ("nor one that a person disarmed", |s| s.register(&disarmed()), true),
    ("nor one with half a pair", |s| { let mut sets = a_pair(&app(), DR); sets.pop(); s.view = NameView::of_name("Z1", &app(), &sets); }, true),
    ("nor any, where no alarm is there", |s| s.alarms(&[]), true),
    ("nor where none can be evaluated", |s| s.evaluation_trouble(EvaluationTrouble::Failure), true),
    ("nor where none has data", |s| s.alarms(&[alarm(0, InsufficientData, -900), alarm(1, InsufficientData, -900)]), true),
    ("one alarm is enough", |s| s.alarms(&[alarm(0, Alarm, -9_000)]), false),
    ("a CloudWatch that tells of none is no sign of any", |s| s.alarms = None, true),
];

#[test]
fn a_name_is_unready_if_an_outage_that_began_now_would_not_be_failed_over() {
    for (story, differs, is_unready) in CASES {
        let mut scene = Scene::outage();
        scene.all_ok_since(-90_000);
        differs(&mut scene);
        let seen = scene.observation();
        let names: Vec<_> = unready(&scene.plan, &seen).into_iter().map(|view| view.name.clone()).collect();
        let wanted: &[_] = if *is_unready { std::slice::from_ref(&scene.view.name) } else { &[] };
        assert_eq!(names, wanted, "{story}");
    }
}
