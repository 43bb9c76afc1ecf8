//! replica-promoter, call by call, as `replica-promoter/src/ground.rs`, `handler.rs` and `databases.rs` make the calls: look, ask the
//! name servers, put on record what they show, say `promoting`, look at the database, promote.

use std::collections::BTreeMap;

use failover::change;
use failover::latch::{self, Latch, Led, Look, Marks, Stage};
use failover::observation::NameView;
use failover::plan::{self, Plan};
use failover::promotion::{self, Failover, Gate, GateDecision, ReplicaView, Verdict};
use failover::record::Target;
use failover::register::{Evidence, Register, RegisterError};
use jiff::Timestamp;

use super::Switched;
use super::checks::Children;
use super::hands::{First, Ground, Hand, Names, Read, changes};
use super::setting::{at, described, lag};
use super::world::{SERVERS, Text, World, text};
use crate::databases::Database;
use crate::hands::{Fate, batches};
use crate::setting::Zone;
use crate::shared::Shared;
use crate::world::SharedBatch;

/// What name servers are asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    time: u8,
    names: Names,
    latch: Text,
    servers: [(Children, Zone); SERVERS],
}

/// What is asked of the rules of the promotion.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// About the workload.
    Gate(Shared<Ground>),
    /// About the database, at a step, in the outage of a step.
    Database(Shared<Ground>, u8, Database, u8),
}

/// What replica-promoter does next.
#[derive(Clone, Debug)]
pub enum Next {
    /// No more.
    Nothing,
    /// It begins to promote.
    Starts,
    /// It asks RDS.
    Promotes,
    /// It keeps this in the latch, and promotes then if that is true.
    Keeps(Text, bool),
    /// It writes these registers, and promotes then if that is true.
    Registers(SharedBatch, bool),
}

impl World {
    /// Both answers that an invocation asked for at once: the first, and what the other is by now.
    pub fn both(&self, first: First, fate: Fate) -> (Names, Read) {
        match first {
            First::Latch(read) => (self.names(), read),
            First::Names(names) if fate == Fate::Refused => (names, Read::Failed(self.time)),
            First::Names(names) => (names, Read::Text(self.latch.clone(), self.time)),
        }
    }
}

impl Switched {
    /// An invocation of replica-promoter makes its next call.
    pub fn promoter_goes_on(&self, world: &mut World, place: usize, fate: Fate) {
        let is_taken = fate != Fate::Refused;
        let next = match world.promoters[place].clone() {
            Hand::Began(first, _) => self.stands_on(world, first, fate),
            Hand::Shows(ground, next) => {
                let is_done = is_taken && world.swap(ground.latch.as_ref(), Some(next.clone()));
                // Whatever came between: this look counts for nothing.
                let latch = if is_done { Some(next) } else { ground.latch.clone() };
                self.gate(&Shared::new(Ground { latch, counts_for_nothing: !is_done, ..Ground::clone(&ground) }))
            }
            Hand::ShowsNothing(ground, next) => {
                let _ = is_taken && world.swap(ground.latch.as_ref(), Some(next));
                Hand::Idle
            }
            Hand::Starts(ground) => self.starts(world, &ground, is_taken),
            Hand::Opened(ground) => {
                let rang = world.rang.unwrap_or_default();
                self.next(&ground, Question::Database(ground.clone(), world.time, world.database, rang))
            }
            Hand::Keeps(ground, next, promotes) => {
                let is_done = is_taken && world.swap(ground.latch.as_ref(), Some(next));
                if is_done && promotes { Hand::Promotes(ground) } else { Hand::Idle }
            }
            Hand::Registers(ground, batch, promotes) => {
                let is_done = self.apply(world, &batch).is_some();
                if is_done && self.rules.pin_replaces_latch {
                    world.latch = None;
                }
                if is_done && promotes { Hand::Promotes(ground) } else { Hand::Idle }
            }
            Hand::Promotes(_) => {
                world.promote(self);
                Hand::Idle
            }
            _ => Hand::Idle,
        };
        world.left.faults -= u8::from(fate == Fate::Refused);
        world.promoters[place] = if fate == Fate::Unanswered { Hand::Idle } else { next };
    }

    /// What promotion stands on: the pins, or the latch in their place.
    fn stands_on(&self, world: &World, first: First, fate: Fate) -> Hand {
        let (names, read) = world.both(first, fate);
        let closed = read.closed().filter(|text| Latch::parse(text).is_ok()).cloned();
        let shown = self.setting.plan.latch.as_ref().and_then(|latch| latch.shown.as_ref());
        let statuses = if let Names::Listed(zone) = &names { world.statuses(zone) } else { Vec::new() };
        let is_pinned = |zone: &Zone| zone.views.iter().all(|view| view.pin().is_some());
        let is_by_latch = closed.is_some()
            && shown.is_some()
            && !matches!(&names, Names::Listed(zone) if is_pinned(zone))
            && names != Names::Unknown;
        let ground = Ground {
            time: world.time,
            names,
            latch: closed.clone(),
            counts_for_nothing: false,
            is_by_latch,
            is_unproven: false,
            statuses,
            is_replica: described(world.database).database().is_some_and(promotion::Database::is_replica),
        };
        match (ground.names.clone(), closed) {
            (Names::Unknown, Some(closed)) if shown.is_some() => self.begins_anew(ground, &closed),
            (Names::Unknown, _) => Hand::Idle,
            (Names::Remembered(..), _) if !is_by_latch => Hand::Idle,
            (names, Some(closed)) if is_by_latch => {
                let servers = world.servers.each_ref().map(|server| (server.children, server.records.clone()));
                let asked = Asked { time: world.time, names, latch: closed, servers };
                let (next, is_unproven) = self.looks.get(asked, |asked| self.look(asked));
                let ground = Shared::new(Ground { is_unproven, ..ground });
                match next {
                    Some(next) => Hand::Shows(ground, next),
                    None => self.gate(&ground),
                }
            }
            _ => self.closes_latch(ground),
        }
    }

    /// A look that hears nothing is a look that does not show it.
    fn begins_anew(&self, ground: Ground, closed: &Text) -> Hand {
        match Latch::parse(closed) {
            Ok(latch) if latch.stage == Stage::Committed && latch.shown.is_some() => {
                let next = text(&latch.looked_at(false, at(ground.time)));
                Hand::ShowsNothing(Shared::new(ground), next)
            }
            _ => Hand::Idle,
        }
    }

    /// Once every register says that the failover is over the latch says so too.
    fn closes_latch(&self, ground: Ground) -> Hand {
        let ground = Shared::new(ground);
        let open = ground.latch().filter(|latch| !matches!(latch.stage, Stage::FailedOver { .. }));
        let names = ground.names.views().unwrap_or_default();
        match open.filter(|latch| promotion::is_over(&names) && names.iter().all(|view| latch.takes_along(view))) {
            Some(latch) => {
                let next = text(&latch.failed_over(at(ground.time)));
                Hand::Keeps(ground, next, false)
            }
            None => self.gate(&ground),
        }
    }

    /// What the latch says after a look at the name servers, if that is something else; and whether they do not show it.
    fn look(&self, asked: &Asked) -> (Option<Text>, bool) {
        let (Ok(latch), Some(names)) = (Latch::parse(&asked.latch), asked.names.views()) else { return (None, true) };
        if latch.stage != Stage::Committed {
            return (None, false);
        }
        let is_shown = (self.rules.proves)(&self.setting.plan, &names, &self.heard_of(&names, &asked.servers));
        let next = latch.looked_at(is_shown, at(asked.time));
        ((next != latch).then(|| text(&next)), !is_shown)
    }

    /// What each name server answers.
    fn heard_of(&self, names: &[NameView], servers: &[(Children, Zone)]) -> Look {
        let word = |is_healthy: bool, healthy: &str, not: &str| {
            Ok(vec![if is_healthy { healthy.to_owned() } else { not.to_owned() }])
        };
        let marks = servers.iter().enumerate().map(|(nth, (children, _))| Marks {
            server: nth.to_string(),
            latch: word(children.latch, "open", "committed"),
            again: word(children.again, "open", "committed"),
            switch: word((self.rules.switch)(*children), "primary", "dr"),
        });
        let values = |target: &Target| match target {
            Target::Values { values, .. } => values.clone(),
            Target::Alias { .. } => Vec::new(),
        };
        let answers = |view: &NameView| {
            let each = servers.iter().enumerate().map(|(nth, (children, records))| {
                let server = super::world::Server { children: *children, records: records.clone(), due: Vec::new() };
                let answer = server.answers(view, self.rules.switch).map(|set| values(&set.target));
                (nth.to_string(), Ok(answer.unwrap_or_default()))
            });
            each.collect::<Vec<_>>()
        };
        let led = names.iter().flat_map(|view| {
            let each = latch::homes(view).into_iter();
            each.map(|(key, home)| (key, Led { home: Ok(values(&home)), answers: answers(view) })).collect::<Vec<_>>()
        });
        Look { names: led.collect::<BTreeMap<_, _>>(), marks: marks.collect() }
    }

    /// Nothing is promoted before the store says so; a pin in sync waits for no store.
    fn starts(&self, world: &mut World, ground: &Shared<Ground>, is_taken: bool) -> Hand {
        let is_to_say = |latch: &Latch| latch.stage == Stage::Committed && self.rules.begins;
        let Some(latch) = ground.latch().filter(is_to_say) else { return Hand::Opened(ground.clone()) };
        // What the promoter has made of the latch in this look is what it compares with.
        let (seen, next) = (text(&latch), text(&latch.promoting()));
        let is_done = is_taken && world.swap(Some(&seen), Some(next.clone()));
        match (is_done, ground.is_by_latch) {
            (true, _) => Hand::Opened(Shared::new(Ground { latch: Some(next), ..Ground::clone(ground) })),
            (false, true) => Hand::Idle,
            (false, false) => Hand::Opened(ground.clone()),
        }
    }

    fn gate(&self, ground: &Shared<Ground>) -> Hand {
        self.next(ground, Question::Gate(ground.clone()))
    }

    fn next(&self, ground: &Shared<Ground>, question: Question) -> Hand {
        let ground = ground.clone();
        let next = self.nexts.get(question, |question| match question {
            Question::Gate(ground) => self.decide_gate(ground),
            Question::Database(ground, time, database, rang) => {
                self.decide_database(ground, at(*time), *database, *rang)
            }
        });
        match next {
            Next::Nothing => Hand::Idle,
            Next::Starts => Hand::Starts(ground),
            Next::Promotes => Hand::Promotes(ground),
            Next::Keeps(next, promotes) => Hand::Keeps(ground, next, promotes),
            Next::Registers(batch, promotes) => Hand::Registers(ground, batch, promotes),
        }
    }

    /// The names as this ground makes them.
    fn names_on(&self, ground: &Ground) -> Vec<NameView> {
        let names = ground.names.views().unwrap_or_default();
        let Some(latch) = ground.latch() else { return names };
        if !ground.is_by_latch {
            return names.iter().map(|view| latch::knowing(&latch, view)).collect();
        }
        let names = names.iter().map(|view| (self.rules.stands_in)(&self.setting.plan, &latch, view));
        match ground.is_unproven && !ground.names.is_listed() {
            true => names.map(|view| latch::in_doubt(&latch, &view)).collect(),
            false => names.collect(),
        }
    }

    fn decision(&self, ground: &Ground, names: &[NameView]) -> GateDecision {
        let mut plan = self.setting.plan.clone();
        if let (true, Some(plan::Latch { shown: Some(shown), .. })) = (ground.is_by_latch, &self.setting.plan.latch) {
            plan.limits.drain_seconds = plan.limits.drain_seconds.saturating_add(shown.margin_seconds);
        }
        promotion::decide_gate(&plan, at(ground.time), names, &changes(names, &ground.statuses))
    }

    fn decide_gate(&self, ground: &Ground) -> Next {
        let names = self.names_on(ground);
        let gate = self.decision(ground, &names);
        match gate.row.verdict {
            Gate::RecordInSync => {
                let id = &self.setting.plan.replicas[0];
                let seen: Evidence = ground.is_replica.then(|| Evidence::replica(id.clone())).into_iter().collect();
                let known = changes(&names, &ground.statuses);
                let writes = promotion::record_in_sync(&names, &known, at(ground.time), &seen);
                self.put(ground, writes, false)
            }
            Gate::Open if gate.incident.is_some() => Next::Starts,
            Gate::Open | Gate::Closed | Gate::Wait => Next::Nothing,
        }
    }

    fn decide_database(&self, ground: &Ground, now: Timestamp, database: Database, rang: u8) -> Next {
        let plan: &Plan = &self.setting.plan;
        let names = self.names_on(ground);
        let gate = self.decision(ground, &names);
        let Some(incident) = gate.incident else { return Next::Nothing };
        let replica = ReplicaView { id: plan.replicas[0].clone(), state: described(database), lags: vec![lag(rang)] };
        let failover = Failover::of(&incident, gate.since, &names);
        let decision = promotion::decide_replica(plan, now, &failover, &replica, None);
        let promotes = decision.row.verdict == Verdict::Promote;
        if !decision.to_record.is_empty() {
            let write = promotion::put_on_record(&names, &decision.to_record);
            return self.put(ground, Ok(write.into_iter().collect()), promotes);
        }
        match decision.row.verdict {
            Verdict::Promote => Next::Promotes,
            Verdict::Done => {
                let over = |view: &NameView| Some(change::rewrite_register(view, promotion::failed_over(view, now)?));
                self.put(ground, names.iter().filter_map(over).collect(), false)
            }
            _ => Next::Nothing,
        }
    }

    /// Writes registers, or keeps in the latch what they would say.
    fn put(&self, ground: &Ground, writes: Result<Vec<change::Write>, RegisterError>, promotes: bool) -> Next {
        let writes = writes.unwrap_or_default();
        let on = if promotes { Next::Promotes } else { Next::Nothing };
        let Some(latch) = ground.latch().filter(|_| ground.is_by_latch) else {
            return batches(writes).pop().map_or(on, |batch| Next::Registers(batch, promotes));
        };
        let pins = writes.iter().filter_map(|write| write.register.pin());
        let mut next = latch.knowing(&pins.map(|pin| pin.evidence.clone()).collect());
        if writes.iter().any(|write| matches!(write.register, Register::FailedOver { .. })) {
            next = next.failed_over(at(ground.time));
        }
        if next == latch { on } else { Next::Keeps(text(&next), promotes) }
    }
}
