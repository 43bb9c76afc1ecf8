//! What AWS has on record of an incident. A source that does not answer is a gap in the report, not the end of it: it is
//! read while a region is down.

use std::ops::Range;

use aws::CallError;
use aws::cloudwatch::{LagOf, LagReader as _};
use aws::history::{Reader, Told, Turn};
use aws::rds::ReplicaReader as _;
use aws::route53::{RecordReader as _, protected_names};
use aws::telemetry::Record;
use failover::announcement::{Announcement, Deed};
use failover::incident::Incident;
use failover::observation::NameView;
use failover::outcome::{Kind, Outcome};
use failover::plan::{Plan, ReplicaId, alarm_name, arn_region};
use failover::promotion::{LagSample, ReplicaState};
use failover::register::Register;
use jiff::{SignedDuration, Timestamp};

use crate::failure::Failure;
use crate::workload::Workload;

/// For how long RDS keeps events (DescribeEvents).
const EVENTS_KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How far back CloudWatch's alarm history goes, by which incidents are found, and how many of its calls anybody reads.
const CALLS_LOOKBACK: SignedDuration = SignedDuration::from_hours(30 * 24);
const CALLS_TOLD_MAX: usize = 10;

/// What belongs to an incident before its alarm and after its end. Logs are read to beyond now: Route 53's time is of whole seconds, and what
/// another service put on record in this very second is a part of it too.
const AROUND: SignedDuration = SignedDuration::from_mins(10);

/// How far back a lag sample may lie: CloudWatch has one a minute, some minutes late.
const LAG_LOOKBACK: SignedDuration = SignedDuration::from_mins(60);

/// Where a workload is.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    /// Where it is to go; not known if this machine was not told.
    pub dr: Option<String>,
    /// Where it is at home; not known unless a fence or a record of a replica names it.
    pub primary: Option<String>,
}

/// What there is.
#[derive(Debug)]
pub struct Records {
    /// When it was asked.
    pub now: Timestamp,
    /// The incident.
    pub incident: Incident,
    /// The protected names as they are now.
    pub names: Vec<NameView>,
    /// The plan's databases.
    pub databases: Vec<ReplicaId>,
    /// Where they are, and where the primary is, as far as plan and records say.
    pub regions: Regions,
    /// Whether the plan says what to fence.
    pub is_fenced: bool,
    /// The detector's alarms, the oldest turn first.
    pub turns: Vec<Turn>,
    /// What RDS told of the plan's databases.
    pub told: Vec<Told>,
    /// The last good sample of lag before each database was promoted.
    pub lags: Vec<(ReplicaId, Option<LagSample>)>,
    /// What the functions put on record, the oldest first.
    pub log: Vec<(Timestamp, Record)>,
    /// What people did by the command line, from the incident on.
    pub orders: Vec<Announcement>,
    /// Where it is from, and what did not answer.
    pub sources: Vec<String>,
}

impl Records {
    /// What the functions decided, the oldest first.
    pub fn outcomes(&self) -> impl DoubleEndedIterator<Item = &Outcome> {
        self.log.iter().filter_map(|(_, record)| match record {
            Record::Returned(outcome) => Some(&**outcome),
            Record::Told { .. } => None,
        })
    }

    /// When a function first put an outcome of this kind on record.
    pub fn first(&self, kind: Kind) -> Option<Timestamp> {
        self.outcomes().find(|outcome| outcome.outcome == kind).map(|outcome| outcome.at)
    }

    /// True if a source of this description did not answer: what it would have told is not known.
    pub fn lacks(&self, what: &str) -> bool {
        self.sources.iter().any(|source| source.starts_with(MISSING) && source.contains(what))
    }

    /// True if anything at all knows of the incident.
    pub fn know(&self) -> bool {
        let Incident { alarm, began } = &self.incident;
        let is_call =
            |turn: &Turn| turn.alarm == *alarm && turn.to == "ALARM" && turn.at.as_second() == began.as_second();
        self.log.iter().any(|(_, record)| of_incident(record).is_none_or(|of| *of == self.incident))
            || self.turns.iter().any(is_call)
            || under_way(&self.names).as_ref() == Some(&self.incident)
    }
}

/// True of what belongs to the incident, or to the outage that it came of; a later outage is another's.
fn is_of_outage(record: &Record, incident: &Incident, from: Timestamp) -> bool {
    let of = of_incident(record);
    of.is_some_and(|of| of == incident || (from <= of.began && of.began < incident.began))
}

fn of_incident(record: &Record) -> Option<&Incident> {
    match record {
        Record::Returned(outcome) => outcome.incident.as_ref(),
        Record::Told { incident, .. } => incident.as_ref(),
    }
}

/// The primary's region: the fence's, or that of what a database replicated when a function looked at it.
fn primary_region(plan: &Plan, log: &[(Timestamp, Record)]) -> Option<String> {
    let seen = log.iter().filter_map(|(_, record)| match record {
        Record::Returned(outcome) => Some(&outcome.facts),
        Record::Told { .. } => None,
    });
    let of_source = |text: &str| {
        let arns = text.split([' ', ',']).filter(|word| word.starts_with("arn:") && word.contains(":rds:"));
        arns.filter_map(arn_region).map(str::to_owned).next()
    };
    let fenced = plan.fence.as_ref().map(|fence| fence.region.clone());
    fenced.or_else(|| seen.flatten().find_map(|fact| of_source(&fact.seen)))
}

/// Reads everything.
pub async fn gather(workload: &Workload, incident: Option<Incident>) -> Result<Records, Failure> {
    let mut sources = Vec::new();
    let names = protected_names(&workload.plan, &workload.records).await;
    let names = noted(&mut sources, "Route 53's records and registers, as they are now", names);
    let now = workload.records.now();
    let history = Reader::new(&workload.session);
    let incident = match incident.or_else(|| under_way(&names)) {
        Some(incident) => incident,
        None => last(workload, &history, now).await?,
    };
    let limits = &workload.plan.limits;
    let from = incident.began - SignedDuration::from_secs(limits.detection_seconds_max.into()) - AROUND;
    let mut log = Vec::new();
    // Where there is nothing to fence there is no fencer.
    let fencer = workload.plan.fence.as_ref().map(|_| "fencer");
    for function in ["alarm-handler", "replica-promoter", "notifier"].into_iter().chain(fencer) {
        let function = format!("{}-{function}", workload.bus);
        let found = history.records(&function, &incident.to_string(), incident.began - AROUND, now + AROUND).await;
        log.extend(noted(&mut sources, &format!("the log of {function}"), found));
    }
    if workload.plan.has_steps {
        // What was prepared before the failover began belongs to the outage, and names another alarm.
        let function = format!("{}-preparer", workload.bus);
        let found = history.records(&function, "returned", from, now + AROUND).await;
        let found = noted(&mut sources, &format!("the log of {function}"), found);
        log.extend(found.into_iter().filter(|(_, record)| is_of_outage(record, &incident, from)));
    }
    log.sort_by_key(|(at, _)| *at);
    let mut records = Records {
        now,
        names,
        databases: workload.plan.replicas.clone(),
        regions: Regions {
            dr: workload.session.config().region().map(ToString::to_string),
            primary: primary_region(&workload.plan, &log),
        },
        is_fenced: workload.plan.fence.is_some(),
        orders: orders(workload, &history, &incident, now, &mut sources).await,
        incident,
        turns: Vec::new(),
        told: Vec::new(),
        lags: Vec::new(),
        log,
        sources,
    };
    let to = end(&records);
    for arn in &workload.plan.alarms {
        let turns = history.turns(arn, from, to).await;
        let what = format!("the history of {} and its detector's alarms", alarm_name(arn).unwrap_or(arn));
        records.turns.extend(noted(&mut records.sources, &what, turns));
    }
    for database in &workload.plan.replicas {
        let told = events(&history, database, from.max(now - EVENTS_KEPT)..to, &mut records.sources).await;
        records.told.extend(told);
        if from < now - EVENTS_KEPT {
            records
                .sources
                .push(format!("{MISSING}the older of RDS's events of {database}: RDS keeps them for 14 days"));
        }
        // Where its lag is told depends on where its source was; without an answer what needs no such place is asked for.
        let state = workload.databases.state(database).await.ok();
        let asked = records.first(Kind::PromotionRequested).unwrap_or(records.incident.began);
        let lag = workload
            .metrics
            .last_good_lag(
                LagOf::planned(&workload.plan, database, state.as_ref().and_then(ReplicaState::database)),
                asked - LAG_LOOKBACK,
                asked,
            )
            .await;
        let lag = noted(&mut records.sources, &format!("the lag of {database}"), lag.map(Vec::from_iter));
        records.lags.push((database.clone(), lag.into_iter().next()));
    }
    Ok(records)
}

/// What RDS told of a database, as far back as it keeps that.
async fn events(
    history: &Reader,
    database: &ReplicaId,
    when: Range<Timestamp>,
    sources: &mut Vec<String>,
) -> Vec<Told> {
    if when.is_empty() {
        return Vec::new();
    }
    let told = history.told(database, when.start, when.end).await;
    noted(sources, &format!("RDS's events of {database} (best effort)"), told)
}

/// What people did, as notifier told it: of the incident, or of no incident. After users were brought back another story begins.
async fn orders(
    workload: &Workload,
    history: &Reader,
    incident: &Incident,
    now: Timestamp,
    sources: &mut Vec<String>,
) -> Vec<Announcement> {
    let notifier = format!("{}-notifier", workload.bus);
    let found = history.records(&notifier, "told", incident.began - AROUND, now + AROUND).await;
    let ordered = found.map(|told| {
        let order = |(_, record)| match record {
            Record::Told { incident: of, order, .. } if of.as_ref().is_none_or(|of| of == incident) => order,
            _ => None,
        };
        told.into_iter().filter_map(order).map(|order| *order).collect::<Vec<_>>()
    });
    let mut orders = noted(sources, &format!("people's orders in the log of {notifier}"), ordered);
    orders.sort_by_key(|order| order.at);
    orders.dedup();
    if let Some(home) = orders.iter().position(|order| order.deed == Deed::FailedBack) {
        orders.truncate(home + 1);
    }
    orders
}

/// What did not answer.
const MISSING: &str = "MISSING: ";

/// What a source gave; that it gave nothing, or did not answer, is told.
fn noted<T>(sources: &mut Vec<String>, what: &str, answer: Result<Vec<T>, CallError>) -> Vec<T> {
    match answer {
        Ok(found) => {
            sources.push(format!("{what}: {} found", found.len()));
            found
        }
        Err(error) => {
            sources.push(format!("{MISSING}{what}: {error}"));
            Vec::new()
        }
    }
}

fn under_way(names: &[NameView]) -> Option<Incident> {
    names.iter().find_map(|view| view.register().and_then(Register::pin)).map(|pin| pin.incident.clone())
}

/// The plan's alarms' last call.
async fn last(workload: &Workload, history: &Reader, now: Timestamp) -> Result<Incident, Failure> {
    let none = || Failure::Refused("there was no incident in the last 30 days".to_owned());
    calls(workload, history, now - CALLS_LOOKBACK, now).await?.pop().ok_or_else(none)
}

/// The incidents that the plan's alarms called, the oldest first.
async fn calls(
    workload: &Workload,
    history: &Reader,
    from: Timestamp,
    now: Timestamp,
) -> Result<Vec<Incident>, CallError> {
    let mut calls = Vec::new();
    for arn in &workload.plan.alarms {
        let turns = history.turns(arn, from, now).await?;
        let of_alarm = turns.into_iter().filter(|it| Some(it.alarm.as_str()) == alarm_name(arn) && it.to == "ALARM");
        // An incident is named by whole seconds.
        let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        calls.extend(of_alarm.map(|turn| Incident { alarm: turn.alarm, began: whole(turn.at) }));
    }
    calls.sort();
    Ok(calls)
}

/// Why there is nothing to tell of an incident that no record knows, and which ones there are.
pub async fn unknown(workload: &Workload, records: &Records) -> Failure {
    let calls = calls(workload, &Reader::new(&workload.session), records.now - CALLS_LOOKBACK, records.now).await;
    let listed = |incidents: Vec<Incident>| {
        let newest: Vec<_> = incidents.iter().rev().take(CALLS_TOLD_MAX).map(ToString::to_string).collect();
        match newest.is_empty() {
            true => "no alarm began an incident in the last 30 days".to_owned(),
            false => format!("alarms began these in the last 30 days, the newest first: {}", newest.join(", ")),
        }
    };
    let there = calls.map_or_else(|error| format!("which ones there were is not known: {error}"), listed);
    let missing: Vec<_> = records.sources.iter().filter(|source| source.starts_with(MISSING)).cloned().collect();
    let missing = if missing.is_empty() { String::new() } else { format!("; {}", missing.join("; ")) };
    Failure::Refused(format!(
        "no record knows of {}: copy the id from a message. {there}. What is older than the log groups' retention (LogRetentionDays) and the \
         alarms' 30 days is gone{missing}",
        records.incident
    ))
}

/// Shortly after the last that was put on record, or now.
fn end(records: &Records) -> Timestamp {
    let last = records.log.iter().map(|(at, _)| *at).max().unwrap_or(records.incident.began);
    (last + AROUND).min(records.now)
}
