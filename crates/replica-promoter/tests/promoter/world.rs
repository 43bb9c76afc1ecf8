//! One name and one database, on a clock that goes only while somebody waits.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use aws::CallError;
use aws::cloudwatch::{LagOf, LagReader};
use aws::dns::{NameServers, NotHeard, Server, ServersUnknown};
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{RecordReader, RecordWriter};
use aws::store::{Item, StoreReader, StoreWriter, Swap};
use failover::change::{Batch, Change};
use failover::latch::Latch;
use failover::name::Name;
use failover::observation::{ChangeStatus, NameView};
use failover::outcome::Outcome;
use failover::plan::{Names, Plan, ReplicaId};
use failover::promotion::{Database, Instances, LagSample, PromotionCall, ReplicaState, Source};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{Evidence, Pin, Register, Spread};
use jiff::{SignedDuration, Timestamp};
use replica_promoter::event::Signal;
use replica_promoter::handler::Calls;

pub const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],"rds_instances":["orders-dr"],
    "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],"limits":{"lag_seconds_max":60,"settle_seconds":900,
    "cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

/// One name, one database, and all that was done to them.
pub struct World {
    sets: RefCell<Vec<RecordSet>>,
    pub database: RefCell<ReplicaState>,
    /// The newest sample: seconds behind, and how old it is.
    pub lag: Cell<(u64, SignedDuration)>,
    pub now: Cell<Timestamp>,
    /// When Route 53 says that a change has arrived.
    pub arrives_at: Cell<Timestamp>,
    /// When what was promoted takes writes.
    pub available_at: Cell<Timestamp>,
    /// Whether name servers answer.
    pub has_name_servers: Cell<bool>,
    /// The latch, where the plan names a store.
    pub latch: RefCell<Option<Latch>>,
    /// When the records were listed.
    pub listed: RefCell<Vec<String>>,
    /// How often anybody was asked for anything.
    pub calls: Cell<usize>,
    done: RefCell<Vec<String>>,
}

pub fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().unwrap()
}

pub fn name() -> Name {
    "app.example.com".parse().unwrap()
}

pub fn orders_dr() -> ReplicaId {
    ReplicaId::RdsInstance("orders-dr".to_owned())
}

pub fn pin(evidence: Evidence) -> Pin {
    let target = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
    let incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
    Pin { evidence, ..Pin::new(at("12:01:00"), incident, [("A".to_owned(), target)].into()) }
}

pub fn pinned(evidence: Evidence, spread: Spread) -> Register {
    Register::Pinned { pin: pin(evidence), spread }
}

pub fn drained(evidence: Evidence) -> Register {
    pinned(evidence, Spread::InSync { at: at("12:02:00") })
}

pub fn database(source: Source) -> ReplicaState {
    ReplicaState::Present(Database {
        status: "available".to_owned(),
        source,
        instances: Instances::Writer,
        created: Some(at("00:00:00")),
        engine: "mysql".to_owned(),
        members: Vec::new(),
    })
}

pub fn replica() -> ReplicaState {
    database(Source::ReplicaOf("arn:aws:rds:us-east-1:1:cluster:orders".to_owned()))
}

impl World {
    pub fn new(register: &Register, database: ReplicaState) -> Self {
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
        Self {
            sets,
            database,
            lag: Cell::new((1, SignedDuration::ZERO)),
            now: Cell::new(at("12:30:00")),
            arrives_at: Cell::new(Timestamp::MIN),
            available_at: Cell::new(Timestamp::MIN),
            has_name_servers: Cell::new(false),
            latch: RefCell::default(),
            listed: RefCell::default(),
            calls: Cell::new(0),
            done: RefCell::default(),
        }
    }

    pub async fn hears(&self, signal: Signal) -> Outcome {
        let calls = Calls { records: self, registers: self, replicas: self, promoter: self, lag: self, beside: self };
        let with_store = PLAN.replacen('{', r#"{"latch":{"table":"holdfast"},"#, 1);
        let plan = if self.latch.borrow().is_some() { &with_store } else { PLAN };
        calls.handle(&Plan::parse(plan).unwrap(), signal).await.unwrap()
    }

    pub async fn tick(&self) -> Outcome {
        self.hears(Signal::Tick { lists: false }).await
    }

    pub fn register(&self) -> Register {
        NameView::of_name("Z1", &name(), &self.sets.borrow()).register().unwrap().clone()
    }

    pub fn done(&self) -> Vec<String> {
        self.done.take()
    }

    fn count(&self) {
        self.calls.set(self.calls.get() + 1);
    }
}

impl RecordReader for &World {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        self.count();
        self.listed.borrow_mut().push(self.now.get().strftime("%T").to_string());
        Ok(self.sets.borrow().clone())
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        self.count();
        Ok(if self.now.get() >= self.arrives_at.get() { ChangeStatus::InSync } else { ChangeStatus::Pending })
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn wait(&self, seconds: u32) {
        self.now.set(self.now.get() + SignedDuration::from_secs(seconds.into()));
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
        self.count();
        let is_on_its_way = self.now.get() < self.available_at.get();
        Ok(match self.database.borrow().clone() {
            ReplicaState::Present(database) if is_on_its_way && database.source == Source::NoneNamed => {
                ReplicaState::Present(Database { status: "rebooting".to_owned(), ..database })
            }
            state => state,
        })
    }
}

impl ReplicaWriter for &World {
    async fn promote(&self, _: &PromotionCall) -> Result<(), CallError> {
        self.done.borrow_mut().push(format!("promote at {}", self.now.get().strftime("%T")));
        *self.database.borrow_mut() = database(Source::NoneNamed);
        Ok(())
    }
}

impl LagReader for &World {
    async fn good_lags(&self, _: LagOf<'_>, _: Timestamp, to: Timestamp) -> Result<Vec<LagSample>, CallError> {
        let (seconds, age) = self.lag.get();
        Ok(vec![LagSample { seconds, at: to - age }])
    }
}

impl StoreReader for &World {
    async fn read(&self, _: &str, item: Item) -> Result<Option<String>, CallError> {
        match item {
            Item::Latch => Ok(self.latch.borrow().as_ref().map(ToString::to_string)),
            Item::Listing => Ok(None),
        }
    }
}

impl StoreWriter for &World {
    async fn swap(&self, table: &str, _: Item, _: Option<&str>, _: &str) -> Result<Swap, CallError> {
        panic!("{table} is written")
    }
}

impl NameServers for &World {
    async fn servers(&self, _: &Name) -> Result<Vec<Server>, ServersUnknown> {
        Ok([1, 2, 3, 4].map(|host| SocketAddr::from(([127, 0, 0, host], 53)).into()).into())
    }

    async fn ask(&self, _: &Server, name: &Name, kind: &str) -> Result<Vec<String>, NotHeard> {
        assert_eq!((name, kind), (&crate::world::name().register(), "TXT"));
        let has_arrived = self.now.get() >= self.arrives_at.get();
        match (self.has_name_servers.get(), has_arrived) {
            (false, _) => Err(NotHeard::Silent),
            (true, false) => Ok(Vec::new()),
            (true, true) => Ok(vec![self.register().to_string()]),
        }
    }
}
