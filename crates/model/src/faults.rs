//! Decisions that are wrong on purpose, to show that the checker notices.

use failover::change::{self, Change};
use failover::failback;
use failover::incident::Approval;
use failover::observation::{ChangeStatus, NameView};
use failover::order::{self, Order};
use failover::pin::{self, Observation, Verdict};
use failover::plan::Plan;
use failover::promotion::{self, LagSample, ReplicaView};
use failover::record::{RecordSet, Target};
use failover::register::{ArmedBy, Register, Spread};
use failover::rule::Rule;
use jiff::SignedDuration;

use bend::{as_pinned, instead, instead_of, row_of, with_original, with_register};

use crate::bounds::{Bounds, LASTS};
use crate::check::{Checked, shortest};
use crate::people::Deed;
use crate::rules::Rules;
use crate::steps::Holdfast;
use crate::watch::Violation;

mod bend;
mod by_hand;

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
            let mut holdfast = Holdfast::shipped(self.within);
            (self.bend)(&mut holdfast.rules);
            holdfast
        })
    }
}

const fn fault(name: &'static str, within: Bounds, noticed_by: &'static str, bend: fn(&mut Rules)) -> Mutation {
    Mutation { name, bend, within, noticed_by }
}

/// One thing that people do.
const PERSON: Bounds = Bounds { people: 1, ..Bounds::PEOPLE };

/// Somebody undoes the pin again and again, within one step of time.
const UNDOING: Bounds =
    Bounds { promoters: 0, starts: (4, 0), time: 0, people: 3, deeds: &[Deed::Undo], ..Bounds::PEOPLE };

/// All of them.
pub fn every_mutation() -> impl Iterator<Item = &'static Mutation> {
    MUTATIONS.iter().chain(by_hand::MUTATIONS)
}

/// Deliberate faults, and who notices.
const MUTATIONS: &[Mutation] = &[
    // The batch.
    fault(
        "the compare-and-swap is dropped: what is there is deleted, whatever it is",
        PERSON,
        Violation::WroteWhileOff.property(),
        |rules| rules.compares = false,
    ),
    fault(
        "DELETE and CREATE are swapped",
        Bounds { starts: (1, 1), crashes: Some(0), ..Bounds::LIVENESS },
        LASTS,
        |rules| {
            rules.write = |view, verdict, incident, now| {
                let mut written = change::write(view, verdict, incident, now)?;
                if let Some(write) = &mut written {
                    write.changes.reverse();
                }
                Ok(written)
            };
        },
    ),
    fault(
        "one field of what the PRIMARY record said is not kept",
        Bounds::RACES,
        Violation::OriginalLost.property(),
        |rules| {
            rules.write = |view, verdict, incident, now| {
                let written = change::write(view, verdict, incident, now)?;
                Ok(written.map(|write| {
                    with_original(write, view, |target| match target {
                        Target::Values { ttl_seconds, values } => {
                            Target::Values { ttl_seconds: ttl_seconds + 1, values: values.clone() }
                        }
                        Target::Alias { .. } => target.clone(),
                    })
                }))
            };
        },
    ),
    fault(
        "a pin made again keeps what it found instead of what the first replaced",
        PERSON,
        Violation::OriginalLost.property(),
        |rules| {
            rules.write = |view, verdict, incident, now| {
                let written = change::write(view, verdict, incident, now)?;
                let found = view.pairs.iter().flatten().next().map(|pair| pair.primary().target.clone());
                Ok(match (verdict, written, found) {
                    (Verdict::Repin, Some(write), Some(found)) => Some(with_original(write, view, |_| found.clone())),
                    (_, written, _) => written,
                })
            };
        },
    ),
    fault(
        "a pin left to people stays on record as in sync",
        Bounds::DRIFT,
        Violation::PromotedTooEarly.property(),
        |rules| {
            rules.write = |view, verdict, incident, now| match verdict {
                Verdict::Yield | Verdict::Refuse => Ok(None),
                _ => change::write(view, verdict, incident, now),
            };
        },
    ),
    fault("a function sends users home by itself", Bounds::RACES, Violation::PrimaryAnswered.property(), |rules| {
        rules.write = |view, verdict, incident, now| {
            let (pair, register) = (view.pairs.iter().flatten().next(), view.register());
            let (Verdict::Stay, Some(pair), Some(Register::Pinned { pin, .. })) = (verdict, pair, register) else {
                return change::write(view, verdict, incident, now);
            };
            let primary = pair.primary().clone();
            let home = pin.original.get(&primary.kind).cloned().unwrap_or_else(|| primary.target.clone());
            let mut write = change::rewrite_register(
                view,
                Register::Pinned { pin: pin.clone(), spread: Spread::InSync { at: now } },
            )?;
            write.changes.push(Change::Delete(primary.clone()));
            write.changes.push(Change::Create(RecordSet { target: home, ..primary }));
            Ok(Some(write))
        };
    }),
    // The pin's rules.
    fault("a pin whose change nobody put on record is left so", Bounds::LIVENESS, LASTS, |rules| {
        rules.decide_pin = |plan, seen, view| instead(Verdict::Confirm, Verdict::Stay, plan, seen, view)
    }),
    fault(
        "a pinned name is pinned again whatever its records say",
        UNDOING,
        Violation::PinnedTwice.property(),
        |rules| {
            rules.decide_pin = |plan, seen, view| {
                let mut decision = pin::decide(plan, seen, view);
                if decision.row.id.rule == Rule::P03 {
                    decision.row = row_of(Verdict::Repin);
                }
                decision
            };
        },
    ),
    fault("disarmed is no reason to refuse", PERSON, Violation::WroteWhileOff.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P04, plan, seen, view);
    }),
    fault("a maintenance is no reason to hold", PERSON, Violation::WroteWhileOff.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P05, plan, seen, view);
    }),
    fault("an alarm from before a rejection counts", PERSON, Violation::PinnedForOldAlarm.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P06, plan, seen, view);
    }),
    fault("the settle time and the cool-down are forgotten", PERSON, Violation::SkippedRule.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P08, plan, seen, view);
    }),
    fault("the primary's own answer is ignored", Bounds::RACES, Violation::SkippedRule.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P09, plan, seen, view);
    }),
    fault("DR's silence is ignored", Bounds::TROUBLE, Violation::SkippedRule.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P10, plan, seen, view);
    }),
    fault("targets that are not healthy are ignored", Bounds::TARGETS, Violation::SkippedRule.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P15, plan, seen, view);
    }),
    fault("shadow mode pins", Bounds::SHADOW, Violation::WroteWhileOff.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P11, plan, seen, view);
    }),
    fault("approval mode does not ask", Bounds::APPROVAL, Violation::SkippedRule.property(), |rules| {
        rules.decide_pin = |plan, seen, view| instead_of(Rule::P12, plan, seen, view);
    }),
    fault(
        "an approval of another incident counts",
        Bounds { time: 1, ..Bounds::APPROVAL },
        Violation::SkippedRule.property(),
        |rules| {
            rules.decide_pin = |plan, seen, view| {
                let incident = pin::decide(plan, seen, view).incident;
                let approval = seen.approval.clone().zip(incident);
                let approval = approval.map(|(approval, incident)| Approval { incident, ..approval });
                pin::decide(plan, &Observation { approval, ..seen.clone() }, view)
            };
        },
    ),
    fault("an approval lifts that a name is disarmed", PERSON2, Violation::SkippedRule.property(), |rules| {
        rules.decide_pin = |plan, seen, view| match seen.approval {
            Some(_) => instead_of(Rule::P04, plan, seen, view),
            None => pin::decide(plan, seen, view),
        };
    }),
    fault(
        "a maintenance is made longer while the tick ends it",
        Bounds::MAINTENANCE,
        Violation::MaintenanceUndone.property(),
        |rules| {
            rules.register_for = |order, view, now| match (order, view.register()) {
                (Order::Pause { until, by }, Some(Register::Paused { .. })) => {
                    Ok(Some(Register::paused(now, *until, by.clone())))
                }
                _ => order::register_for(order, view, now),
            };
        },
    ),
    fault(
        "a maintenance ends with its health check disabled",
        Bounds::MAINTENANCE,
        Violation::CheckLeftDisabled.property(),
        |rules| rules.enables_check = false,
    ),
    // The promotion's.
    fault("every change counts as in sync", Bounds::RACES, Violation::PromotedTooEarly.property(), |rules| {
        rules.believe = |_| ChangeStatus::InSync;
    }),
    fault("clients are given no time to drain", Bounds::RACES, Violation::PromotedTooEarly.property(), |rules| {
        rules.decide_gate = |plan, now, names, changes| {
            promotion::decide_gate(plan, now + SignedDuration::from_secs(600), names, changes)
        };
    }),
    fault(
        "promotion waits for the first pin instead of all",
        Bounds { time: 2, ..Bounds::ZONES },
        Violation::PromotedTooEarly.property(),
        |rules| {
            rules.decide_gate = |plan, now, names, changes| {
                let is_pinned = |view: &&NameView| view.register().is_some_and(|register| register.pin().is_some());
                let pinned: Vec<_> = names.iter().filter(is_pinned).cloned().collect();
                promotion::decide_gate(plan, now, &pinned, changes)
            };
        },
    ),
    fault(
        "promotion goes on though somebody changed the pinned records",
        Bounds { starts: (2, 2), ..PERSON },
        Violation::PromotedTooEarly.property(),
        |rules| {
            rules.decide_gate = |plan, now, names, changes| {
                let names: Vec<_> = names.iter().map(as_pinned).collect();
                promotion::decide_gate(plan, now, &names, changes)
            };
        },
    ),
    fault(
        "−1 is ignored: the last good sample of lag counts as if it were new",
        Bounds { trouble: 1, ..Bounds::TROUBLE },
        Violation::LostTooMuch.property(),
        |rules| {
            rules.decide_replica = |plan, now, failover, replica, approval| {
                let at = failover.incident.began;
                let lags = replica.lags.iter().map(|lag| LagSample { at, ..*lag }).collect();
                promotion::decide_replica(plan, now, failover, &ReplicaView { lags, ..replica.clone() }, approval)
            };
        },
    ),
    fault(
        "no sample of lag counts as no lag",
        Bounds { trouble: 1, ..Bounds::TROUBLE },
        Violation::LostTooMuch.property(),
        |rules| {
            rules.decide_replica = |plan, now, failover, replica, approval| {
                let none = LagSample { seconds: 0, at: failover.incident.began };
                let lags = if replica.lags.is_empty() { vec![none] } else { replica.lags.clone() };
                promotion::decide_replica(plan, now, failover, &ReplicaView { lags, ..replica.clone() }, approval)
            };
        },
    ),
    fault(
        "a database on its way counts as one that takes writes",
        Bounds { people: 0, trouble: 0, ..Bounds::DATABASES },
        Violation::ClosedTooEarly.property(),
        |rules| {
            rules.decide_replica = |plan, now, failover, replica, approval| {
                let mut decision = promotion::decide_replica(plan, now, failover, replica, approval);
                if decision.row.id.rule == Rule::R05 {
                    let done = promotion::REPLICA_TABLE.iter().find(|row| row.id.rule == Rule::R04);
                    decision.row = done.unwrap_or(decision.row);
                }
                decision
            };
        },
    ),
    // The failback.
    fault(
        "a failback leaves the PRIMARY record on DR",
        Bounds { deeds: &[Deed::FailBack], ..PERSON },
        Violation::NotRestored.property(),
        |rules| {
            rules.restore = |plan, view, now, by| {
                let mut written = failback::restore(plan, view, now, by)?;
                if let Some(write) = &mut written {
                    write.changes.truncate(2);
                }
                Ok(written)
            };
        },
    ),
    fault(
        "a failback arms a name whose databases have no replica",
        Bounds { deeds: &[Deed::FailBack], ..PERSON },
        Violation::ArmedWithoutReplica.property(),
        |rules| {
            rules.restore =
                |plan, view, now, by| failback::restore(&Plan { replicas: Vec::new(), ..plan.clone() }, view, now, by);
        },
    ),
    fault(
        "a failback does not say that it armed the name",
        Bounds::ROUTING,
        Violation::PinnedForOldAlarm.property(),
        |rules| {
            rules.restore = |plan, view, now, by| {
                let written = failback::restore(plan, view, now, by)?;
                let armed = Register::armed(now, ArmedBy::Operator);
                Ok(written.map(|write| with_register(write, view, armed.clone())))
            };
        },
    ),
];

/// Two things that people do: what they disarm they approve.
const PERSON2: Bounds = Bounds { deeds: &[Deed::Disarm, Deed::Approve], ..Bounds::PEOPLE };
