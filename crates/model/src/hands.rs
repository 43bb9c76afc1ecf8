//! The functions, call by call: look, decide, write. Between any two calls anything else may happen, and any of them may
//! be the last.

use failover::change::{self, Batch, Write};
use failover::incident::{AlarmState, Approval, Incident};
use failover::observation::NameView;
use failover::register::Spread;
use failover::rule::Rule;
use failover::signal::Signal as Told;
use jiff::Timestamp;

use crate::databases::LatePromotion;
use crate::setting::{Setting, Zone, at};
use crate::shared::Shared;
use crate::steps::Holdfast;
use crate::world::{Author, SharedBatch, World, change_id};

/// What woke a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The tick.
    Tick,
    /// The alarm's event, from the step at which it began to ring.
    Rang(u8),
    /// A person's approval of the incident that began at a step, given at another, lifting all that one may.
    Approved(u8, u8),
    /// The event of an alarm that the plan does not name.
    Foreign,
}

impl Signal {
    /// As the functions read it.
    pub fn told(self, setting: &Setting) -> Told {
        match self {
            Self::Tick => Told::Tick,
            Self::Rang(since) => Told::Alarm(setting.sighting(AlarmState::Alarm, since)),
            Self::Approved(began, given) => {
                Told::Approval { approval: approval(setting.incident(began)), given: at(given) }
            }
            Self::Foreign => {
                let arn = "arn:aws:cloudwatch:us-east-1:1:alarm:other".to_owned();
                Told::Alarm(failover::incident::AlarmSighting { arn, ..setting.sighting(AlarmState::Alarm, 0) })
            }
        }
    }

    /// The approval, if it is one.
    pub fn approval(self, setting: &Setting) -> Option<Approval> {
        self.told(setting).approval().cloned()
    }
}

fn approval(incident: Incident) -> Approval {
    Approval { incident, by: "p".to_owned(), reason: String::new(), despite: Rule::LIFTABLE.into() }
}

/// What somebody saw of the zones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// What each said.
    pub zones: Vec<Zone>,
    /// How often somebody had undone a pin by then.
    pub undone: u8,
}

impl Look {
    /// Every name.
    pub fn views(&self) -> impl Iterator<Item = &NameView> {
        self.zones.iter().flat_map(|zone| &zone.views)
    }

    /// The same, to be decided about.
    pub fn names(&self) -> Vec<NameView> {
        self.views().cloned().collect()
    }
}

/// The gate is open: a promoter goes from database to database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// What it saw of the zones.
    pub look: Shared<Look>,
    /// The incident that they are pinned for.
    pub incident: Incident,
    /// Since when the gate is open.
    pub since: Option<Timestamp>,
    /// What woke it.
    pub signal: Signal,
    /// The database it looks at next.
    pub next: usize,
    /// Whether all before take writes.
    pub all_done: bool,
}

/// How far an invocation has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// There is none.
    Idle,
    /// It has listed the zones.
    Looked(Shared<Look>, Signal),
    /// It is about to enable the failover health check, and then to write.
    Enables(Vec<SharedBatch>),
    /// It is about to write the first of these.
    Writes(Vec<SharedBatch>),
    /// It has pinned, and is about to put the change's id on record; then it goes on with the rest.
    Records(SharedBatch, Vec<SharedBatch>),
    /// It has found the gate open, and is about to look at a database.
    Opened(Shared<Open>),
    /// It has decided to promote that database.
    Promotes(Shared<Open>),
}

impl Hand {
    /// It writes these, if there are any.
    pub fn writes(batches: Vec<SharedBatch>) -> Self {
        if batches.is_empty() { Self::Idle } else { Self::Writes(batches) }
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// AWS answers.
    Answered,
    /// AWS answers from before the newest change.
    Stale,
    /// AWS refuses, or never got it.
    Refused,
    /// It takes effect, and nobody lives to hear of it.
    Unanswered,
    /// It is given up, and takes effect later.
    Late,
}

impl Holdfast {
    /// The promotion that was decided.
    pub fn promotion_of(&self, open: &Open) -> LatePromotion {
        let is_approved =
            matches!(open.signal, Signal::Approved(began, _) if self.setting.incident(began) == open.incident);
        LatePromotion { database: open.next, undone: open.look.undone, is_approved }
    }

    /// It has been asked for: on to the next database.
    pub fn after_promotion(&self, open: &Open, time: u8) -> Hand {
        self.goes_on(Open { next: open.next + 1, all_done: false, ..open.clone() }, at(time))
    }

    /// alarm-handler's write ends: whatever becomes of one batch, it goes on with the next.
    pub fn handler_submits(&self, world: &mut World, batches: &[SharedBatch], fate: Fate) -> Hand {
        let Some((batch, rest)) = batches.split_first() else { return Hand::Idle };
        let rest = rest.to_vec();
        match fate {
            Fate::Refused => return Hand::writes(rest),
            Fate::Late => {
                world.late_batch = Some(batch.clone());
                return Hand::writes(rest);
            }
            Fate::Answered | Fate::Unanswered | Fate::Stale => {}
        }
        match (self.apply(world, batch, Author::Holdfast), fate) {
            (_, Fate::Unanswered) => Hand::Idle,
            (Some(number), _) => {
                let spreads = change::spreads(batch, &Spread::Change { id: change_id(number) });
                match self::batches(spreads).pop() {
                    Some(record) => Hand::Records(record, rest),
                    None => Hand::writes(rest),
                }
            }
            (None, _) => {
                let parts = self.parts_of_refused(world, batch);
                Hand::writes(parts.into_iter().map(Shared::new).chain(rest).collect())
            }
        }
    }

    /// What of a refused batch is tried by itself, once a fresh look has shown what of it was not overtaken.
    fn parts_of_refused(&self, world: &World, batch: &SharedBatch) -> Vec<Batch> {
        let zone = self.setting.plan.zones.iter().position(|zone| zone.id == batch.zone);
        let records = zone.map(|zone| world.zones[zone].records.sets.as_slice()).unwrap_or_default();
        let parts = (self.rules.parts)(batch.writes.clone(), records);
        parts.into_iter().map(|writes| Batch { zone: batch.zone.clone(), writes }).collect()
    }

    /// replica-promoter's write ends: after a refusal it writes no more.
    pub fn promoter_submits(&self, world: &mut World, batches: &[SharedBatch], fate: Fate) -> Hand {
        let Some((batch, rest)) = batches.split_first() else { return Hand::Idle };
        if fate == Fate::Late {
            world.late_batch = Some(batch.clone());
            return Hand::Idle;
        }
        match (self.apply(world, batch, Author::Holdfast), fate) {
            (Some(_), Fate::Answered) => Hand::writes(rest.to_vec()),
            _ => Hand::Idle,
        }
    }
}

/// As few batches as may be.
pub fn batches(writes: Vec<Write>) -> Vec<SharedBatch> {
    change::batches(writes).into_iter().map(Shared::new).collect()
}
