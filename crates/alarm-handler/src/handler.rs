//! Observe, decide, act, return.

use std::collections::BTreeMap;

use aws::CallError;
use aws::cloudwatch::AlarmReader;
use aws::probe::Prober;
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter, protected_names, spreading_changes};
use aws::telemetry::{self, Metric};
use failover::change::{self, Batch, Write};
use failover::incident::{AlarmSighting, AlarmState, Approval, Incident};
use failover::name::Name;
use failover::observation::{Alarms, Fact, Probes};
use failover::outcome::{ApprovalNotCarriedOut, Finding, Kind, Outcome, Trigger};
use failover::pin::{self, Observation};
use failover::plan::{Plan, alarm_name};
use failover::register::{ArmedBy, Register, Spread};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};

use crate::event::Signal;

const FUNCTION: &str = "alarm-handler";

/// How often an invocation looks again when a write was overtaken or its outcome is unknown; then the tick goes on.
const PASSES_MAX: usize = 3;

/// How old an alarm's state may be for its event to speak alone. EventBridge delivers an event for up to 24 hours and
/// Lambda for six more, and by then the alarm may be over; three minutes of Lambda's own retries fit in well.
const SPEAKS_ALONE: SignedDuration = SignedDuration::from_mins(15);

/// Everything alarm-handler calls. Only `writer` can change anything.
#[derive(Clone, Debug)]
pub struct Calls<R, W, A, P> {
    /// Looks at Route 53.
    pub reader: R,
    /// Changes Route 53.
    pub writer: W,
    /// Looks at alarms.
    pub alarms: A,
    /// Asks the sites.
    pub prober: P,
}

impl<R, W, A, P> Calls<R, W, A, P>
where
    R: RecordReader,
    W: RecordWriter + HealthCheckWriter,
    A: AlarmReader,
    P: Prober,
{
    /// Handles one event.
    ///
    /// # Errors
    /// If returning would lose an approval.
    pub async fn handle(&self, plan: &Plan, signal: Signal) -> Result<Outcome, ApprovalNotCarriedOut> {
        let trigger = match signal {
            Signal::Tick => Trigger::Tick,
            Signal::Alarm(_) => Trigger::Event,
            Signal::Approval { .. } => Trigger::Approval,
        };
        let mut progress = Progress::default();
        let mut findings = Vec::new();
        for pass in 1..=PASSES_MAX {
            let seen = match observe(plan, &self.reader, &self.alarms, &self.prober, &signal).await {
                Ok(seen) => seen,
                Err(blind) => {
                    findings = vec![blind.into_finding()];
                    break;
                }
            };
            report_states(&seen);
            let pending;
            (pending, findings) = decide(plan, &seen, &mut progress);
            let pending = end_maintenance(&self.writer, plan, pending, &mut findings).await;
            act(&self.writer, pending, pass == PASSES_MAX, &mut progress, &mut findings).await;
            if progress.uncertain.is_empty() {
                break;
            }
        }
        findings.extend(progress.written.into_values());
        let outcome = Outcome::of(self.reader.now(), trigger, &findings);
        telemetry::report(FUNCTION, &outcome);
        if outcome.outcome == Kind::Pinned {
            telemetry::time_since_alarm(FUNCTION, "AlarmToPin", &outcome);
        }
        match (signal, findings.iter().find(|finding| keeps_an_approval_waiting(finding))) {
            // Once one name is pinned the tick pins the others, without an approval.
            (Signal::Approval { .. }, Some(finding)) if outcome.outcome != Kind::Pinned => {
                Err(ApprovalNotCarriedOut(finding.because.clone()))
            }
            _ => Ok(outcome),
        }
    }
}

/// Looks at everything at once: the records, the alarms, both sites. Nothing in it can write.
///
/// # Errors
/// If Route 53 cannot be read.
pub async fn observe(
    plan: &Plan,
    reader: &impl RecordReader,
    alarms: &impl AlarmReader,
    prober: &impl Prober,
    signal: &Signal,
) -> Result<Observation, Blind> {
    let (names, described, primary, dr) = tokio::join!(
        protected_names(plan, reader),
        alarms.alarms(&plan.alarms),
        prober.probe(plan.probes.primary.as_deref()),
        prober.probe(plan.probes.dr.as_deref()),
    );
    let now = reader.now();
    let (told, foreign_alarm, approval) = match signal {
        Signal::Tick => (None, false, None),
        Signal::Alarm(alarm) => {
            let is_ours = plan.alarms.contains(&alarm.arn);
            (is_ours.then(|| alarm.clone()), !is_ours, None)
        }
        Signal::Approval { approval, .. } => (declared(approval, now), false, Some(approval)),
    };
    let vouched = match signal {
        // An old approval delivered again is nobody's word about now: what it was given for may be over, failed back and
        // armed again.
        Signal::Approval { approval, given } if now.duration_since(*given) <= SPEAKS_ALONE => vouched(plan, approval),
        Signal::Tick | Signal::Alarm(_) | Signal::Approval { .. } => None,
    };
    let alarms = known_alarms(described, told, vouched, now);
    let names = match names {
        Ok(names) => names,
        Err(error) => return Err(Blind { error, alarms }),
    };
    let changes = spreading_changes(reader, &names).await;
    let probes = Probes { primary, dr };
    let approval = approval.cloned();
    Ok(Observation { now: reader.now(), alarms, probes, names, changes, approval, foreign_alarm })
}

/// A call failed that may yet succeed; `P06` waits only while nobody can tell what the alarm says.
fn keeps_an_approval_waiting(finding: &Finding) -> bool {
    finding.kind == Kind::Interrupted || (finding.rule == Some(Rule::P06) && finding.kind == Kind::Waiting)
}

/// A protected name in its zone.
type Key = (String, Name);

/// What is to be written, with what will be said of it.
type Pending = Vec<(Write, Finding)>;

/// What earlier passes of this invocation came to.
#[derive(Default)]
struct Progress {
    /// Names this invocation has written.
    written: BTreeMap<Key, Finding>,
    /// Names whose write may have taken effect or not.
    uncertain: BTreeMap<Key, (Write, Finding)>,
}

fn key(write: &Write) -> Key {
    (write.zone.clone(), write.name.clone())
}

/// Route 53 could not be read.
#[derive(Debug)]
pub struct Blind {
    /// The call that failed.
    pub error: CallError,
    alarms: Alarms,
}

impl Blind {
    fn into_finding(self) -> Finding {
        let ringing = self.alarms.iter().flatten().find(|alarm| alarm.state == AlarmState::Alarm);
        let incident = ringing.map(|alarm| Incident { alarm: alarm.name.clone(), began: alarm.since });
        let since = incident.as_ref().map(|incident| incident.began);
        Finding::interrupted("the records".to_owned(), &self.error, incident, since)
    }
}

/// The alarm that a person rings who starts a failover. An old request is none: what it was meant for may be over.
fn declared(approval: &Approval, now: Timestamp) -> Option<AlarmSighting> {
    let alarm = approval.incident.as_declared_alarm()?;
    (now.duration_since(alarm.since).abs() <= SPEAKS_ALONE).then_some(alarm)
}

/// The alarm as a person who approves its incident has seen it.
fn vouched(plan: &Plan, approval: &Approval) -> Option<AlarmSighting> {
    let Incident { alarm, began } = &approval.incident;
    let arn = plan.alarms.iter().find(|arn| alarm_name(arn) == Some(alarm))?;
    Some(AlarmSighting { arn: arn.clone(), name: alarm.clone(), state: AlarmState::Alarm, since: *began })
}

/// What CloudWatch says, and what the event says beyond it. Where CloudWatch does not answer, a fresh event speaks alone,
/// and so does a person: with us-east-1 down, nobody else can.
fn known_alarms(
    described: Result<Vec<AlarmSighting>, CallError>,
    told: Option<AlarmSighting>,
    vouched: Option<AlarmSighting>,
    now: Timestamp,
) -> Alarms {
    match (described, told) {
        (Ok(described), told) => Some(AlarmSighting::newest(described.into_iter().chain(told))),
        (Err(error), told) => {
            tracing::warn!(%error, "CloudWatch cannot be asked for the alarms");
            let fresh = told.filter(|alarm| now.duration_since(alarm.since) <= SPEAKS_ALONE);
            fresh.or(vouched).map(|alarm| vec![alarm])
        }
    }
}

/// Decides about every name that this invocation has not written yet.
fn decide(plan: &Plan, seen: &Observation, progress: &mut Progress) -> (Pending, Vec<Finding>) {
    let (mut pending, mut findings) = (Vec::new(), Vec::new());
    let mut uncertain = std::mem::take(&mut progress.uncertain);
    for view in &seen.names {
        let key = (view.zone.clone(), view.name.clone());
        if let Some((write, finding)) = uncertain.remove(&key)
            && view.register() == Some(&write.register)
        {
            // Our own write took effect after all. The tick records its change.
            progress.written.insert(key.clone(), finding);
        }
        if progress.written.contains_key(&key) {
            continue;
        }
        let decision = pin::decide(plan, seen, view);
        tracing::info!(
            name = %view.name, rule = %decision.row.rule, because = decision.row.condition,
            incident = decision.incident.as_ref().map(ToString::to_string), "decided"
        );
        let (verdict, incident) = (decision.row.verdict, decision.incident.clone());
        let mut finding = Finding::from(decision);
        match change::write(view, verdict, incident.as_ref(), seen.now) {
            Ok(Some(write)) => pending.push((write, finding)),
            Ok(None) => findings.push(finding),
            Err(error) => {
                finding.kind = Kind::Refused;
                finding.facts.push(Fact::new("fault", error));
                findings.push(finding);
            }
        }
    }
    (pending, findings)
}

/// Enables the failover health check before any register says that the maintenance is over: whoever is killed in
/// between leaves a register that the next tick ends again. What must wait for the check is left out.
async fn end_maintenance(
    writer: &impl HealthCheckWriter,
    plan: &Plan,
    pending: Pending,
    findings: &mut Vec<Finding>,
) -> Pending {
    let ends_one = |write: &Write| matches!(write.register, Register::Armed { by: ArmedBy::MaintenanceEnd, .. });
    let Some(check) = &plan.failover_health_check else { return pending };
    if !pending.iter().any(|(write, _)| ends_one(write)) {
        return pending;
    }
    let Err(error) = writer.set_disabled(check, false).await else { return pending };
    let (held, rest): (Pending, Pending) = pending.into_iter().partition(|(write, _)| ends_one(write));
    findings.extend(
        held.into_iter().map(|(write, finding)| {
            Finding::interrupted(write.name.to_string(), &error, finding.incident, finding.since)
        }),
    );
    rest
}

/// Writes, and puts on record which changes carry the pins.
async fn act(
    writer: &impl RecordWriter,
    pending: Pending,
    is_last_pass: bool,
    progress: &mut Progress,
    findings: &mut Vec<Finding>,
) {
    let mut found: BTreeMap<Key, Finding> = BTreeMap::new();
    let writes = pending.into_iter().map(|(write, finding)| {
        found.insert(key(&write), finding);
        write
    });
    let batches = change::batches(writes.collect());
    for batch in batches {
        let submitted = writer.submit(&batch).await;
        let with_findings = batch.writes.iter().filter_map(|write| Some((write, found.remove(&key(write))?)));
        match submitted {
            Ok(id) => {
                progress.written.extend(with_findings.map(|(write, finding)| (key(write), finding)));
                record_change(writer, &batch, id).await;
            }
            Err(error) if !is_last_pass && may_look_again(&error) => {
                tracing::warn!(%error, "looking again");
                let uncertain = with_findings.map(|(write, finding)| (key(write), (write.clone(), finding)));
                progress.uncertain.extend(uncertain);
            }
            Err(error) => findings.extend(with_findings.map(|(write, finding)| {
                Finding::interrupted(write.name.to_string(), &error, finding.incident, finding.since)
            })),
        }
    }
}

/// Overtaken by another write, or of unknown outcome: the zone itself tells. Other refusals would only be repeated.
fn may_look_again(error: &CallError) -> bool {
    match error {
        CallError::NeverSent { .. } | CallError::Unknown { .. } => true,
        CallError::Refused { .. } => error.is_refused_with("InvalidChangeBatch"),
    }
}

/// The pin is committed; this only spares the next tick from confirming it, so a failure here is no failure.
async fn record_change(writer: &impl RecordWriter, batch: &Batch, id: String) {
    let unrecorded =
        |write: &&Write| matches!(write.register, Register::Pinned { spread: Spread::Unrecorded { .. }, .. });
    let spread = Spread::Change { id };
    let writes = batch.writes.iter().filter(unrecorded);
    let records = writes.filter_map(|write| change::record_spread(write, spread.clone()).ok().flatten()).collect();
    for batch in change::batches(records) {
        if let Err(error) = writer.submit(&batch).await {
            tracing::warn!(%error, "the change that carries the pin is not on record; the tick confirms the pin");
        }
    }
}

/// How many names are in each state, every minute: for the alarm that says nothing is armed, and for the dashboard.
fn report_states(seen: &Observation) {
    let count =
        |is_it: fn(&Register) -> bool| seen.names.iter().filter(|view| view.register().is_some_and(is_it)).count();
    let states = [
        ("ArmedNames", count(|register| matches!(register, Register::Armed { .. }))),
        ("PausedNames", count(|register| matches!(register, Register::Paused { .. }))),
        ("PinnedNames", count(|register| matches!(register, Register::Pinned { .. }))),
        ("FailedOverNames", count(|register| matches!(register, Register::FailedOver { .. }))),
        ("ProtectedNames", seen.names.len()),
    ];
    #[expect(clippy::cast_precision_loss, reason = "a zone holds at most some ten thousand names")]
    let metrics = states.map(|(name, count)| Metric { name, unit: "Count", value: count as f64 });
    telemetry::emit(seen.now, &[("Function", FUNCTION)], &metrics);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(state: AlarmState, minute: i64) -> AlarmSighting {
        let since = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        AlarmSighting { arn: "a".to_owned(), name: "a".to_owned(), state, since }
    }

    #[test]
    fn an_event_speaks_alone_only_while_it_is_fresh() {
        let silent = || Err(CallError::Unknown { call: "DescribeAlarms", why: "timeout".to_owned() });
        let (ringing, over) = (sighting(AlarmState::Alarm, 10), sighting(AlarmState::Ok, 20));
        let now = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        for (story, described, told, now, known) in [
            ("a fresh event is believed", silent(), Some(&ringing), now(25), Some(vec![&ringing])),
            ("though the clocks differ", silent(), Some(&ringing), now(9), Some(vec![&ringing])),
            ("an old one is not", silent(), Some(&ringing), now(25) + SignedDuration::from_secs(1), None),
            ("nor that all is well", silent(), Some(&over), now(36), None),
            ("without an event nothing is known", silent(), None, now(25), None),
            ("CloudWatch's word has no age", Ok(vec![ringing.clone()]), None, now(900), Some(vec![&ringing])),
            ("nor has an event beside it", Ok(vec![ringing.clone()]), Some(&over), now(900), Some(vec![&over])),
            ("CloudWatch's newer word counts", Ok(vec![over.clone()]), Some(&ringing), now(21), Some(vec![&over])),
        ] {
            let alarms = known_alarms(described, told.cloned(), None, now);
            assert_eq!(alarms.as_ref().map(|alarms| alarms.iter().collect()), known, "{story}");
        }
    }

    #[test]
    fn a_person_who_starts_a_failover_rings_an_alarm_that_soon_falls_silent() {
        let began = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(10);
        let approval =
            |incident| Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: [].into() };
        let request = approval(Incident::declared(began));
        let rings =
            |minute: i64| declared(&request, Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)).is_some();
        assert_eq!([rings(-6), rings(-5), rings(10), rings(25), rings(26)], [false, true, true, true, false]);
        let of_an_alarm = Incident { alarm: "a".to_owned(), began };
        assert_eq!(declared(&approval(of_an_alarm), began), None);
    }

    #[test]
    fn a_person_vouches_for_the_alarm_only_where_cloudwatch_does_not_answer() {
        let (ringing, over) = (sighting(AlarmState::Alarm, 10), sighting(AlarmState::Ok, 5));
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(900);
        let silent = Err(CallError::Unknown { call: "DescribeAlarms", why: "timeout".to_owned() });
        assert_eq!(known_alarms(silent, None, Some(ringing.clone()), now), Some(vec![ringing.clone()]));
        assert_eq!(known_alarms(Ok(vec![over.clone()]), None, Some(ringing), now), Some(vec![over]));
    }
}
