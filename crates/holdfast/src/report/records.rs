//! What AWS has on record of an incident. A source that does not answer is a gap in the report, not the end of it: it is
//! read while a region is down.

use aws::CallError;
use aws::cloudwatch::LagReader as _;
use aws::history::{Reader, Told, Turn};
use aws::route53::{RecordReader as _, protected_names};
use aws::telemetry::Record;
use failover::incident::Incident;
use failover::observation::NameView;
use failover::outcome::Kind;
use failover::plan::{ReplicaId, alarm_name};
use failover::promotion::LagSample;
use failover::register::Register;
use jiff::{SignedDuration, Timestamp};

use crate::failure::Failure;
use crate::workload::Workload;

/// RDS keeps events for 14 days (DescribeEvents), CloudWatch alarms' history for 30.
const LOOKBACK: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What belongs to an incident before its alarm and after its end.
const AROUND: SignedDuration = SignedDuration::from_mins(10);

/// How far back a lag sample may lie: CloudWatch has one a minute, some minutes late.
const LAG_LOOKBACK: SignedDuration = SignedDuration::from_mins(60);

/// A replica says 0 for up to a minute after the last write has arrived, while the link is silent (`slave_net_timeout`, 60 s), and a
/// sample is of any moment of its minute.
const SILENT_LINK: SignedDuration = SignedDuration::from_secs(120);

/// Up to when a database probably had everything, going by a lag sample.
pub fn probably_complete_until(sample: LagSample) -> Timestamp {
    let behind = SignedDuration::from_secs(i64::try_from(sample.seconds).unwrap_or(i64::MAX));
    sample.at.checked_sub(behind).and_then(|at| at.checked_sub(SILENT_LINK)).unwrap_or(Timestamp::MIN)
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
    /// The detector's alarms, the oldest turn first.
    pub turns: Vec<Turn>,
    /// What RDS told of the plan's databases.
    pub told: Vec<Told>,
    /// The last good sample of lag before each database was promoted.
    pub lags: Vec<(ReplicaId, Option<LagSample>)>,
    /// What the functions put on record, the oldest first.
    pub log: Vec<(Timestamp, Record)>,
    /// Where it is from, and what did not answer.
    pub sources: Vec<String>,
}

impl Records {
    /// When a function first put an outcome of this kind on record.
    pub fn first(&self, kind: Kind) -> Option<Timestamp> {
        self.log.iter().find_map(|(_, record)| match record {
            Record::Returned(outcome) if outcome.outcome == kind => Some(outcome.at),
            _ => None,
        })
    }
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
        let found = history.records(&function, &incident.to_string(), incident.began - AROUND, now).await;
        log.extend(noted(&mut sources, &format!("the log of {function}"), found));
    }
    log.sort_by_key(|(at, _)| *at);
    let mut records =
        Records { now, incident, names, turns: Vec::new(), told: Vec::new(), lags: Vec::new(), log, sources };
    let to = end(&records);
    for arn in &workload.plan.alarms {
        let turns = history.turns(arn, from, to).await;
        let what = format!("the history of {} and its detector's alarms", alarm_name(arn).unwrap_or(arn));
        records.turns.extend(noted(&mut records.sources, &what, turns));
    }
    for database in &workload.plan.replicas {
        let told = history.told(database, from, to).await;
        records.told.extend(noted(&mut records.sources, &format!("RDS's events of {database} (best effort)"), told));
        let asked = records.first(Kind::PromotionRequested).unwrap_or(records.incident.began);
        let lag = workload.metrics.last_good_lag(database, asked - LAG_LOOKBACK, asked).await;
        let lag = noted(&mut records.sources, &format!("the lag of {database}"), lag.map(Vec::from_iter));
        records.lags.push((database.clone(), lag.into_iter().next()));
    }
    Ok(records)
}

/// What a source gave; that it gave nothing, or did not answer, is told.
fn noted<T>(sources: &mut Vec<String>, what: &str, answer: Result<Vec<T>, CallError>) -> Vec<T> {
    match answer {
        Ok(found) => {
            sources.push(format!("{what}: {} found", found.len()));
            found
        }
        Err(error) => {
            sources.push(format!("MISSING: {what}: {error}"));
            Vec::new()
        }
    }
}

fn under_way(names: &[NameView]) -> Option<Incident> {
    names.iter().find_map(|view| view.register().and_then(Register::pin)).map(|pin| pin.incident.clone())
}

/// The plan's alarms' last call.
async fn last(workload: &Workload, history: &Reader, now: Timestamp) -> Result<Incident, Failure> {
    let mut calls = Vec::new();
    for arn in &workload.plan.alarms {
        let turns = history.turns(arn, now - LOOKBACK, now).await?;
        calls.extend(
            turns.into_iter().filter(|turn| Some(turn.alarm.as_str()) == alarm_name(arn) && turn.to == "ALARM"),
        );
    }
    let none = || Failure::Refused("there was no incident in the last 14 days".to_owned());
    let call = calls.into_iter().max_by_key(|turn| turn.at).ok_or_else(none)?;
    // An incident is named by whole seconds.
    let began = Timestamp::from_second(call.at.as_second()).unwrap_or(call.at);
    Ok(Incident { alarm: call.alarm, began })
}

/// Shortly after the last that was put on record, or now.
fn end(records: &Records) -> Timestamp {
    let last = records.log.iter().map(|(at, _)| *at).max().unwrap_or(records.incident.began);
    (last + AROUND).min(records.now)
}
