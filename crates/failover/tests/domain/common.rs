//! What the tests of the rules build their worlds from: one outage, and what differs in each story.

use std::collections::BTreeSet;

use failover::incident::{AlarmSighting, AlarmState, Approval, EvaluationTrouble, Incident};
use failover::message::Sender;
use failover::name::Name;
use failover::observation::{Alarms, Attention, Changes, Fact, NameView, Probes};
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::pin::{self, Observation};
use failover::plan::{Plan, alarm_name};
use failover::promotion::{Database, GlobalOperation, Instances, Membership, ReplicaState, Source};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Memory, Pin, Register, Spread, Ttl};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};

/// Where the PRIMARY record leads before a pin, and after.
pub const PRIMARY: &str = "192.0.2.1";
pub const DR: &str = "198.51.100.1";

pub const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com","api.example.com"]}],
    "aurora_clusters":["app-dr"],
    "alarms":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:started","arn:aws:cloudwatch:eu-west-1:123456789012:alarm:second"],
    "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

pub fn plan() -> Plan {
    Plan::parse(PLAN).unwrap()
}

/// Which Holdfast speaks.
pub fn sender() -> Sender {
    Sender { bus: "holdfast".to_owned(), region: "eu-central-1".to_owned(), account: "123456789012".to_owned() }
}

/// Seconds after the first alarm of the outage.
pub fn at(seconds: i64) -> Timestamp {
    "2026-01-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn app() -> Name {
    name("app.example.com")
}

/// The incident of the plan's first alarm.
pub fn incident(began: i64) -> Incident {
    Incident { alarm: "started".to_owned(), began: at(began) }
}

/// What one of the plan's alarms says.
pub fn alarm(nth: usize, state: AlarmState, since: i64) -> AlarmSighting {
    let arn = plan().alarms[nth].clone();
    AlarmSighting { name: alarm_name(&arn).unwrap().to_owned(), arn, state, since: at(since), trouble: None }
}

pub fn approval(began: i64, despite: &[Rule]) -> Approval {
    Approval {
        incident: incident(began),
        by: "kim".to_owned(),
        reason: String::new(),
        despite: despite.iter().copied().collect(),
    }
}

pub fn values(ttl_seconds: u32, values: &[&str]) -> Target {
    Target::Values { ttl_seconds, values: values.iter().map(|&value| value.to_owned()).collect() }
}

pub fn alias(to: &str) -> Target {
    Target::Alias { zone: "Z9".to_owned(), name: to.to_owned(), evaluate_health: true }
}

/// A failover pair of `name`.
pub fn pair(name: &Name, kind: &str, primary: Target, secondary: Target) -> Vec<RecordSet> {
    [(Role::Primary, primary), (Role::Secondary, secondary)]
        .map(|(role, target)| RecordSet {
            name: name.clone(),
            kind: kind.to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target,
            health_check: (role == Role::Primary).then(|| "hc-1".to_owned()),
        })
        .into()
}

/// An A pair whose PRIMARY leads to `primary`.
pub fn a_pair(name: &Name, primary: &str) -> Vec<RecordSet> {
    pair(name, "A", values(60, &[primary]), values(60, &[DR]))
}

pub fn armed(since: i64, by: ArmedBy) -> Register {
    let ttl = Some(Ttl { seconds: 60, longer: None });
    Register::armed(at(since), by).remembering(Memory { ttl, ..Memory::default() })
}

/// Armed since then by a person, and rehearsed then.
pub fn rehearsed_at(since: i64, rehearsed: Option<Timestamp>) -> Register {
    let memory = armed(since, ArmedBy::Operator).memory();
    Register::Armed { since: at(since), by: ArmedBy::Operator, rehearsed, memory }
}

pub fn paused(until: i64) -> Register {
    Register::paused(at(-3_600), at(until), "kim".to_owned())
}

pub fn disarmed() -> Register {
    Register::disarmed(at(-9_000), "kim".to_owned())
}

/// What was committed at second 30 for the incident that began at `began`.
pub fn pin(began: i64, repins: u8) -> Pin {
    let original = [("A".to_owned(), values(60, &[PRIMARY]))].into();
    Pin { repins, ..Pin::new(at(30), incident(began), original) }
}

/// A database that has been there for a day.
pub fn database(status: &str, source: Option<&str>, instances: Instances) -> ReplicaState {
    let source = source.map_or(Source::NoneNamed, |source| Source::ReplicaOf(source.to_owned()));
    let (status, engine, created) = (status.to_owned(), "aurora-mysql".to_owned(), Some(at(-86_400)));
    ReplicaState::Present(Database { status, source, instances, created, engine, members: Vec::new() })
}

/// The place of a cluster of global database `world`, whose other cluster is in us-east-1.
pub fn place(is_writer: bool, operation: Option<GlobalOperation>) -> Source {
    Source::InGlobal(Membership {
        global: "world".to_owned(),
        arn: "arn:aws:rds:us-west-2:123456789012:cluster:app-dr".to_owned(),
        is_writer,
        other_regions: vec!["us-east-1".to_owned()],
        operation,
    })
}

pub fn switching_over() -> Option<GlobalOperation> {
    Some(GlobalOperation::Other("switching-over to arn:aws:rds:us-east-1:123456789012:cluster:app".to_owned()))
}

pub fn pinned(repins: u8, spread: Spread) -> Register {
    Register::Pinned { pin: pin(0, repins), spread }
}

pub fn failed_over(repins: u8) -> Register {
    Register::FailedOver { at: at(600), pin: pin(0, repins) }
}

pub fn unrecorded(since: i64) -> Spread {
    Spread::Unrecorded { at: at(since) }
}

pub fn change(id: &str) -> Spread {
    Spread::Change { id: id.to_owned() }
}

pub fn in_sync(since: i64) -> Spread {
    Spread::InSync { at: at(since) }
}

/// A name as Route 53 describes it, with its A pair and its register.
pub fn view(of: &str, primary: &str, register: Option<&Register>) -> NameView {
    let name = name(of);
    let mut sets = a_pair(&name, primary);
    sets.extend(register.map(|register| register.record_set(&name).unwrap()));
    NameView::of_name("Z1", &name, &sets)
}

/// A name whose register is there, and says nothing that Holdfast knows.
pub fn unreadable(of: &str, primary: &str) -> NameView {
    let name = name(of);
    let mut sets = a_pair(&name, primary);
    let mut register = disarmed().record_set(&name).unwrap();
    register.target = values(60, &["\"v=9 asleep\""]);
    sets.push(register);
    NameView::of_name("Z1", &name, &sets)
}

/// What was seen, a line each.
pub fn lines(facts: &[Fact]) -> Vec<String> {
    facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen)).collect()
}

/// All kinds, as serde knows them, so that a new one is not forgotten here.
pub fn every_kind() -> Vec<Kind> {
    let unknown = serde_json::from_str::<Kind>("\"?\"").unwrap_err().to_string();
    let names = unknown.split('`').skip(3).step_by(2);
    names.map(|name| serde_json::from_str(&format!("{name:?}")).unwrap()).collect()
}

/// Something found of `subject` since the incident began.
pub fn finding(kind: Kind, attention: Attention, subject: &str) -> Finding {
    Finding {
        subject: subject.to_owned(),
        kind,
        id: Some(Rule::P13.row('b')),
        because: "failover has started".to_owned(),
        attention,
        incident: Some(incident(0)),
        since: Some(at(0)),
        despite: BTreeSet::new(),
        facts: vec![Fact::new("A record", "PRIMARY 192.0.2.1")],
        next: "the databases are promoted".to_owned(),
    }
}

/// The outcome, so many seconds after the incident began, of a function that found this of one name.
pub fn outcome(kind: Kind, attention: Attention, trigger: Trigger, seconds: i64) -> Outcome {
    Outcome::of(at(seconds), trigger, &[finding(kind, attention, "app.example.com")])
}

/// All that one decision about `app.example.com` is made from.
#[derive(Clone)]
pub struct Scene {
    pub plan: Plan,
    pub now: i64,
    pub alarms: Alarms,
    pub probes: Probes,
    pub view: NameView,
    pub siblings: Vec<NameView>,
    pub changes: Changes,
    pub approval: Option<Approval>,
    pub foreign_alarm: bool,
}

impl Scene {
    /// A minute into an outage, of a name armed two hours before: nothing speaks against the pin.
    pub fn outage() -> Self {
        let alarms = vec![alarm(0, AlarmState::Alarm, 0), alarm(1, AlarmState::Ok, -90_000)];
        let register = armed(-7_200, ArmedBy::Operator);
        Self {
            plan: plan(),
            now: 60,
            alarms: Some(alarms),
            probes: Probes::default(),
            view: view("app.example.com", PRIMARY, Some(&register)),
            siblings: Vec::new(),
            changes: Changes::new(),
            approval: None,
            foreign_alarm: false,
        }
    }

    /// The name's register says this, and its PRIMARY record leads where it then should.
    pub fn register(&mut self, register: &Register) {
        let primary = if register.pin().is_some() { DR } else { PRIMARY };
        self.view = view("app.example.com", primary, Some(register));
    }

    /// The name is pinned, and somebody changed its PRIMARY record back.
    pub fn drifted(&mut self, register: &Register) {
        self.view = view("app.example.com", PRIMARY, Some(register));
    }

    /// The name's register says this, and somebody pointed its records there.
    pub fn moved(&mut self, register: &Register, primary: &str, secondary: &str) {
        let mut sets = pair(&app(), "A", values(60, &[primary]), values(60, &[secondary]));
        sets.push(register.record_set(&app()).unwrap());
        self.view = NameView::of_name("Z1", &app(), &sets);
    }

    pub fn alarms(&mut self, alarms: &[AlarmSighting]) {
        self.alarms = Some(alarms.to_vec());
    }

    /// Both alarms have been OK since then.
    pub fn all_ok_since(&mut self, since: i64) {
        self.alarms(&[alarm(0, AlarmState::Ok, since), alarm(1, AlarmState::Ok, since)]);
    }

    /// Both alarms have long been OK, and CloudWatch says this of how it evaluates them.
    pub fn evaluation_trouble(&mut self, trouble: EvaluationTrouble) {
        self.all_ok_since(-900);
        self.alarms.iter_mut().flatten().for_each(|alarm| alarm.trouble = Some(trouble));
    }

    /// Another name of the workload.
    pub fn sibling(&mut self, register: &Register) {
        let primary = if register.pin().is_some() { DR } else { PRIMARY };
        self.siblings.push(view("api.example.com", primary, Some(register)));
    }

    pub fn observation(&self) -> Observation {
        Observation {
            now: at(self.now),
            alarms: self.alarms.clone(),
            probes: self.probes,
            names: std::iter::once(&self.view).chain(&self.siblings).cloned().collect(),
            changes: self.changes.clone(),
            approval: self.approval.clone(),
            hold: None,
            latch: failover::latch::Reading::NoStore,
            source: failover::listing::Source::Listed,
            foreign_alarm: self.foreign_alarm,
        }
    }

    pub fn decide(&self) -> pin::Decision {
        pin::decide(&self.plan, &self.observation(), &self.view)
    }
}
