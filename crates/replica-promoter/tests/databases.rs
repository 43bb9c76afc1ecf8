//! What becomes of databases: nothing is called failed over without evidence, and what would stop a failover is told in peace.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

use std::cell::{Cell, RefCell};

use aws::CallError;
use aws::beside::Nothing;
use aws::cloudwatch::LagReader;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{RecordReader, RecordWriter};
use failover::change::{Batch, Change};
use failover::incident::Approval;
use failover::name::Name;
use failover::observation::{Attention, ChangeStatus, NameView};
use failover::outcome::{Kind, Outcome};
use failover::plan::{Names, Plan, ReplicaId};
use failover::promotion::{Database, Instances, LagSample, ReplicaState, Source};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Evidence, Pin, Register, Spread};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};
use replica_promoter::event::Signal;
use replica_promoter::handler::Calls;

const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],"rds_instances":["orders-dr"],
    "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],"limits":{"lag_seconds_max":60,"settle_seconds":900,
    "cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

/// One name, one database, and all that was done to them.
struct World {
    sets: RefCell<Vec<RecordSet>>,
    database: RefCell<ReplicaState>,
    /// The newest sample: seconds behind, and how old it is.
    lag: Cell<(u64, SignedDuration)>,
    done: RefCell<Vec<String>>,
}

fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().unwrap()
}

fn name() -> Name {
    "app.example.com".parse().unwrap()
}

fn orders_dr() -> ReplicaId {
    ReplicaId::RdsInstance("orders-dr".to_owned())
}

fn pin(evidence: Evidence) -> Pin {
    let target = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
    let incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
    Pin { evidence, ..Pin::new(at("12:01:00"), incident, [("A".to_owned(), target)].into()) }
}

fn pinned(evidence: Evidence, spread: Spread) -> Register {
    Register::Pinned { pin: pin(evidence), spread }
}

fn drained(evidence: Evidence) -> Register {
    pinned(evidence, Spread::InSync { at: at("12:02:00") })
}

fn database(source: Source) -> ReplicaState {
    ReplicaState::Present(Database {
        status: "available".to_owned(),
        source,
        instances: Instances::Writer,
        created: Some(at("00:00:00")),
        engine: "mysql".to_owned(),
        members: Vec::new(),
    })
}

fn replica() -> ReplicaState {
    database(Source::ReplicaOf("arn:aws:rds:us-east-1:1:cluster:orders".to_owned()))
}

impl World {
    fn new(register: &Register, database: ReplicaState) -> Self {
        let is_home = register.pin().is_none();
        let half = |role: Role| RecordSet {
            name: name(),
            kind: "A".to_owned(),
            target: Target::Values {
                ttl_seconds: 60,
                values: vec![if role == Role::Primary && is_home { "192.0.2.1" } else { "198.51.100.1" }.to_owned()],
            },
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            health_check: (role == Role::Primary).then(|| "hc".to_owned()),
        };
        let sets = vec![half(Role::Primary), half(Role::Secondary), register.record_set(&name()).unwrap()];
        let (sets, database) = (RefCell::new(sets), RefCell::new(database));
        Self { sets, database, lag: Cell::new((1, SignedDuration::ZERO)), done: RefCell::default() }
    }

    async fn hears(&self, signal: Signal) -> Outcome {
        let calls =
            Calls { records: self, registers: self, replicas: self, promoter: self, lag: self, beside: Nothing };
        calls.handle(&Plan::parse(PLAN).unwrap(), signal).await.unwrap()
    }

    async fn tick(&self) -> Outcome {
        self.hears(Signal::Tick).await
    }

    fn register(&self) -> Register {
        NameView::of_name("Z1", &name(), &self.sets.borrow()).register().unwrap().clone()
    }

    fn done(&self) -> Vec<String> {
        self.done.take()
    }
}

impl RecordReader for &World {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        Ok(self.sets.borrow().clone())
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::InSync)
    }

    fn now(&self) -> Timestamp {
        at("12:30:00")
    }
}

impl RecordWriter for &World {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        let mut sets = self.sets.borrow_mut();
        for change in batch.changes() {
            match change {
                Change::Delete(set) => sets.retain(|known| known != set),
                Change::Create(set) => sets.push(set.clone()),
            }
        }
        self.done.borrow_mut().push("write".to_owned());
        Ok("C1".to_owned())
    }
}

impl ReplicaReader for &World {
    async fn state(&self, _: &ReplicaId) -> Result<ReplicaState, CallError> {
        Ok(self.database.borrow().clone())
    }
}

impl ReplicaWriter for &World {
    async fn promote(&self, _: &ReplicaId) -> Result<(), CallError> {
        self.done.borrow_mut().push("promote".to_owned());
        *self.database.borrow_mut() = database(Source::NoneNamed);
        Ok(())
    }
}

impl LagReader for &World {
    async fn good_lags(
        &self,
        _: &ReplicaId,
        _: &[String],
        _: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<LagSample>, CallError> {
        let (seconds, age) = self.lag.get();
        Ok(vec![LagSample { seconds, at: to - age }])
    }
}

#[tokio::test]
async fn a_database_that_nobody_saw_as_a_replica_is_never_called_failed_over() {
    for source in [Source::NoneNamed, Source::MemberOf("orders".to_owned()), Source::Global("world".to_owned())] {
        let world = World::new(&drained(Evidence::default()), database(source.clone()));
        for _ in 0..3 {
            let outcome = world.tick().await;
            assert!(matches!(outcome.outcome, Kind::ApprovalNeeded | Kind::DatabaseTrouble), "{source}: {outcome:?}");
            assert_eq!(outcome.attention, Attention::Page, "{source}");
        }
        assert_eq!(world.done(), [""; 0], "{source}");
    }
}

#[tokio::test]
async fn a_replica_of_whatever_source_is_promoted_and_then_the_incident_is_closed() {
    let world = World::new(&drained(Evidence::replica(orders_dr())), replica());
    assert_eq!(world.tick().await.outcome, Kind::PromotionRequested);
    assert_eq!(world.done(), ["promote"]);
    assert_eq!(world.tick().await.outcome, Kind::FailedOver);
    assert!(matches!(world.register(), Register::FailedOver { .. }));
}

#[tokio::test]
async fn what_is_a_replica_when_the_pin_arrives_is_on_record_in_the_same_write() {
    let world = World::new(&pinned(Evidence::default(), Spread::Change { id: "C1".to_owned() }), replica());
    assert_eq!(world.tick().await.outcome, Kind::InSync);
    assert_eq!(world.done(), ["write"]);
    assert_eq!(world.register().pin().unwrap().evidence, Evidence::replica(orders_dr()));
}

#[tokio::test]
async fn what_is_not_on_record_is_put_on_record_before_it_is_promoted() {
    let world = World::new(&drained(Evidence::default()), replica());
    assert_eq!(world.tick().await.outcome, Kind::PromotionRequested);
    assert_eq!(world.done(), ["write", "promote"]);
    assert_eq!(world.register().pin().unwrap().evidence, Evidence::replica(orders_dr()));
    assert_eq!(world.tick().await.outcome, Kind::FailedOver);
}

#[tokio::test]
async fn a_person_vouches_for_a_writer_once() {
    let world = World::new(&drained(Evidence::default()), database(Source::NoneNamed));
    let asked = world.tick().await;
    assert_eq!((asked.rule(), asked.despite), (Some(Rule::R09), [Rule::R09].into()));
    let incident = pin(Evidence::default()).incident;
    let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: [Rule::R09].into() };
    let answer = world.hears(Signal::Approval(approval)).await;
    assert!(answer.attention > Attention::None, "whoever approves is told: {answer:?}");
    assert_eq!(world.register().pin().unwrap().evidence, Evidence::accepted(orders_dr()));
    assert_eq!(world.tick().await.outcome, Kind::FailedOver);
}

#[tokio::test]
async fn a_database_that_still_replicates_after_the_failover_is_a_page_and_nothing_else() {
    let over = Register::FailedOver { at: at("12:10:00"), pin: pin(Evidence::replica(orders_dr())) };
    let world = World::new(&over, replica());
    let outcome = world.tick().await;
    assert_eq!((outcome.outcome, outcome.attention), (Kind::DatabaseTrouble, Attention::Page));
    assert!(outcome.because.contains("still replicates"), "{outcome:?}");
    assert_eq!(world.done(), [""; 0]);
    *world.database.borrow_mut() = database(Source::NoneNamed);
    assert_eq!(world.tick().await.outcome, Kind::Nothing);
}

#[tokio::test]
async fn in_peace_a_database_that_would_stop_a_failover_is_a_page_and_one_that_would_not_is_none() {
    let armed = Register::armed(at("00:00:00"), ArmedBy::Settling);
    let world = World::new(&armed, replica());
    assert_eq!((world.tick().await.outcome, world.done().len()), (Kind::Nothing, 0));
    for (state, rule) in [
        (ReplicaState::Missing, Rule::R03),
        (database(Source::MemberOf("orders".to_owned())), Rule::R03),
        (database(Source::NoneNamed), Rule::R09),
    ] {
        *world.database.borrow_mut() = state;
        let outcome = world.tick().await;
        assert_eq!(
            (outcome.outcome, outcome.rule(), outcome.attention),
            (Kind::DatabaseTrouble, Some(rule), Attention::Page)
        );
        assert_eq!(outcome.incident, None);
    }
    world.lag.set((1, SignedDuration::from_mins(10)));
    for state in [ReplicaState::Missing, database(Source::NoneNamed)] {
        *world.database.borrow_mut() = state;
        let outcome = world.tick().await;
        assert_eq!(outcome.since, Some(at("12:20:00")), "people are told of the last sample: {outcome:?}");
    }
    *world.database.borrow_mut() = replica();
    world.lag.set((4_000, SignedDuration::ZERO));
    assert_eq!(world.tick().await.rule(), Some(Rule::R07));

    let quiet = World::new(&Register::disarmed(at("00:00:00"), "kim".to_owned()), ReplicaState::Missing);
    assert_eq!(quiet.tick().await.outcome, Kind::Nothing, "people switched it off");
}
