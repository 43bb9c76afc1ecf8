//! `holdfast status`: one screen.

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use aws::cloudwatch::AlarmReader as _;
use aws::watch::{SITE_DOWN, detector_of};
use failover::incident::{AlarmState, Incident};
use failover::latch;
use failover::observation::NameView;
use failover::pin::Observation;
use failover::record::Pair;
use failover::register::{Reading, Register};
use failover::users::{Place, Users};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::asked::{self, Asked};
use crate::dns;
use crate::failure::Failure;
use crate::look::{self, Finding};
use crate::readiness::{self, Readiness, Responder};
use crate::standby;
use crate::steps::{Around, Imagined};
use crate::terminal::Terminal;
use crate::workload::Workload;

pub use words::print_findings;

const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The state of a name whose incident is closed.
const FAILED_OVER: &str = "failed over to DR";

/// Everything that Holdfast sees now, and what it makes of it.
#[derive(Debug, Serialize)]
struct Status {
    /// The failover committed in DR's own store, or why that is not known; nothing if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    latch: Option<String>,
    at: Timestamp,
    users: Users,
    /// The site is down, and nothing has moved yet.
    outage: Option<Outage>,
    mode: String,
    alarms: Option<Vec<Alarm>>,
    probes: Value,
    names: Vec<Name>,
    databases: Vec<Database>,
    #[serde(serialize_with = "as_json")]
    steps: Around,
    readiness: Readiness,
    /// What the last look by itself whether DR could carry users came to.
    looked: standby::Looked,
    incident: Option<Incident>,
    waits_for_you: Vec<Asked>,
    now: Vec<Finding>,
    if_the_alarm_rang: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Alarm {
    name: String,
    state: AlarmState,
    since: Timestamp,
}

#[derive(Debug, Serialize)]
struct Outage {
    since: Timestamp,
    /// When the failover starts if the site stays down; nothing if the wiring does not say.
    fails_over_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Name {
    name: String,
    zone: String,
    state: &'static str,
    register: Option<String>,
    on_dr: bool,
    records: Vec<Record>,
    fault: Option<String>,
}

#[derive(Debug, Serialize)]
struct Record {
    kind: String,
    primary: String,
    /// What the PRIMARY record said before the pin, if that is something else.
    was: Option<String>,
    secondary: String,
    dns: String,
}

#[derive(Debug, Serialize)]
struct Database {
    database: String,
    #[serde(flatten)]
    id: failover::rule::Id,
    if_promoted_now: &'static str,
    facts: Vec<failover::observation::Fact>,
}

fn as_json<S: serde::Serializer>(steps: &Around, serializer: S) -> Result<S::Ok, S::Error> {
    steps.as_json().serialize(serializer)
}

/// Shows the status, once or until interrupted.
pub async fn show(
    workload: &Workload,
    terminal: &Terminal,
    dns: Option<SocketAddr>,
    watch: bool,
    verbose: bool,
) -> Result<(), Failure> {
    loop {
        let status = observe(workload, dns).await?;
        terminal.result(&status);
        if watch {
            anstream::print!("\x1b[2J\x1b[H");
        }
        words::print(terminal, &status, verbose);
        if !watch {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn observe(workload: &Workload, dns: Option<SocketAddr>) -> Result<Status, Failure> {
    let seen = look::look(workload).await?;
    let decisions = look::decide(workload, &seen);
    let incident = look::incident(&decisions).cloned();
    let imagined = look::real_or_imagined(workload, &seen, &decisions);
    let replicas = look::replicas(workload, &seen, &imagined).await;
    let gate = look::gate(workload, &seen);
    let mut now = look::findings(&decisions);
    now.extend(look::promotion(&gate, &replicas));
    let waits_for_you = asked::of(&decisions, &gate, &replicas);
    let alarms = seen.alarms.iter().flatten().map(|alarm| Alarm {
        name: alarm.name.clone(),
        state: alarm.state,
        since: alarm.since,
    });
    let (users, latch) = users(workload, &seen).await;
    let (readiness, looked) = tokio::join!(ready(workload, &seen), standby::looked(workload, seen.now));
    let outage = if users.place == Place::Primary { outage(workload, &readiness).await } else { None };
    Ok(Status {
        at: seen.now,
        latch,
        users,
        outage,
        mode: format!("{:?}", workload.plan.mode).to_lowercase(),
        alarms: seen.alarms.is_some().then(|| alarms.collect()),
        probes: json!({
            "primary": seen.probes.primary.to_string(),
            "dr": seen.probes.dr.to_string(),
            "targets": workload.plan.targets_alarm.as_ref().map(|_| seen.probes.targets.to_string()),
        }),
        names: names(workload, &seen, dns).await,
        databases: replicas
            .into_iter()
            .map(|decision| Database {
                database: decision.id.to_string(),
                id: decision.row.id,
                if_promoted_now: decision.row.condition,
                facts: decision.facts,
            })
            .collect(),
        steps: Around::look(workload, &seen, Imagined::Nothing).await,
        readiness,
        looked,
        waits_for_you,
        now,
        if_the_alarm_rang: look::findings(&look::decide(workload, &look::with_alarm(workload, &seen))),
        incident,
    })
}

/// Where users are, and what there is to say of the latch. One that is closed moves nobody before name servers show it.
async fn users(workload: &Workload, seen: &Observation) -> (Users, Option<String>) {
    let users = Users::seen(&workload.plan, &seen.alarms, (seen.hold, &seen.latch), &seen.names);
    let latch = match &seen.latch {
        latch::Reading::NoStore | latch::Reading::Open { .. } => return (users, None),
        latch::Reading::NotKnown(why) => return (users, Some(format!("not known: {why}"))),
        latch::Reading::Closed { latch, .. } => latch.to_string(),
    };
    if users.place != Place::Latched {
        return (users, Some(latch));
    }
    // Where port 53 is closed every server is silent, which confirms nothing.
    let is_heard = |look: &latch::Look| look.marks.iter().any(|marks| marks.latch.is_ok());
    let asked = dns::of_latch(workload).await.filter(is_heard);
    match asked.map(|look| latch::denied(&look)) {
        Some(Some(denied)) => (Users { place: Place::LatchUnseen, ..users }, Some(format!("{latch}; but {denied}"))),
        Some(None) => (users, Some(latch)),
        None => (users, Some(format!("{latch}; no name server was heard, so none confirms it"))),
    }
}

/// Since when the site has been down, by the detector's site-down alarm. That it is not known stops nobody.
pub async fn down_since(workload: &Workload) -> Option<Timestamp> {
    let arn = detector_of(workload.plan.alarms.first()?)?.to_owned() + SITE_DOWN;
    let alarms = workload.metrics.alarms(&[arn]).await.ok()?;
    alarms.into_iter().find(|alarm| alarm.state == AlarmState::Alarm).map(|alarm| alarm.since)
}

/// An outage that has begun.
async fn outage(workload: &Workload, readiness: &Readiness) -> Option<Outage> {
    let since = down_since(workload).await?;
    let lasts = readiness.dns_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
    Some(Outage { since, fails_over_at: lasts.and_then(|lasts| since.checked_add(lasts).ok()) })
}

/// What of stacks, records and health checks stands in a failover's way.
pub async fn ready(workload: &Workload, seen: &Observation) -> Readiness {
    let Workload { plan, session, bus, .. } = workload;
    readiness::judge(plan, Responder { region: session.region(), bus }, &readiness::look(workload, seen).await)
}

/// Every name, with what DNS answers for it.
async fn names(workload: &Workload, seen: &Observation, dns: Option<SocketAddr>) -> Vec<Name> {
    let of_zone = |zone: &str| {
        let views = seen.names.iter().filter(|view| view.zone == zone);
        let pairs = views.flat_map(|view| view.pairs.iter().flatten().map(move |pair| (view, pair)));
        pairs.map(|(view, pair)| (view.name.clone(), pair.primary().kind.clone())).collect::<Vec<_>>()
    };
    let zones: BTreeSet<_> = seen.names.iter().map(|view| &*view.zone).collect();
    let asked = zones.into_iter().map(|zone| async move {
        let questions = of_zone(zone);
        (questions.clone(), dns::answers(workload, zone, dns, questions).await)
    });
    let mut answers = BTreeMap::new();
    for (questions, answered) in join_all(asked).await {
        let all = answered.unwrap_or_else(|why| vec![why; questions.len()]);
        answers.extend(questions.into_iter().zip(all));
    }
    seen.names.iter().map(|view| name(workload, view, &answers)).collect()
}

fn name(workload: &Workload, view: &NameView, answers: &BTreeMap<dns::Question, String>) -> Name {
    let record = |pair: &Pair| {
        let kind = pair.primary().kind.clone();
        let (primary, secondary) = (pair.primary().target.to_string(), pair.secondary().target.to_string());
        let original = view.pin().and_then(|pin| pin.original.get(&kind));
        let was = original.map(ToString::to_string).filter(|was| *was != primary);
        let dns = answers.get(&(view.name.clone(), kind.clone())).cloned().unwrap_or_default();
        Record { kind, primary, was, secondary, dns }
    };
    Name {
        name: view.name.to_string(),
        zone: view.zone.clone(),
        state: state(view),
        register: view.register().map(ToString::to_string),
        on_dr: view.agrees(),
        records: view.pairs.iter().flatten().map(record).collect(),
        fault: failover::pin::fault(&workload.plan, view).map(|fault| fault.to_string()),
    }
}

/// The register's state in the vocabulary of the messages.
pub fn state(view: &NameView) -> &'static str {
    match &view.register {
        Reading::Absent => "not armed yet",
        Reading::Unreadable(_) => "unreadable",
        Reading::Known { register, .. } => match register {
            Register::Disarmed { .. } => "disarmed",
            Register::Armed { .. } => "armed",
            Register::Paused { .. } => "paused",
            Register::Pinned { .. } => "pinned to DR",
            Register::FailedOver { .. } => FAILED_OVER,
        },
    }
}
