//! What there may be to see when a pin is decided, in the plain terms of docs/rules.md. The shipped rules see what Route 53, CloudWatch and the
//! store would say of it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::common::{self, Scene, app, at, pair, plan};
use failover::incident::{AlarmSighting, AlarmState, Approval, EvaluationTrouble, Incident};
use failover::latch::{Latch, Reading};
use failover::listing::Source;
use failover::observation::{ChangeStatus, Changes, NameView, Probe, Probes, Silence, Targets, TlsFault, Unsent};
use failover::pin::Observation;
use failover::plan::{Mode, Plan};
use failover::record::Target;
use failover::register::{ArmedBy, Memory, Pin, Register, Spread, Ttl};
use failover::rule::Rule;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Times are seconds after 12:00.
#[derive(Clone, Debug)]
pub struct Sight {
    pub now: i64,
    pub mode: Mode,
    pub rehearses: bool,
    pub cooldown_seconds: u32,
    pub hold_seconds_max: u32,
    /// Every PRIMARY record has the health check `hc-1`.
    pub own_check: Option<&'static str>,
    pub switch: Option<&'static str>,
    pub is_foreign: bool,
    /// Nothing if CloudWatch does not answer.
    pub alarms: Option<Vec<Alarm>>,
    pub primary: Probe,
    pub dr: Probe,
    pub targets: Targets,
    pub prepares: bool,
    pub state: State,
    pub records: Records,
    pub siblings: Vec<State>,
    /// What Route 53 says of the change that carries the pin.
    pub change: Option<ChangeStatus>,
    pub latch: Option<Commit>,
    pub approval: Option<Word>,
}

/// An alarm by its name. The plan has the first two, a person may ring the third.
pub const ALARMS: [&str; 3] = ["started", "second", "operator"];

#[derive(Clone, Debug)]
pub struct Alarm {
    pub nth: usize,
    pub says: AlarmState,
    pub since: i64,
    pub trouble: Option<EvaluationTrouble>,
}

/// A failover that the store says is committed.
#[derive(Clone, Debug)]
pub struct Commit {
    pub began: i64,
    pub at: i64,
}

/// A person's approval.
#[derive(Clone, Debug)]
pub struct Word {
    pub nth: usize,
    pub began: i64,
    pub despite: BTreeSet<Rule>,
}

/// What a name's register says.
#[derive(Clone, Debug)]
pub enum State {
    Absent,
    Unreadable,
    Disarmed,
    Paused { until: i64 },
    Armed { since: i64, by: ArmedBy, failed_back: Option<i64>, rehearsed: Option<i64>, ttl: Option<(u32, Option<i64>)> },
    Pinned { began: i64, is_drill: bool, how: How, repins: u8, knows_dr: bool },
    FailedOver { repins: u8, knows_dr: bool },
}

/// How far a pin has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Written { at: i64 },
    Asked,
    InSync,
}

#[derive(Clone, Debug)]
pub struct Records {
    pub primary: Place,
    pub secondary: Place,
    pub is_half: bool,
    /// The SECONDARY record has a health check, by which Route 53 may take DR out of its answers.
    pub has_checked_dr: bool,
}

/// Where a record may lead. The pin was made from `Home` to `Dr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Home,
    /// A new place in home's region.
    Rebuilt,
    Dr,
    /// A new place in DR's region.
    NewDr,
}

impl Place {
    fn target(self) -> Target {
        let to = match self {
            Self::Home => "web-1.us-east-1.elb.amazonaws.com",
            Self::Rebuilt => "web-2.us-east-1.elb.amazonaws.com",
            Self::Dr => "web-1.eu-central-1.elb.amazonaws.com",
            Self::NewDr => "web-2.eu-central-1.elb.amazonaws.com",
        };
        Target::Alias { zone: "Z9".to_owned(), name: to.to_owned(), evaluate_health: false }
    }
}

static PLAN: LazyLock<Plan> = LazyLock::new(plan);

/// Which minute of the hour is this stack's for rehearsals: its own choice, so it is asked.
pub static REHEARSAL_MINUTE: LazyLock<i64> = LazyLock::new(|| {
    let mut scene = Scene::outage();
    scene.all_ok_since(-90_000);
    let is_due = |minute: &i64| Scene { now: *minute * 60, ..scene.clone() }.decide().row.id.rule == Rule::P14;
    (0..60).find(is_due).unwrap()
});

impl Sight {
    pub fn plan(&self) -> Plan {
        let mut plan = PLAN.clone();
        (plan.mode, plan.rehearse, plan.prepares) = (self.mode, self.rehearses, self.prepares);
        (plan.limits.cooldown_seconds, plan.limits.hold_seconds_max) = (self.cooldown_seconds, self.hold_seconds_max);
        (plan.failover_health_check, plan.switch) = (self.own_check.map(str::to_owned), self.switch.map(str::to_owned));
        plan
    }

    pub fn view(&self) -> NameView {
        let Records { primary, secondary, is_half, has_checked_dr } = &self.records;
        let mut sets = pair(&app(), "A", primary.target(), secondary.target());
        sets[1].health_check = has_checked_dr.then(|| "hc-9".to_owned());
        sets.truncate(if *is_half { 1 } else { 2 });
        if matches!(self.state, State::Unreadable) {
            let mut register = common::disarmed().record_set(&app()).unwrap();
            register.target = common::values(60, &["\"v=9 asleep\""]);
            sets.push(register);
        }
        sets.extend(self.state.register().map(|register| register.record_set(&app()).unwrap()));
        NameView::of_name("Z1", &app(), &sets)
    }

    pub fn observation(&self) -> Observation {
        let sibling = |(nth, state): (usize, &State)| {
            common::view(&format!("sibling-{nth}.example.com"), common::DR, state.register().as_ref())
        };
        let siblings = self.siblings.iter().enumerate().map(sibling);
        let latch = |commit: &Commit| Reading::Closed {
            latch: Latch::committed(common::incident(commit.began), at(commit.at)),
            asked: at(self.now),
        };
        Observation {
            now: at(self.now),
            alarms: self.alarms.as_ref().map(|alarms| alarms.iter().map(Alarm::sighting).collect()),
            hold: None,
            latch: self.latch.as_ref().map_or(Reading::NoStore, latch),
            source: Source::Listed,
            probes: Probes { primary: self.primary, dr: self.dr, targets: self.targets },
            names: std::iter::once(self.view()).chain(siblings).collect(),
            changes: self.change.iter().map(|status| ("C1".to_owned(), *status)).collect::<Changes>(),
            approval: self.approval.as_ref().map(Word::approval),
            foreign_alarm: self.is_foreign,
        }
    }
}

impl Alarm {
    fn sighting(&self) -> AlarmSighting {
        let name = ALARMS[self.nth].to_owned();
        let arn = PLAN.alarms.get(self.nth).cloned().unwrap_or_else(|| name.clone());
        AlarmSighting { arn, name, state: self.says, since: at(self.since), trouble: self.trouble }
    }
}

impl Word {
    fn approval(&self) -> Approval {
        let incident = Incident { alarm: ALARMS[self.nth].to_owned(), began: at(self.began) };
        Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: self.despite.clone() }
    }
}

impl State {
    fn register(&self) -> Option<Register> {
        let pin = |began: i64, is_drill: bool, repins: u8, knows_dr: bool| {
            let mut incident = common::incident(began);
            if is_drill {
                incident.alarm = "holdfast-drill".to_owned();
            }
            let dr = knows_dr.then(|| ("A".to_owned(), Place::Dr.target().digest("A")));
            let original = [("A".to_owned(), Place::Home.target())].into();
            Pin { repins, dr: dr.into_iter().collect(), ..Pin::new(at(30), incident, original) }
        };
        Some(match self {
            Self::Absent | Self::Unreadable => return None,
            Self::Disarmed => common::disarmed(),
            Self::Paused { until } => common::paused(*until),
            Self::Armed { since, by, failed_back, rehearsed, ttl } => {
                let ttl = ttl.map(|(seconds, longer)| Ttl { seconds, longer: longer.map(|until| (3_600, at(until))) });
                let memory = Memory { failed_back: failed_back.map(at), ttl };
                Register::Armed { since: at(*since), by: *by, rehearsed: rehearsed.map(at), memory }
            }
            Self::Pinned { began, is_drill, how, repins, knows_dr } => {
                let spread = match how {
                    How::Written { at: since } => Spread::Unrecorded { at: at(*since) },
                    How::Asked => Spread::Change { id: "C1".to_owned() },
                    How::InSync => Spread::InSync { at: at(40) },
                };
                Register::Pinned { pin: pin(*began, *is_drill, *repins, *knows_dr), spread }
            }
            Self::FailedOver { repins, knows_dr } => {
                Register::FailedOver { at: at(50), pin: pin(0, false, *repins, *knows_dr) }
            }
        })
    }
}

fn alarms(now: i64) -> impl Strategy<Value = Option<Vec<Alarm>>> {
    let blinding = select(vec![EvaluationTrouble::PartialData, EvaluationTrouble::Error, EvaluationTrouble::Failure]);
    let says = prop_oneof![
        6 => select(vec![-90_000, now - 900, now - 899]).prop_map(|since| (AlarmState::Ok, since)),
        3 => select(vec![-60_i64, 0, 30]).prop_map(|since| (AlarmState::Alarm, since)),
        1 => select(vec![now - 600, now - 599]).prop_map(|since| (AlarmState::InsufficientData, since)),
        1 => Just((AlarmState::Missing, now)),
    ];
    let says = (says, prop::option::weighted(0.1, blinding));
    let told = prop::collection::vec(prop::option::weighted(0.95, says), 2);
    let declared = prop::option::weighted(0.05, select(vec![0_i64, 30]));
    let all = (told, declared).prop_map(|(told, declared)| {
        let of_plan = told.into_iter().enumerate().filter_map(|(nth, says)| Some((nth, says?)));
        let alarm = |(nth, ((says, since), trouble))| Alarm { nth, says, since, trouble };
        let declared = declared.map(|since| Alarm { nth: 2, says: AlarmState::Alarm, since, trouble: None });
        of_plan.map(alarm).chain(declared).collect()
    });
    prop::option::weighted(0.95, all)
}

fn probes() -> impl Strategy<Value = Probe> {
    select(vec![
        Probe::NotAsked,
        Probe::NotAsked,
        Probe::Answers,
        Probe::Silent(Silence::TimedOut),
        Probe::Unwell(503),
        Probe::Refused(403),
        Probe::TlsFailed(TlsFault::OtherName),
        Probe::NotHttp,
        Probe::NotSent(Unsent::NoRoute),
    ])
}

fn targets() -> impl Strategy<Value = Targets> {
    prop_oneof![
        6 => Just(Targets::NotAsked),
        3 => Just(Targets::Healthy),
        2 => Just(Targets::TooFew),
        1 => select(vec![Targets::NoData, Targets::Unevaluated, Targets::NoAlarm, Targets::NotAnswered]),
    ]
}

fn armed(now: i64) -> impl Strategy<Value = State> {
    let since = select(vec![-90_000_i64, -7_200, -3_600, -3_599, -960, -900, -899, -60, -1, 0, 10, 50]);
    let by = select(vec![
        ArmedBy::Settling,
        ArmedBy::Operator,
        ArmedBy::MaintenanceEnd,
        ArmedBy::Failback,
        ArmedBy::Rejection,
    ]);
    let failed_back = prop::option::weighted(0.3, select(vec![-3_660_i64, -3_600, -3_599, -960]));
    let rehearsed = prop::option::weighted(0.8, select(vec![now - 84_601, now - 84_600, now - 84_599, now - 60]));
    let longer = prop::option::weighted(0.2, select(vec![now, now + 1]));
    let ttl = prop::option::weighted(0.9, (select(vec![60_u32, 60, 60, 61, 3_600]), longer));
    (since, by, failed_back, rehearsed, ttl).prop_map(|(since, by, failed_back, rehearsed, ttl)| State::Armed {
        since,
        by,
        failed_back,
        rehearsed,
        ttl,
    })
}

fn on_dr(now: i64) -> impl Strategy<Value = State> {
    let written = select(vec![now - 31, now - 30, now - 29]).prop_map(|at| How::Written { at });
    let how = prop_oneof![written, Just(How::Asked), Just(How::InSync)];
    let pinned = (select(vec![-60_i64, 0]), prop::bool::weighted(0.1), how, 0_u8..4, any::<bool>());
    let pinned = pinned.prop_map(|(began, is_drill, how, repins, knows_dr)| State::Pinned {
        began,
        is_drill,
        how,
        repins,
        knows_dr,
    });
    let failed_over = (0_u8..4, any::<bool>());
    let failed_over = failed_over.prop_map(|(repins, knows_dr)| State::FailedOver { repins, knows_dr });
    prop_oneof![3 => pinned, 1 => failed_over]
}

fn states(now: i64) -> impl Strategy<Value = State> {
    prop_oneof![
        4 => Just(State::Absent),
        1 => Just(State::Unreadable),
        1 => Just(State::Disarmed),
        1 => select(vec![now - 1, now, now + 1]).prop_map(|until| State::Paused { until }),
        12 => armed(now),
        8 => on_dr(now),
    ]
}

fn records(state: &State) -> impl Strategy<Value = Records> + use<> {
    use Place::{Dr, Home, NewDr, Rebuilt};
    let anywhere = || select(vec![Home, Rebuilt, Dr, NewDr]);
    let usual = match state {
        State::Pinned { .. } | State::FailedOver { .. } => (Dr, Dr),
        _ => (Home, Dr),
    };
    let places = prop_oneof![2 => Just(usual), 1 => (anywhere(), anywhere())];
    (places, prop::bool::weighted(0.05), prop::bool::weighted(0.1)).prop_map(
        |((primary, secondary), is_half, has_checked_dr)| Records { primary, secondary, is_half, has_checked_dr },
    )
}

/// Whatever may be seen, and often what is just on one side of a boundary.
pub fn sights() -> impl Strategy<Value = Sight> {
    let in_its_minute = (0..3_i64).prop_map(|hour| *REHEARSAL_MINUTE * 60 + hour * 3_600);
    let now = prop_oneof![2 => select(vec![60_i64, 120, 659, 660, 3_600, 4_000]), 1 => in_its_minute];
    now.prop_flat_map(|now| states(now).prop_flat_map(move |state| of(now, state)))
}

fn of(now: i64, state: State) -> impl Strategy<Value = Sight> {
    let mode = select(vec![Mode::Automatic, Mode::Automatic, Mode::Approval, Mode::Shadow]);
    let checks = (select(vec![None, None, Some("hc-1"), Some("hc-2")]), select(vec![None, Some("hc-1"), Some("SW")]));
    let limits = (select(vec![0_u32, 3_600]), select(vec![0_u32, 60, 90, 700]));
    let plan = (mode, (prop::bool::weighted(0.7), prop::bool::weighted(0.3)), checks, limits);
    let sites = prop_oneof![1 => Just((Probe::NotAsked, Probe::NotAsked)), 1 => (probes(), probes())];
    let heard = (prop::bool::weighted(0.03), alarms(now), sites, targets());
    let siblings = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(states(now), 1..3)];
    let change = prop::option::of(select(vec![ChangeStatus::Pending, ChangeStatus::InSync, ChangeStatus::Lost]));
    let commit = (select(vec![-60_i64, 0]), select(vec![-960_i64, 0, 40]));
    let latch = prop::option::weighted(0.1, commit.prop_map(|(began, at)| Commit { began, at }));
    let rules = vec![
        Rule::P03,
        Rule::P04,
        Rule::P05,
        Rule::P07,
        Rule::P08,
        Rule::P09,
        Rule::P10,
        Rule::P12,
        Rule::P15,
        Rule::R07,
    ];
    let word = (select(vec![0_usize, 0, 1, 2]), select(vec![-60_i64, 0, 30]), subsequence(rules, 0..=10));
    let word = word.prop_map(|(nth, began, despite)| Word { nth, began, despite: despite.into_iter().collect() });
    let around = (records(&state), siblings, change, latch, prop::option::weighted(0.5, word));
    (plan, heard, around).prop_map(move |(plan, heard, (records, siblings, change, latch, approval))| {
        let (mode, (rehearses, prepares), (own_check, switch), (cooldown_seconds, hold_seconds_max)) = plan;
        let (is_foreign, alarms, (primary, dr), targets) = heard;
        Sight {
            now,
            mode,
            rehearses,
            targets,
            prepares,
            cooldown_seconds,
            hold_seconds_max,
            own_check,
            switch,
            is_foreign,
            alarms,
            primary,
            dr,
            state: state.clone(),
            records,
            siblings,
            change,
            latch,
            approval,
        }
    })
}
