//! alarm-handler, call by call, as `alarm-handler/src/handler.rs` and `latch.rs` make the calls: look, close the latch, write the pin,
//! put its change on record, tell the switch.

use failover::change::{self, Write};
use failover::incident::AlarmState;
use failover::latch::{self, Latch, Reading};
use failover::observation::{NameView, Probe, Probes, Silence, Targets};
use failover::outcome::{Finding, Kind, Trigger};
use failover::pin::{self, Observation};
use failover::refusal::Fate as Known;
use failover::register::Spread;

use super::Switched;
use super::checks::Point;
use super::hands::{First, Hand, Names, Read, Sight, Signal, changes};
use super::setting::{at, sighting};
use super::watch::Violation;
use super::world::{Text, World, text};
use crate::hands::{Fate, batches};
use crate::shared::Shared;
use crate::world::{SharedBatch, change_id};

/// What came of a look.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The latch that is to be closed.
    pub commit: Option<Text>,
    /// What is to be written.
    pub batch: Option<SharedBatch>,
    /// It pins.
    pub pins: bool,
}

impl Switched {
    /// An invocation of alarm-handler makes its next call.
    pub fn handler_goes_on(&self, world: &mut World, place: usize, fate: Fate) {
        let next = match world.handlers[place].clone() {
            Hand::Began(first, signal) => self.decides(world, first, signal, fate),
            Hand::Commits(sight) => self.commits(world, &sight, fate),
            Hand::Writes(sight, latch) => self.writes(world, &sight, latch, fate),
            Hand::Records(sight, latch, batch) => {
                self.apply(world, &batch);
                if fate == Fate::Answered {
                    self.concludes(world, &sight, latch.as_ref());
                }
                Hand::Idle
            }
            _ => Hand::Idle,
        };
        world.left.faults -= u8::from(fate == Fate::Refused);
        world.handlers[place] = next;
    }

    fn decides(&self, world: &mut World, first: First, signal: Signal, fate: Fate) -> Hand {
        let (names, read) = world.both(first, fate);
        let statuses = match &names {
            Names::Listed(zone) => world.statuses(zone),
            Names::Remembered(..) => Vec::new(),
            // Who knows nothing of the records says nothing to the switch.
            Names::Unknown => return Hand::Idle,
        };
        let sight = Shared::new(Sight {
            time: world.time,
            signal,
            names,
            read,
            alarm: world.alarm,
            holds: world.truth(self).hold,
            primary_answers: world.primary_answers,
            statuses,
        });
        let decided = self.decided(&sight);
        if self.rules.forecasts {
            world.heard.forecast = !decided.pins;
        }
        match decided.commit {
            Some(_) => Hand::Commits(sight),
            None => {
                let latch = sight.read.closed().cloned();
                self.after_commit(world, sight, latch)
            }
        }
    }

    fn commits(&self, world: &mut World, sight: &Shared<Sight>, fate: Fate) -> Hand {
        let Some(next) = self.decided(sight).commit else { return Hand::Idle };
        if fate != Fate::Refused && world.swap(None, Some(next)) {
            world.watch.committed = Some(world.time);
        }
        if fate == Fate::Unanswered {
            return Hand::Idle;
        }
        // Whoever closed it: what the store says now.
        let latch = world.latch.clone();
        if latch.is_some() {
            world.say(Point::Latch(world.time, true));
        }
        self.after_commit(world, sight.clone(), latch)
    }

    fn after_commit(&self, world: &mut World, sight: Shared<Sight>, latch: Option<Text>) -> Hand {
        if sight.names.is_listed() && self.decided(&sight).batch.is_some() {
            return Hand::Writes(sight, latch);
        }
        self.concludes(world, &sight, latch.as_ref());
        Hand::Idle
    }

    /// What Route 53 does not take, or may not have taken, is looked at again: that is another invocation here.
    fn writes(&self, world: &mut World, sight: &Shared<Sight>, latch: Option<Text>, fate: Fate) -> Hand {
        let Some(batch) = self.decided(sight).batch else { return Hand::Idle };
        let number = self.apply(world, &batch);
        let Some(number) = number.filter(|_| fate == Fate::Answered) else { return Hand::Idle };
        let spreads = change::spreads(&batch, &Spread::Change { id: change_id(number) });
        match batches(spreads).pop() {
            Some(record) => Hand::Records(sight.clone(), latch, record),
            None => {
                self.concludes(world, sight, latch.as_ref());
                Hand::Idle
            }
        }
    }

    /// At the end of a look.
    fn concludes(&self, world: &mut World, sight: &Shared<Sight>, latch: Option<&Text>) {
        match (latch, &sight.read) {
            (_, Read::Text(Some(_), asked)) => world.say(Point::Latch(*asked, true)),
            (None, Read::Text(None, asked)) => world.say(Point::Latch(*asked, false)),
            (_, Read::Failed(asked)) if !self.rules.failed_read_is_no_word => world.say(Point::Latch(*asked, false)),
            (Some(_), _) | (None, Read::Failed(_)) => {}
        }
        if let Names::Listed(zone) = &sight.names {
            world.listing = zone.clone();
        }
        let beat = self.beats.get((sight.clone(), latch.cloned()), |(sight, latch)| self.beat(sight, latch.as_ref()));
        let now = world.time;
        if let Some(holds) = beat.filter(|_| !self.rules.forecasts) {
            match self.bounds.hears_hold {
                true => world.hear(self, Point::Hold(now, holds)),
                false => world.say(Point::Hold(now, holds)),
            }
        }
        let may_let_go = !sight.names.is_listed() && latch.is_none();
        world.watch.has_looked = true;
        world.watch.is_excused |= beat == Some(false) && may_let_go;
        if beat == Some(false) && !may_let_go {
            world.watch.accuse(Violation::LetGo);
        }
    }

    /// What alarm-handler decides, worked out once.
    pub fn decided(&self, sight: &Shared<Sight>) -> Decided {
        self.decisions.get(sight.clone(), |sight| self.decide(sight))
    }

    fn observation(&self, sight: &Sight) -> Option<Observation> {
        let plan = &self.setting.plan;
        let names = sight.names.views()?;
        let primary = if sight.primary_answers { Probe::Answers } else { Probe::Silent(Silence::TimedOut) };
        Some(Observation {
            now: at(sight.time),
            alarms: Some(vec![sighting(plan, sight.alarm.0, sight.alarm.1)]),
            hold: Some(if sight.holds { AlarmState::Ok } else { AlarmState::Alarm }),
            latch: sight.read.reading(),
            source: failover::listing::Source::Listed,
            probes: Probes { primary, dr: Probe::Answers, targets: Targets::Healthy },
            changes: changes(&names, &sight.statuses),
            names,
            approval: sight.signal.approval(plan),
            foreign_alarm: false,
        })
    }

    fn pending(&self, seen: &Observation) -> (Vec<(Write, Finding)>, Vec<Finding>) {
        let (mut pending, mut findings) = (Vec::new(), Vec::new());
        for view in &seen.names {
            let decision = pin::decide(&self.setting.plan, seen, view);
            let (verdict, incident) = (decision.row.verdict, decision.incident.clone());
            let finding = Finding::from(decision);
            match (self.rules.write)(view, verdict, incident.as_ref(), seen.now) {
                Ok(Some(write)) => pending.push((write, finding)),
                Ok(None) => findings.push(finding),
                Err(_) => findings.push(Finding { kind: Kind::Refused, ..finding }),
            }
        }
        (pending, findings)
    }

    fn decide(&self, sight: &Sight) -> Decided {
        let Some(seen) = self.observation(sight) else { return Decided { commit: None, batch: None, pins: false } };
        let (pending, _) = self.pending(&seen);
        let pinning = |view: &NameView| {
            let of = |(write, finding): &&(Write, Finding)| write.name == view.name && finding.kind == Kind::Pinned;
            pending.iter().find(of).and_then(|(_, finding)| finding.incident.clone())
        };
        let commit = match &seen.latch {
            Reading::Open { .. } => latch::commits(&self.setting.plan, &seen.names, pinning),
            _ => None,
        };
        let pins = pending.iter().any(|(_, finding)| finding.kind == Kind::Pinned);
        let batch = batches(pending.into_iter().map(|(write, _)| write).collect()).pop();
        Decided { commit: commit.map(|incident| text(&Latch::committed(incident, seen.now))), batch, pins }
    }

    /// What the heartbeat is at the end of this look.
    fn beat(&self, sight: &Sight, latch: Option<&Text>) -> Option<bool> {
        let seen = self.observation(sight)?;
        let latch = latch.and_then(|text| Latch::parse(text).ok());
        let (pending, mut findings) = self.pending(&seen);
        match sight.names.is_listed() {
            true => findings.extend(pending.into_iter().map(|(_, finding)| finding)),
            false => findings.extend(unwritten(pending, latch.as_ref())),
        }
        if let Some(latch) = latch {
            let taken_along = seen.names.iter().filter(|view| latch.takes_along(view)).count();
            let pinned = findings.iter().filter(|finding| finding.kind == Kind::Pinned).count();
            let unpinned = seen.names.iter().filter(|view| latch.takes_along(view) && view.pin().is_none()).count();
            let unpinned = unpinned.saturating_sub(pinned);
            match (unpinned, taken_along) {
                (1.., _) => findings.push(Finding::latched(&latch, unpinned)),
                (0, 0) => findings.push(Finding::stray_latch(&latch)),
                _ => {}
            }
        }
        let trigger = if sight.signal == Signal::Tick { Trigger::Tick } else { Trigger::Approval };
        (self.rules.heartbeat)(trigger, &seen, &findings)
    }
}

/// What comes of writes that there is no Route 53 to take.
fn unwritten(pending: Vec<(Write, Finding)>, latch: Option<&Latch>) -> Vec<Finding> {
    let interrupted = |subject: String, finding: Option<&Finding>| {
        let incident = finding.and_then(|finding| finding.incident.clone());
        let since = finding.and_then(|finding| finding.since);
        let told = Finding::interrupted(subject, Known::Unknown, &"no answer", incident, since);
        Finding { id: finding.and_then(|finding| finding.id), ..told }
    };
    let pins = pending.iter().filter(|(_, finding)| latch.is_none() && finding.kind == Kind::Pinned);
    let pins = pins.map(|(write, finding)| interrupted(write.name.to_string(), Some(finding)));
    [interrupted("the records".to_owned(), None)].into_iter().chain(pins).collect()
}
