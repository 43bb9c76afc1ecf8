//! Decisions about the switch that are wrong on purpose, to show that the checker notices.

use failover::change::{self, Change, Write, WriteError};
use failover::hold;
use failover::incident::Incident;
use failover::latch::{self, Latch, Led, Look, Marks, Stage};
use failover::observation::NameView;
use failover::outcome::Kind;
use failover::pin::Verdict;
use failover::record::RecordSet;
use failover::register::{Register, Spread};
use jiff::{SignedDuration, Timestamp};

use super::Switched;
use super::bounds::Bounds;
use super::checks::Children;
use super::people::Deed;
use super::rules::Rules;
use super::watch::Violation;
use crate::check::{Checked, shortest};

/// A decision that is wrong on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What is wrong with it.
    pub name: &'static str,
    /// How.
    pub bend: fn(&mut Rules),
    /// Where it shows.
    pub within: Bounds,
    /// Which property notices.
    pub noticed_by: &'static str,
}

impl Mutation {
    /// The shortest way to where that property does not hold.
    #[must_use]
    pub fn check(&self) -> Checked {
        shortest(self.noticed_by, || {
            let mut switched = Switched::shipped(self.within);
            (self.bend)(&mut switched.rules);
            switched
        })
    }
}

const fn fault(name: &'static str, within: Bounds, noticed_by: Violation, bend: fn(&mut Rules)) -> Mutation {
    Mutation { name, bend, within, noticed_by: noticed_by.property() }
}

/// What the command line did until the model found it.
pub const HOME_BY_NAME_SERVERS: &str = "a failback restores the records once name servers show the latch open";

/// The same.
pub const LIFTS_STRAY: &str = "an unlatch lifts what no name is in any more, whatever is promoted";

/// A person disarms, and unlatches.
const DISARMED: Bounds =
    Bounds { recovers: false, people: 2, deeds: &[Deed::Disarm, Deed::Unlatch], ..Bounds::UNLATCH };

/// A failback, and nobody else.
const HOMEWARD: Bounds = Bounds { people: 1, deeds: &[Deed::FailBack], ..Bounds::HOME };

/// Deliberate faults, and who notices.
pub const MUTATIONS: &[Mutation] = &[
    // What AWS makes of the points.
    fault("two of three children make the switch healthy", Bounds::COMMIT, Violation::WentBack, |rules| {
        rules.switch = |children| {
            let Children { outage, hold, latch, .. } = children;
            [outage, hold, latch].into_iter().filter(|is_healthy| *is_healthy).count() >= 2
        };
    }),
    fault("the hold is a forecast of the pin", Bounds::COMMIT, Violation::MovedUncommitted, |rules| {
        rules.forecasts = true;
        rules.holds = |heard, _| heard.forecast;
    }),
    fault(
        "a zero that is published late counts for when it arrives",
        Bounds::COMMIT,
        Violation::UnlatchedByZero,
        |rules| {
            rules.stamp = |_, now| now;
            rules.hear_again = true;
        },
    ),
    fault("a store that does not answer has no latch", Bounds::STORE, Violation::UnlatchedByZero, |rules| {
        rules.failed_read_is_no_word = false;
    }),
    fault("Holdfast lets go of whatever it does not fail over", Bounds::HELD, Violation::LetGo, |rules| {
        rules.heartbeat = |trigger, seen, findings| {
            let is_well = findings.iter().all(|finding| finding.kind == Kind::Nothing);
            hold::heartbeat(trigger, seen, findings).map(|holds| holds && is_well)
        };
    }),
    // What promotion stands on.
    fault("`dr` alone is proof", Bounds::DEAD, Violation::PromotedUnproven, |rules| {
        rules.proves = |_, _, look| look.marks.iter().all(|marks| marks.switch.as_ref().is_ok_and(|it| *it == ["dr"]));
    }),
    fault("one name server's word counts as all's", Bounds::DARK, Violation::PromotedUnproven, |rules| {
        rules.proves = |plan, names, look| latch::proves(plan, names, &of_one_server(look)).is_ok();
    }),
    fault("only one of the two latch checks is asked", Bounds::CHILDREN, Violation::PromotedUnproven, |rules| {
        rules.proves = |plan, names, look| {
            let twice = |marks: &Marks| Marks { again: marks.latch.clone(), ..marks.clone() };
            let look = Look { marks: look.marks.iter().map(twice).collect(), names: look.names.clone() };
            latch::proves(plan, names, &look).is_ok()
        };
    }),
    fault(
        "clients are given no time once name servers show the latch",
        Bounds::DARK,
        Violation::PromotedUnproven,
        |rules| {
            rules.stands_in = |plan, latch, view| {
                let shown = latch.shown.map(|at| at - SignedDuration::from_secs(600));
                latch::stands_in(plan, &Latch { shown, ..latch.clone() }, view)
            };
        },
    ),
    fault("the store is not told before anything is promoted", Bounds::UNLATCH, Violation::PromotedUnproven, |rules| {
        rules.begins = false
    }),
    // What becomes of the latch.
    fault("the pin replaces the latch", Bounds::BY_PIN, Violation::WentBack, |rules| {
        rules.pin_replaces_latch = true;
    }),
    fault("an unlatch lifts whatever is there", Bounds::UNLATCH, Violation::LiftedUnderPromotion, |rules| {
        rules.lifting_compares = false;
    }),
    fault(LIFTS_STRAY, DISARMED, Violation::LiftedUnderPromotion, |rules| {
        rules.may_unlatch =
            |seen| seen.latch.stage == Stage::Committed || !seen.names.iter().any(|view| seen.latch.takes_along(view));
    }),
    fault(HOME_BY_NAME_SERVERS, HOMEWARD, Violation::MovedUncommitted, |rules| rules.failback_awaits = |_, _| true),
    fault(
        "a failback restores the records once the latch's alarm is quiet too, by a word of the minute of the lifting",
        HOMEWARD,
        Violation::MovedUncommitted,
        |rules| rules.failback_awaits = |_, heard| !heard.latch.1,
    ),
    fault("a function writes the old primary's address", Bounds::COMMIT, Violation::WroteOldPrimary, |rules| {
        rules.write = sends_home;
    }),
];

/// What the first name server says, as if the second had said it.
fn of_one_server(look: &Look) -> Look {
    let marks = look.marks.first().map(|marks| vec![marks.clone(); 2]).unwrap_or_default();
    let led = |led: &Led| Led {
        home: led.home.clone(),
        answers: led.answers.first().map(|answer| vec![answer.clone(); 2]).unwrap_or_default(),
    };
    Look { marks, names: look.names.iter().map(|(key, it)| (key.clone(), led(it))).collect() }
}

fn sends_home(
    view: &NameView,
    verdict: Verdict,
    incident: Option<&Incident>,
    now: Timestamp,
) -> Result<Option<Write>, WriteError> {
    let (pair, register) = (view.pairs.iter().flatten().next(), view.register());
    let (Verdict::Stay, Some(pair), Some(Register::Pinned { pin, .. })) = (verdict, pair, register) else {
        return change::write(view, verdict, incident, now);
    };
    let primary = pair.primary().clone();
    let home = pin.original.get(&primary.kind).cloned().unwrap_or_else(|| primary.target.clone());
    let spread = Spread::InSync { at: now };
    let mut write = change::rewrite_register(view, Register::Pinned { pin: pin.clone(), spread })?;
    write.changes.extend([Change::Delete(primary.clone()), Change::Create(RecordSet { target: home, ..primary })]);
    Ok(Some(write))
}
