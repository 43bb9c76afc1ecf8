//! The functions, call by call: look, decide, write. Between any two calls anything else may happen, and any of them may
//! be the last.

use failover::change::{self, Write};
use failover::incident::{AlarmState, Approval, Incident};
use failover::observation::{ChangeStatus, Changes, NameView, Probe, Probes, Silence};
use failover::pin::{self, Observation};
use failover::promotion::{self, Failover, Gate, LagSample, ReplicaState, ReplicaView, Verdict};
use failover::register::{ArmedBy, Evidence, Register, Spread};
use failover::rule::Rule;
use failover::signal::Signal as Told;
use jiff::Timestamp;

use crate::setting::{Setting, Zone, at};
use crate::shared::Shared;
use crate::steps::{Holdfast, Row};
use crate::watch::{Violation, skips_a_rule};
use crate::world::{Author, LatePromotion, SharedBatch, Trouble, World, change_id};

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

/// The rules that an approval of the model lifts.
pub const LIFTED: [Rule; 6] = [Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::R07, Rule::R09];

impl Signal {
    fn told(self, setting: &Setting) -> Told {
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

    fn approval(self, setting: &Setting) -> Option<Approval> {
        self.told(setting).approval().cloned()
    }
}

fn approval(incident: Incident) -> Approval {
    Approval { incident, by: "p".to_owned(), reason: String::new(), despite: LIFTED.into_iter().collect() }
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

    fn names(&self) -> Vec<NameView> {
        self.views().cloned().collect()
    }
}

/// The gate is open: a promoter goes from database to database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    look: Shared<Look>,
    incident: Incident,
    since: Option<Timestamp>,
    signal: Signal,
    /// The database it looks at next.
    next: usize,
    all_done: bool,
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
    fn writes(batches: Vec<SharedBatch>) -> Self {
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

/// What is asked of the decisions. The same question has the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// alarm-handler's.
    Pins {
        /// The step of time.
        time: u8,
        /// The zones.
        look: Shared<Look>,
        /// What woke it.
        signal: Signal,
        /// What CloudWatch described, if it answered.
        described: Option<(AlarmState, u8)>,
        /// Whether the primary answers, and DR.
        sites: (bool, bool),
        /// What GetChange said, name by name.
        statuses: Vec<Option<ChangeStatus>>,
    },
    /// replica-promoter's about the workload.
    Gate {
        /// The step of time.
        time: u8,
        /// The zones.
        look: Shared<Look>,
        /// What woke it.
        signal: Signal,
        /// What GetChange said, name by name.
        statuses: Vec<Option<ChangeStatus>>,
        /// The databases that RDS says are replicas.
        replicas: Evidence,
    },
    /// replica-promoter's about a database.
    Replica {
        /// The step of time.
        time: u8,
        /// How far it has come.
        open: Shared<Open>,
        /// What RDS said.
        state: ReplicaState,
        /// What CloudWatch said.
        lag: Option<LagSample>,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the invocation does next.
    pub next: Hand,
    /// What should not have been decided.
    pub violation: Option<Violation>,
}

impl Holdfast {
    /// What alarm-handler asks once it has listed the zones.
    pub fn asks_for_pins(&self, world: &World, look: &Shared<Look>, signal: Signal, fate: Fate) -> Answer {
        let is_silent = fate == Fate::Refused || world.troubles.contains(&Trouble::CloudWatchSilent);
        self.answer(Question::Pins {
            time: world.time,
            look: look.clone(),
            signal,
            described: (!is_silent).then_some(world.alarm),
            sites: (world.primary_answers, !world.troubles.contains(&Trouble::DrSilent)),
            statuses: world.change_statuses(look),
        })
    }

    /// What replica-promoter asks once it has listed the zones.
    pub fn asks_for_gate(&self, world: &World, look: &Shared<Look>, signal: Signal, fate: Fate) -> Answer {
        let (time, look, mut statuses) = (world.time, look.clone(), world.change_statuses(look));
        if fate == Fate::Refused {
            statuses.fill(None);
        }
        let replicas = world.replicas(&self.setting.plan.replicas);
        self.answer(Question::Gate { time, look, signal, statuses, replicas })
    }

    /// What replica-promoter asks once it has looked at a database.
    pub fn asks_for_replica(&self, world: &World, open: &Shared<Open>, fate: Fate) -> Answer {
        let state = match fate {
            Fate::Refused => ReplicaState::Unanswered("refused".to_owned()),
            _ => world.replica_state(open.next, fate == Fate::Stale),
        };
        self.answer(Question::Replica { time: world.time, open: open.clone(), state, lag: world.lag(open.next) })
    }

    fn answer(&self, question: Question) -> Answer {
        self.answers.get(question, |question| match question {
            Question::Pins { time, look, signal, described, sites, statuses } => {
                self.decide_pins(at(*time), look, *signal, *described, *sites, statuses)
            }
            Question::Gate { time, look, signal, statuses, replicas } => {
                self.decide_gate(at(*time), look, *signal, statuses, replicas)
            }
            Question::Replica { time, open, state, lag } => self.decide_replica(at(*time), open, state, *lag),
        })
    }

    fn decide_pins(
        &self,
        now: Timestamp,
        look: &Look,
        signal: Signal,
        described: Option<(AlarmState, u8)>,
        (primary, dr): (bool, bool),
        statuses: &[Option<ChangeStatus>],
    ) -> Answer {
        let Self { rules, setting, .. } = self;
        let plan = &setting.plan;
        let told = signal.told(setting);
        let described = described.map(|(state, since)| vec![setting.sighting(state, since)]);
        let probe = |answers| if answers { Probe::Answers } else { Probe::Silent(Silence::TimedOut) };
        let seen = Observation {
            now,
            alarms: (rules.known_alarms)(plan, &told, described, now),
            probes: Probes { primary: probe(primary), dr: probe(dr) },
            names: look.names(),
            changes: changes(look, statuses),
            approval: told.approval().cloned(),
            foreign_alarm: told.is_foreign(plan),
        };
        let (mut writes, mut violation) = (Vec::new(), None);
        for view in &seen.names {
            let decision = (rules.decide_pin)(plan, &seen, view);
            self.seen.note(Row(decision.row.rule, decision.row.condition));
            let unaided = pin::decide(plan, &Observation { approval: None, ..seen.clone() }, view);
            violation = violation.or(skips_a_rule(&decision, &unaided, seen.approval.as_ref()));
            let write = (rules.write)(view, decision.row.verdict, decision.incident.as_ref(), seen.now);
            writes.extend(write.ok().flatten());
        }
        let ends_maintenance = writes
            .iter()
            .any(|write: &Write| matches!(write.register, Register::Armed { by: ArmedBy::MaintenanceEnd, .. }));
        let batches = batches(writes);
        let next = match ends_maintenance && plan.failover_health_check.is_some() && rules.enables_check {
            true => Hand::Enables(batches),
            false => Hand::writes(batches),
        };
        Answer { next, violation }
    }

    fn decide_gate(
        &self,
        now: Timestamp,
        look: &Look,
        signal: Signal,
        statuses: &[Option<ChangeStatus>],
        replicas: &Evidence,
    ) -> Answer {
        let changes = changes(look, statuses).into_iter().map(|(id, status)| (id, (self.rules.believe)(status)));
        let changes: Changes = changes.collect();
        let names = look.names();
        let gate = (self.rules.decide_gate)(&self.setting.plan, now, &names, &changes);
        self.seen.note(Row(gate.row.rule, gate.row.condition));
        let next = match (gate.row.verdict, gate.incident) {
            (Gate::RecordInSync, _) => {
                let writes = promotion::record_in_sync(&names, &changes, now, replicas);
                Hand::writes(writes.map(batches).unwrap_or_default())
            }
            (Gate::Open, Some(incident)) => {
                let (look, since) = (Shared::new(look.clone()), gate.since);
                let open = Open { look, incident, since, signal, next: 0, all_done: true };
                self.goes_on(open, now)
            }
            (Gate::Open | Gate::Closed | Gate::Wait, _) => Hand::Idle,
        };
        Answer { next, violation: None }
    }

    /// To the next database, or after the last to the end of the incident.
    fn goes_on(&self, open: Open, now: Timestamp) -> Hand {
        match open.next < self.setting.plan.replicas.len() {
            true => Hand::Opened(Shared::new(open)),
            false if open.all_done => rewrite(&open.look, |view| promotion::failed_over(view, now)),
            false => Hand::Idle,
        }
    }

    fn decide_replica(&self, now: Timestamp, open: &Open, state: &ReplicaState, lag: Option<LagSample>) -> Answer {
        let plan = &self.setting.plan;
        let (id, approval) = (plan.replicas[open.next].clone(), open.signal.approval(&self.setting));
        let replica = ReplicaView { id, state: state.clone(), lags: lag.into_iter().collect() };
        let names = open.look.names();
        let failover = Failover::of(&open.incident, open.since, &names);
        let decision = (self.rules.decide_replica)(plan, now, &failover, &replica, approval.as_ref());
        self.seen.note(Row(decision.row.rule, decision.row.condition));
        let next = match decision.row.verdict {
            // The functions go on in the same invocation; here the next one does.
            _ if !decision.to_record.is_empty() => {
                let write = promotion::put_on_record(&names, &decision.to_record);
                Hand::writes(batches(write.into_iter().collect()))
            }
            Verdict::Promote => Hand::Promotes(Shared::new(open.clone())),
            verdict => {
                let all_done = open.all_done && verdict == Verdict::Done;
                self.goes_on(Open { next: open.next + 1, all_done, ..open.clone() }, now)
            }
        };
        Answer { next, violation: None }
    }

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
            (None, _) => Hand::writes(rest),
        }
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

fn changes(look: &Look, statuses: &[Option<ChangeStatus>]) -> Changes {
    let known = look.views().zip(statuses).filter_map(|(view, status)| match view.register()? {
        Register::Pinned { spread: Spread::Change { id }, .. } => Some((id.clone(), (*status)?)),
        _ => None,
    });
    known.collect()
}

fn rewrite(look: &Look, next: impl Fn(&NameView) -> Option<Register>) -> Hand {
    let writes = look.views().filter_map(|view| Some(change::rewrite_register(view, next(view)?)));
    Hand::writes(writes.collect::<Result<_, _>>().map(batches).unwrap_or_default())
}

/// As few batches as may be.
pub fn batches(writes: Vec<Write>) -> Vec<SharedBatch> {
    change::batches(writes).into_iter().map(Shared::new).collect()
}
