//! `holdfast status`: one screen.

use std::net::SocketAddr;
use std::time::Duration;

use aws::cloudwatch::AlarmReader as _;
use aws::watch::{SITE_DOWN, detector_of};
use failover::incident::{AlarmState, Incident};
use failover::latch;
use failover::observation::NameView;
use failover::pin::Observation;
use failover::register::{Reading, Register};
use failover::users::{Place, Users};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::dns::NameServer;
use crate::failure::Failure;
use crate::look::{self, Finding};
use crate::readiness::{self, Readiness, Responder, Shortcoming, Weight};
use crate::terminal::{BAD, BOLD, DIM, GOOD, Terminal, WARNING, age};
use crate::workload::Workload;

const LOOK_EVERY: Duration = Duration::from_secs(5);

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
    readiness: Readiness,
    incident: Option<Incident>,
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

/// Shows the status, once or until interrupted.
pub async fn show(
    workload: &Workload,
    terminal: &Terminal,
    dns: &Option<SocketAddr>,
    watch: bool,
) -> Result<(), Failure> {
    loop {
        let status = observe(workload, *dns).await?;
        terminal.result(&status);
        if watch {
            anstream::print!("\x1b[2J\x1b[H");
        }
        print(terminal, &status);
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
    let alarms = seen.alarms.iter().flatten().map(|alarm| Alarm {
        name: alarm.name.clone(),
        state: alarm.state,
        since: alarm.since,
    });
    let (users, readiness) = (
        Users::seen(&workload.plan, &seen.alarms, (seen.hold, &seen.latch), &seen.names),
        ready(workload, &seen).await,
    );
    let outage = if users.place == Place::Primary { outage(workload, &readiness).await } else { None };
    let latch = match &seen.latch {
        latch::Reading::NoStore | latch::Reading::Open { .. } => None,
        latch::Reading::NotKnown(why) => Some(format!("not known: {why}")),
        latch::Reading::Closed { latch, .. } => Some(latch.to_string()),
    };
    Ok(Status {
        at: seen.now,
        latch,
        users,
        outage,
        mode: format!("{:?}", workload.plan.mode).to_lowercase(),
        alarms: seen.alarms.is_some().then(|| alarms.collect()),
        probes: json!({"primary": seen.probes.primary.to_string(), "dr": seen.probes.dr.to_string()}),
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
        readiness,
        now: look::findings(&decisions),
        if_the_alarm_rang: look::findings(&look::decide(workload, &look::with_alarm(workload, &seen))),
        incident,
    })
}

/// An outage that has begun, by the detector's site-down alarm. That it is not known stops nobody.
async fn outage(workload: &Workload, readiness: &Readiness) -> Option<Outage> {
    let arn = detector_of(workload.plan.alarms.first()?)?.to_owned() + SITE_DOWN;
    let alarms = workload.metrics.alarms(&[arn]).await.ok()?;
    let since = alarms.into_iter().find(|alarm| alarm.state == AlarmState::Alarm)?.since;
    let lasts = readiness.dns_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
    Some(Outage { since, fails_over_at: lasts.and_then(|lasts| since.checked_add(lasts).ok()) })
}

async fn ready(workload: &Workload, seen: &Observation) -> Readiness {
    let Workload { plan, session, bus, .. } = workload;
    let region = session.config().region().map(ToString::to_string).unwrap_or_default();
    readiness::judge(plan, Responder { region: &region, bus }, &readiness::look(workload, seen).await)
}

async fn names(workload: &Workload, seen: &Observation, dns: Option<SocketAddr>) -> Vec<Name> {
    let mut names = Vec::new();
    let mut server: Option<(&str, Result<NameServer, String>)> = None;
    for view in &seen.names {
        let of_zone = match server.take() {
            Some((zone, known)) if zone == view.zone => known,
            _ => NameServer::of_zone(workload, &view.zone, dns).await,
        };
        let mut records = Vec::new();
        for pair in view.pairs.iter().flatten() {
            let kind = pair.primary().kind.clone();
            let dns = match &of_zone {
                Ok(server) => server.answer(&view.name, &kind).await,
                Err(why) => why.clone(),
            };
            let (primary, secondary) = (pair.primary().target.to_string(), pair.secondary().target.to_string());
            let original = view.pin().and_then(|pin| pin.original.get(&kind));
            let was = original.map(ToString::to_string).filter(|was| *was != primary);
            records.push(Record { kind, primary, was, secondary, dns });
        }
        server = Some((&view.zone, of_zone));
        names.push(Name {
            name: view.name.to_string(),
            zone: view.zone.clone(),
            state: state(view),
            register: view.register().map(ToString::to_string),
            on_dr: view.agrees(),
            records,
            fault: failover::pin::fault(&workload.plan, view).map(|fault| fault.to_string()),
        });
    }
    names
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
            Register::FailedOver { .. } => "failed over to DR",
        },
    }
}

fn print(terminal: &Terminal, status: &Status) {
    let users = match status.users.place {
        Place::Primary => GOOD,
        _ if status.users.cannot_write() => BAD,
        _ => WARNING,
    };
    terminal.say(format!("{users}{}{users:#}", status.users));
    if let Some(Outage { since, fails_over_at }) = &status.outage {
        let down = age(*since, status.at);
        let then = fails_over_at.map_or(String::new(), |at| {
            format!(": if it stays so, the failover starts at about {at}, in {}", age(status.at, at))
        });
        terminal
            .say(format!("{BAD}the site is down{BAD:#} for {down}{then}. To go now: holdfast failover --reason WHY"));
    }
    terminal.say(format!("{BOLD}holdfast{BOLD:#}  mode {}  {DIM}{}{DIM:#}", status.mode, status.at));
    if let Some(incident) = &status.incident {
        terminal.say(format!("{BAD}incident{BAD:#}  {incident}, {} ago", age(incident.began, status.at)));
    }
    match &status.alarms {
        None => terminal.say(format!("alarm     {WARNING}unknown: CloudWatch did not answer{WARNING:#}")),
        Some(alarms) => alarms.iter().for_each(|alarm| {
            let style = if alarm.state == AlarmState::Ok { GOOD } else { BAD };
            let since = age(alarm.since, status.at);
            terminal.say(format!("alarm     {} {style}{:?}{style:#} for {since}", alarm.name, alarm.state));
        }),
    }
    if let Some(latch) = &status.latch {
        terminal.say(format!("latch     {BAD}{latch}{BAD:#}"));
    }
    let word = |site: &str| status.probes[site].as_str().unwrap_or_default().to_owned();
    terminal.say(format!("probes    primary {}, DR {}", word("primary"), word("dr")));
    for name in &status.names {
        let style = match name.state {
            "armed" => GOOD,
            "pinned to DR" | "failed over to DR" | "unreadable" => BAD,
            _ => WARNING,
        };
        terminal.say(format!("\n{BOLD}{}{BOLD:#}  {style}{}{style:#}", name.name, name.state));
        terminal.say(format!("  {DIM}{}{DIM:#}", name.register.as_deref().unwrap_or("no register")));
        if let Some(fault) = &name.fault {
            terminal.say(format!("  {BAD}{fault}{BAD:#}"));
        }
        for record in &name.records {
            let Record { kind, primary, was, secondary, dns } = record;
            let was = was.as_ref().map_or(String::new(), |was| format!(" {DIM}(pinned; was {was}){DIM:#}"));
            terminal.say(format!("  {kind:<5} PRIMARY {primary}{was}  SECONDARY {secondary}  DNS {BOLD}{dns}{BOLD:#}"));
        }
    }
    for database in &status.databases {
        terminal.say(format!("\n{BOLD}{}{BOLD:#}", database.database));
        database.facts.iter().for_each(|fact| terminal.say(format!("  {}: {}", fact.about, fact.seen)));
    }
    print_readiness(terminal, &status.readiness);
    terminal.say(format!("\n{BOLD}now{BOLD:#}"));
    print_findings(terminal, &status.now);
    if status.incident.is_none() {
        terminal.say(format!("{BOLD}if the alarm rang now{BOLD:#}"));
        print_findings(terminal, &status.if_the_alarm_rang);
    }
}

fn print_readiness(terminal: &Terminal, readiness: &Readiness) {
    terminal.say(format!("\n{BOLD}readiness{BOLD:#}"));
    let weighs = |weight| readiness.shortcomings.iter().any(|shortcoming| shortcoming.weight == weight);
    match (weighs(Weight::Keeps), weighs(Weight::Unknown)) {
        (true, _) => {}
        (false, true) => terminal
            .say(format!("  {GOOD}stacks, records and health check agree{GOOD:#}, as far as they could be looked at")),
        (false, false) => terminal.say(format!("  {GOOD}stacks, records and health check agree{GOOD:#}")),
    }
    for Shortcoming { about, seen, remedy, weight } in &readiness.shortcomings {
        let (style, word) = match weight {
            Weight::Keeps => (BAD, ""),
            Weight::Advises => (WARNING, "advice: "),
            Weight::Unknown => (WARNING, "not known: "),
        };
        terminal.say(format!("  {style}{word}{about}{style:#} {seen}"));
        terminal.say(format!("      {DIM}{remedy}{DIM:#}"));
    }
    if let (Some(dns), Some(promotion)) = (readiness.dns_seconds, readiness.promotion_seconds) {
        terminal.say(format!(
            "  about {} min from an outage to DNS answering with DR, {} min to the promotion of the databases",
            dns.div_ceil(60),
            promotion.div_ceil(60)
        ));
    }
}

/// What the rules decide, a row a line.
pub fn print_findings(terminal: &Terminal, findings: &[Finding]) {
    for Finding { id, verdict, because, next, names, despite, .. } in findings {
        let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
        let first = names.first().map_or("", String::as_str);
        terminal.say(format!("  {BOLD}{id} {verdict}{BOLD:#}  {first}{more}: {because}"));
        terminal.say(format!("      {DIM}{next}{DIM:#}"));
        if !despite.is_empty() {
            let rules: Vec<_> = despite.iter().map(ToString::to_string).collect();
            terminal.say(format!("      {DIM}an approval would have to lift {}{DIM:#}", rules.join(", ")));
        }
    }
}
