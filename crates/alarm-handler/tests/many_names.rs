//! Ten thousand names, which is what a hosted zone holds: within Route 53's quotas, over a death in between.
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::pending;

use alarm_handler::handler::Calls;
use aws::CallError;
use aws::cloudwatch::AlarmReader;
use aws::probe::Prober;
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState};
use failover::name::Name;
use failover::observation::{ChangeStatus, Probe};
use failover::outcome::{Kind, Outcome};
use failover::plan::{Names, Plan};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Reading, Register, Spread};
use failover::signal::Signal;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

/// "A hosted zone can have 10,000 records" by default; of pairs and registers that is three times as many.
const NAMES: usize = 10_000;
const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:holdfast-failover-started";
const PRIMARY: &str = "192.0.2.1";
const DR: &str = "198.51.100.1";

type Identity = (String, String, Option<String>);

fn identity(set: &RecordSet) -> Identity {
    let identifier = match &set.routing {
        Routing::Failover { set_identifier, .. } => Some(set_identifier.clone()),
        Routing::Simple | Routing::Other => None,
    };
    (set.name.as_str().to_owned(), set.kind.clone(), identifier)
}

/// A zone whose control plane applies a batch whole or not at all, and within its quotas.
struct Zone {
    records: RefCell<HashMap<Identity, RecordSet>>,
    /// How often each name's PRIMARY record was moved.
    moves: RefCell<HashMap<String, u32>>,
    batches: Cell<usize>,
    /// The batch after whose effect the invocation dies.
    fatal: Cell<Option<usize>>,
    now: Cell<Timestamp>,
}

fn values(value: &str) -> Target {
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

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

impl Zone {
    fn new() -> Self {
        let armed = Register::Armed { since: noon() - SignedDuration::from_hours(24), by: ArmedBy::Settling };
        let sets = (0..NAMES).flat_map(|nth| {
            let name: Name = format!("n{nth:05}.example.com").parse().unwrap();
            let register = armed.record_set(&name).unwrap();
            [half(&name, Role::Primary, PRIMARY), half(&name, Role::Secondary, DR), register]
        });
        let records = sets.map(|set| (identity(&set), set)).collect();
        let (moves, batches, fatal) = Default::default();
        Self { records: RefCell::new(records), moves, batches, fatal, now: Cell::new(noon()) }
    }

    /// Runs alarm-handler's tick until it returns, or dies after its batch number `fatal`.
    fn tick(&self, fatal: Option<usize>) -> Option<Outcome> {
        self.now.set(self.now.get() + SignedDuration::from_mins(1));
        self.fatal.set(fatal.map(|nth| self.batches.get() + nth));
        let calls = Calls { reader: self, writer: self, alarms: self, prober: self };
        let plan = format!(
            r#"{{"mode":"automatic","zones":[{{"id":"Z1","names":["ALL"]}}],"alarms":["{ALARM}"],"limits":{{"lag_seconds_max":60,
            "settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}}}"#
        );
        calls.handle(&Plan::parse(&plan).unwrap(), Signal::Tick).now_or_never().map(Result::unwrap)
    }

    fn registers(&self) -> Vec<Register> {
        let records = self.records.borrow();
        let of = |set: &RecordSet| {
            Reading::of_name(&set.name.protected_by_register()?, std::slice::from_ref(set)).register().cloned()
        };
        records.values().filter_map(of).collect()
    }
}

impl RecordReader for &Zone {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        Ok(self.records.borrow().values().cloned().collect())
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::Pending)
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }
}

impl Zone {
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
            let fits = fits && was.as_ref().is_none_or(|was| was == set);
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
        for (_, set) in before.iter().filter_map(|(id, was)| Some((id, was.as_ref()?))) {
            if matches!(set.routing, Routing::Failover { .. }) && set.target == values(PRIMARY) {
                *self.moves.borrow_mut().entry(set.name.to_string()).or_default() += 1;
            }
        }
        // "1,000 ResourceRecord elements", "32,000 characters" (Route 53 developer guide, "Quotas").
        assert!(elements <= 1_000 && characters <= 32_000, "{elements} elements, {characters} characters");
        self.batches.set(self.batches.get() + 1);
        Ok(())
    }
}

impl RecordWriter for &Zone {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
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
    async fn alarms(&self, _: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let name = "holdfast-failover-started".to_owned();
        Ok(vec![AlarmSighting { arn: ALARM.to_owned(), name, state: AlarmState::Alarm, since: noon() }])
    }
}

impl Prober for &Zone {
    async fn probe(&self, _: Option<&str>) -> Probe {
        Probe::NotAsked
    }
}

#[test]
fn ten_thousand_names_are_pinned_once_each_though_an_invocation_dies_in_the_middle() {
    let zone = Zone::new();
    assert_eq!(zone.tick(Some(40)), None, "it died");
    let is_pinned = |register: &Register| matches!(register, Register::Pinned { .. });
    let half_way = zone.registers().iter().filter(|register| is_pinned(register)).count();
    assert!((2_000..8_000).contains(&half_way), "{half_way} were pinned by then");

    // The next dies while it puts the changes on record; those after it go on from what they find.
    assert_eq!(zone.tick(Some(60)), None);
    assert!(zone.registers().iter().all(is_pinned));
    let outcomes: Vec<_> = (0..5).filter_map(|_| zone.tick(None)).collect();
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.outcome).collect();
    assert!(kinds.contains(&Kind::Confirmed), "pins whose change nobody recorded are written once more: {kinds:?}");
    assert!(outcomes.iter().all(|outcome| serde_json::to_string(outcome).unwrap().len() < 200_000));

    let on_record = |register: &Register| matches!(register, Register::Pinned { spread: Spread::Change { .. }, .. });
    assert!(zone.registers().iter().all(on_record), "{} registers", zone.registers().len());
    let restorable = |register: &Register| register.pin().is_some_and(|pin| pin.original["A"] == values(PRIMARY));
    assert!(zone.registers().iter().all(restorable), "each register keeps what the PRIMARY record said");
    let moves = zone.moves.borrow();
    assert!(moves.len() == NAMES && moves.values().all(|times| *times == 1), "each record is moved once");
    assert!(zone.records.borrow().values().filter(|set| set.kind == "A").all(|set| set.target == values(DR)));
}

#[test]
fn ten_thousand_names_take_no_more_batches_than_their_characters_need() {
    let zone = Zone::new();
    let outcome = zone.tick(None).unwrap();
    assert_eq!((outcome.outcome, outcome.subject_count(), outcome.subjects.len()), (Kind::Pinned, NAMES, 100));
    let moves = zone.moves.borrow();
    assert!(moves.values().all(|times| *times == 1), "each record is moved once");
    // What is deleted and created of one name: two registers, two addresses. Afterwards two registers of some more.
    let characters = NAMES * (51 + 200 + PRIMARY.len() + DR.len() + 2 * 200);
    let floor = characters / 32_000;
    assert!(zone.batches.get() <= floor * 12 / 10, "{} batches, where {floor} hold it all", zone.batches.get());
}
