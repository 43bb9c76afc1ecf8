//! A hosted zone whose control plane applies a batch whole or not at all, and within its quotas; and what else is asked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::future::pending;

use alarm_handler::handler::Calls;
use aws::CallError;
use aws::beside::Nothing;
use aws::cloudwatch::AlarmReader;
use aws::probe::Prober;
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState};
use failover::name::Name;
use failover::observation::{ChangeStatus, Probe};
use failover::outcome::Outcome;
use failover::plan::{Names, Plan, alarm_name, arn_region};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Memory, Reading, Register, Ttl};
use failover::signal::Signal;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:holdfast-failover-started";
pub const PRIMARY: &str = "192.0.2.1";
pub const DR: &str = "198.51.100.1";

type Identity = (String, String, Option<String>);

fn identity(set: &RecordSet) -> Identity {
    let identifier = match &set.routing {
        Routing::Failover { set_identifier, .. } => Some(set_identifier.clone()),
        Routing::Simple | Routing::Other => None,
    };
    (set.name.as_str().to_owned(), set.kind.clone(), identifier)
}

pub fn values(value: &str) -> Target {
    Target::Values { ttl_seconds: 60, values: vec![value.to_owned()] }
}

fn half(name: &Name, role: Role, target: &str) -> RecordSet {
    RecordSet {
        name: name.clone(),
        kind: "A".to_owned(),
        routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
        target: values(target),
        health_check: (role == Role::Primary).then(|| "hc-1".to_owned()),
    }
}

pub fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

/// A name of the zone.
pub fn nth(nth: usize) -> Name {
    format!("n{nth:05}.example.com").parse().unwrap()
}

/// What the control plane will not take, whoever asks.
#[derive(Clone, Debug, Default)]
pub enum Refuses {
    #[default]
    Nothing,
    /// "Any request … that would change the record set fails" (record set protections).
    Protected(BTreeSet<Name>),
    /// A role that lacks the right to write records of these names.
    Denied(BTreeSet<Name>),
    /// An account that asks too much.
    Throttled,
}

/// The zone, its alarm, and what befalls whoever writes.
pub struct Zone {
    pub records: RefCell<HashMap<Identity, RecordSet>>,
    /// How often each name's PRIMARY record was moved.
    pub moves: RefCell<HashMap<String, u32>>,
    /// How many batches were taken, and how many were sent.
    pub batches: Cell<usize>,
    pub sent: Cell<usize>,
    /// The batch after whose effect the invocation dies.
    fatal: Cell<Option<usize>>,
    pub refuses: RefCell<Refuses>,
    /// What somebody else writes just before the next batch arrives.
    pub overtaken_by: RefCell<Vec<RecordSet>>,
    pub alarm: Cell<(AlarmState, Timestamp)>,
    pub now: Cell<Timestamp>,
    /// How many seconds a write takes.
    pub write_seconds: Cell<i64>,
    /// The plan's mode, and whether it rehearses.
    pub mode: Cell<(&'static str, bool)>,
    /// Other alarms that the plan names, as it names them.
    pub more: Cell<&'static str>,
    /// The region in which CloudWatch does not answer.
    pub silent_region: Cell<Option<&'static str>>,
    /// Each call: when it was made, and what for.
    pub calls: RefCell<Vec<(Timestamp, String)>>,
}

impl Zone {
    /// Armed names whose alarm rings.
    pub fn new(names: usize) -> Self {
        let zone = Self::unarmed(names);
        let memory = Memory { ttl: Some(Ttl { seconds: 60, longer: None }), ..Memory::default() };
        let armed = Register::armed(noon() - SignedDuration::from_hours(24), ArmedBy::Settling).remembering(memory);
        (0..names).for_each(|n| zone.put(armed.record_set(&nth(n)).unwrap()));
        zone.alarm.set((AlarmState::Alarm, noon()));
        zone
    }

    /// Names that were never armed, and whose alarm has been OK for a day.
    pub fn unarmed(names: usize) -> Self {
        let quiet = (AlarmState::Ok, noon() - SignedDuration::from_hours(24));
        let zone = Self {
            records: RefCell::default(),
            moves: RefCell::default(),
            batches: Cell::default(),
            sent: Cell::default(),
            fatal: Cell::default(),
            refuses: RefCell::default(),
            overtaken_by: RefCell::default(),
            alarm: Cell::new(quiet),
            now: Cell::new(noon()),
            write_seconds: Cell::default(),
            mode: Cell::new(("automatic", true)),
            more: Cell::new(""),
            silent_region: Cell::default(),
            calls: RefCell::default(),
        };
        for name in (0..names).map(nth) {
            zone.put(half(&name, Role::Primary, PRIMARY));
            zone.put(half(&name, Role::Secondary, DR));
        }
        zone
    }

    /// Writes a record set as a person would.
    pub fn put(&self, set: RecordSet) {
        self.records.borrow_mut().insert(identity(&set), set);
    }

    /// Runs alarm-handler's tick a minute later, until it returns.
    pub fn tick(&self) -> Outcome {
        self.tick_that_dies(None).unwrap()
    }

    /// Runs alarm-handler's tick until it returns, or dies after its batch number `fatal`.
    pub fn tick_that_dies(&self, fatal: Option<usize>) -> Option<Outcome> {
        self.now.set(self.now.get() + SignedDuration::from_mins(1));
        self.fatal.set(fatal.map(|nth| self.batches.get() + nth));
        self.hears(Signal::Tick)
    }

    /// The alarm's own event.
    pub fn event(&self) -> Signal {
        Signal::Alarm(self.sighting())
    }

    fn sighting(&self) -> AlarmSighting {
        let name = "holdfast-failover-started".to_owned();
        let (state, since) = self.alarm.get();
        AlarmSighting { arn: ALARM.to_owned(), name, state, since, trouble: None }
    }

    fn log(&self, call: String) {
        self.calls.borrow_mut().push((self.now.get(), call));
    }

    /// Runs alarm-handler now.
    pub fn hears(&self, signal: Signal) -> Option<Outcome> {
        let calls = Calls { reader: self, writer: self, alarms: self, prober: self, beside: Nothing };
        let ((mode, rehearse), more) = (self.mode.get(), self.more.get());
        let plan = format!(
            r#"{{"mode":"{mode}","rehearse":{rehearse},"zones":[{{"id":"Z1","names":["ALL"]}}],"alarms":["{ALARM}"],{more}"limits":{{"lag_seconds_max":60,
            "settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}}}"#
        );
        calls.handle(&Plan::parse(&plan).unwrap(), signal).now_or_never().map(Result::unwrap)
    }

    pub fn register(&self, name: &Name) -> Option<Register> {
        let set = self.records.borrow().get(&(name.register().as_str().to_owned(), "TXT".to_owned(), None)).cloned();
        Reading::of_name(name, &[set?]).register().cloned()
    }

    pub fn registers(&self) -> Vec<Register> {
        let records = self.records.borrow();
        let of = |set: &RecordSet| {
            Reading::of_name(&set.name.protected_by_register()?, std::slice::from_ref(set)).register().cloned()
        };
        records.values().filter_map(of).collect()
    }

    pub fn is_pinned(&self, name: &Name) -> bool {
        let set = half(name, Role::Primary, DR);
        let is_on_dr = self.records.borrow().get(&identity(&set)) == Some(&set);
        is_on_dr && matches!(self.register(name), Some(Register::Pinned { .. }))
    }

    fn refusal(&self, batch: &Batch) -> Option<CallError> {
        let refused = |code: &str, message: String| {
            Some(CallError::Refused { call: "ChangeResourceRecordSets", code: code.to_owned(), message })
        };
        let named = |names: &BTreeSet<Name>| {
            let hit = |change: &Change| {
                let (Change::Delete(set) | Change::Create(set)) = change;
                names.contains(&set.name)
            };
            batch.changes().find(|change| hit(change)).cloned()
        };
        match &*self.refuses.borrow() {
            Refuses::Nothing => None,
            Refuses::Protected(names) => named(names).and_then(|change| {
                let (Change::Delete(set) | Change::Create(set)) = change;
                refused("InvalidChangeBatch", format!("[{} {} is protected: ask kim]", set.name, set.kind))
            }),
            Refuses::Denied(names) => named(names)
                .and_then(|_| refused("AccessDenied", "no identity-based policy allows the action".to_owned())),
            Refuses::Throttled => refused("Throttling", "Rate exceeded".to_owned()),
        }
    }

    /// Applies a batch, whole or not at all.
    fn apply(&self, batch: &Batch) -> Result<(), CallError> {
        let (mut elements, mut characters) = (0, 0);
        let mut records = self.records.borrow_mut();
        let mut before = Vec::new();
        for change in batch.changes() {
            let (Change::Delete(set) | Change::Create(set)) = change;
            let Target::Values { values, .. } = &set.target else { panic!("there are no aliases here") };
            elements += values.len();
            characters += values.iter().map(String::len).sum::<usize>();
            let (was, fits) = match change {
                Change::Delete(set) => (records.remove(&identity(set)), true),
                Change::Create(set) => (None, records.insert(identity(set), set.clone()).is_none()),
            };
            let fits = fits && (matches!(change, Change::Create(_)) || was.as_ref() == Some(set));
            before.push((identity(set), was));
            if !fits {
                before.into_iter().rev().for_each(|(identity, was)| match was {
                    Some(set) => drop(records.insert(identity, set)),
                    None => drop(records.remove(&identity)),
                });
                let (code, message) = ("InvalidChangeBatch".to_owned(), set.name.to_string());
                return Err(CallError::Refused { call: "ChangeResourceRecordSets", code, message });
            }
        }
        for (id, was) in before.iter().filter_map(|(id, was)| Some((id, was.as_ref()?))) {
            let is_moved = records.get(id).is_some_and(|now| now.target != was.target);
            if matches!(was.routing, Routing::Failover { .. }) && is_moved {
                *self.moves.borrow_mut().entry(was.name.to_string()).or_default() += 1;
            }
        }
        // "1,000 ResourceRecord elements", "32,000 characters" (Route 53 developer guide, "Quotas").
        assert!(elements <= 1_000 && characters <= 32_000, "{elements} elements, {characters} characters");
        self.batches.set(self.batches.get() + 1);
        Ok(())
    }
}

impl RecordReader for &Zone {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        self.log("list".to_owned());
        Ok(self.records.borrow().values().cloned().collect())
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::Pending)
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn wait(&self, seconds: u32) {
        self.now.set(self.now.get() + SignedDuration::from_secs(seconds.into()));
    }
}

impl RecordWriter for &Zone {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        self.log(if batch.changes_records() { "write records" } else { "write registers" }.to_owned());
        self.sent.set(self.sent.get() + 1);
        self.now.set(self.now.get() + SignedDuration::from_secs(self.write_seconds.get()));
        self.overtaken_by.take().into_iter().for_each(|set| self.put(set));
        if let Some(refusal) = self.refusal(batch) {
            return Err(refusal);
        }
        self.apply(batch)?;
        if self.fatal.get() == Some(self.batches.get()) {
            pending::<()>().await;
        }
        Ok(format!("C{}", self.batches.get()))
    }
}

impl HealthCheckWriter for &Zone {
    async fn set_disabled(&self, _: &str, _: bool) -> Result<(), CallError> {
        panic!("there is no maintenance here")
    }
}

impl AlarmReader for &Zone {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let names: Vec<_> = arns.iter().filter_map(|arn| alarm_name(arn)).collect();
        self.log(format!("alarms {}", names.join(" ")));
        if self.silent_region.get().is_some_and(|silent| arns.iter().any(|arn| arn_region(arn) == Some(silent))) {
            return Err(CallError::Unanswered { call: "DescribeAlarms", why: "no answer came in time".to_owned() });
        }
        let well = |arn: &String| AlarmSighting {
            arn: arn.clone(),
            name: alarm_name(arn).unwrap().to_owned(),
            state: AlarmState::Ok,
            since: noon() - SignedDuration::from_hours(24),
            trouble: None,
        };
        Ok(arns.iter().map(|arn| if arn == ALARM { self.sighting() } else { well(arn) }).collect())
    }
}

impl Prober for &Zone {
    async fn probe(&self, _: Option<&str>) -> Probe {
        Probe::NotAsked
    }
}
