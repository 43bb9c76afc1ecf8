//! What the functions ask of the decisions that ship, and what follows from the answers.

use failover::change::{self, Write};
use failover::incident::{AlarmSighting, AlarmState, EvaluationTrouble};
use failover::observation::{Attention, ChangeStatus, Changes, NameView, Probe, Probes, Silence, Targets};
use failover::pin::{self, Observation};
use failover::promotion::{self, Failover, Gate, LagSample, ReplicaState, ReplicaView, Verdict};
use failover::register::{ArmedBy, Evidence, Register, Spread};
use jiff::Timestamp;

use crate::hands::{Fate, Hand, Look, Open, Signal, batches};
use crate::setting::at;
use crate::shared::Shared;
use crate::steps::Holdfast;
use crate::watch::{Violation, skips_a_rule};
use crate::world::{Trouble, World};

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
        described: Option<Described>,
        /// What our own looks at the sites came to.
        probes: Probes,
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

/// What CloudWatch says of the alarm: its state, since which step, and whether it can be evaluated; nothing if it has none.
pub type Described = Option<(AlarmState, u8, bool)>;

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
        let has = |trouble| world.troubles.contains(&trouble);
        let is_silent = fate == Fate::Refused || has(Trouble::CloudWatchSilent);
        let alarm = (world.alarm.0, world.alarm.1, !has(Trouble::AlarmUnevaluated));
        let silent = Probe::Silent(Silence::TimedOut);
        let primary = match world.primary_answers {
            _ if has(Trouble::PrimaryUnclear) => Probe::Refused(403),
            true if !has(Trouble::PrimaryHidden) => Probe::Answers,
            _ => silent,
        };
        let dr = match () {
            () if has(Trouble::DrUnclear) => Probe::Refused(403),
            () if has(Trouble::DrSilent) => silent,
            () => Probe::Answers,
        };
        let targets = match () {
            () if has(Trouble::TargetsTooFew) => Targets::TooFew,
            () if has(Trouble::TargetsUnknown) => Targets::NoAlarm,
            () => Targets::Healthy,
        };
        self.answer(Question::Pins {
            time: world.time,
            look: look.clone(),
            signal,
            described: (!is_silent).then_some((!has(Trouble::AlarmGone)).then_some(alarm)),
            probes: Probes { primary, dr, targets },
            statuses: world.change_statuses(look),
        })
    }

    /// Whether what the tick would decide now tells of every armed name whose alarm is not there.
    pub fn is_told_of_unguarded_names(&self, world: &World) -> bool {
        let look = Shared::new(world.look(false));
        self.asks_for_pins(world, &look, Signal::Tick, Fate::Answered).violation != Some(Violation::Unguarded)
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
            Question::Pins { time, look, signal, described, probes, statuses } => {
                self.decide_pins(at(*time), look, *signal, *described, *probes, statuses)
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
        described: Option<Described>,
        probes: Probes,
        statuses: &[Option<ChangeStatus>],
    ) -> Answer {
        let Self { rules, setting, .. } = self;
        let plan = &setting.plan;
        let told = signal.told(setting);
        let sighting = |(state, since, is_evaluated): (AlarmState, u8, bool)| AlarmSighting {
            trouble: (!is_evaluated).then_some(EvaluationTrouble::Failure),
            ..setting.sighting(state, since)
        };
        let is_gone = described == Some(None);
        let described = described.map(|alarm| alarm.map(sighting).into_iter().collect());
        let seen = Observation {
            now,
            alarms: (rules.known_alarms)(plan, &told, described, now),
            probes,
            names: look.names(),
            changes: changes(look, statuses),
            approval: told.approval().cloned(),
            hold: None,
            latch: failover::latch::Reading::NoStore,
            source: failover::listing::Source::Listed,
            foreign_alarm: told.is_foreign(plan),
        };
        let (mut writes, mut violation) = (Vec::new(), None);
        for view in &seen.names {
            let decision = (rules.decide_pin)(plan, &seen, view);
            self.seen.note(decision.row.id);
            let unaided = pin::decide(plan, &Observation { approval: None, ..seen.clone() }, view);
            violation = violation.or(skips_a_rule(&decision, &unaided, seen.approval.as_ref()));
            // What rings is known of from elsewhere, if the alarm is not there: an event, or a pin.
            let is_unguarded = is_gone
                && matches!(view.register(), Some(Register::Armed { .. }))
                && seen.committed().is_empty()
                && !seen.alarms.iter().flatten().any(|alarm| alarm.state == AlarmState::Alarm);
            let is_told = decision.row.attention == Attention::Page || seen.foreign_alarm;
            violation = violation.or((is_unguarded && !is_told).then_some(Violation::Unguarded));
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
        self.seen.note(gate.row.id);
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
    pub fn goes_on(&self, open: Open, now: Timestamp) -> Hand {
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
        self.seen.note(decision.row.id);
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
