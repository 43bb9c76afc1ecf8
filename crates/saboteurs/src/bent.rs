//! The sabotages, and the calls they bend.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use alarm_handler::handler::Calls;
use aws::CallError;
use aws::cloudwatch::{AlarmReader, LagOf, LagReader};
use aws::probe::{HttpProber, Prober};
use aws::rds::FenceWriter;
use aws::route53::{HealthCheckWriter, Reader, RecordReader, RecordWriter, Writer, protected_names};
use aws::sns::Publisher;
use failover::change::{self, Batch, Change, Write};
use failover::fence::Note;
use failover::incident::{AlarmSighting, AlarmState};
use failover::message::Message;
use failover::observation::{ChangeStatus, Probe, Silence};
use failover::plan::{Names, Plan, ReplicaId};
use failover::promotion::LagSample;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Register, Spread};
use jiff::{SignedDuration, Timestamp};

/// A rule to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// P09 and P10: the probes say what suits a failover.
    IgnoresProbes,
    /// P15: the alarm on DR's targets says OK, whatever it says.
    IgnoresTargets,
    /// R02: every change counts as in sync, and clients as drained.
    DoesNotWait,
    /// The compare-and-swap: what is there is deleted, whatever it is.
    Overwrites,
    /// What a pinned record said before is not kept.
    LosesOriginal,
    /// The records are written a second time, with another TTL.
    PinsTwice,
    /// The records go back by themselves once the alarm is OK.
    GoesBack,
    /// Only events wake the function once all is armed.
    IgnoresTicks,
    /// Nobody is told.
    KeepsSilent,
    /// R07: any loss is accepted.
    AcceptsAnyLoss,
    /// P12: approval mode counts as automatic.
    AsksNobody,
    /// P06: alarms ring though they do not, and the probes agree with them.
    HearsAlarms,
    /// P03: once a name is pinned nobody looks at it again.
    LeavesDrift,
    /// P05: a maintenance never ends.
    StaysPaused,
    /// R01: the databases are promoted though no name is pinned.
    PromotesAtOnce,
    /// X09: who is connected to a fenced database stays so.
    NeverReboots,
    /// What is so is remembered by the process: a new one begins as if nothing had happened.
    StartsAfresh,
    /// X06: what a fenced database's security groups were is not kept.
    ForgetsGroups,
    /// S06: a step's resource is changed first, and then put on record.
    RecordsLate,
    /// Nobody stays with an incident: all waits for the next tick.
    LeavesItToTicks,
    /// RDS's lag is believed though a heartbeat knows better: it says nothing of what a slow link holds.
    BelievesLag,
    /// A lag of 0 is believed of the whole minute it was told in: it is 0 for a minute after a silent cut.
    BelievesSilence,
    /// Readiness: what is not ready passes for ready.
    SeesNoRed,
    /// A lag that is not −1 is believed to be a replica's that is connected: one cut inside a transaction counts up.
    BelievesCounting,
}

impl Sabotage {
    /// The sabotage of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ignores-probes" => Self::IgnoresProbes,
            "ignores-targets" => Self::IgnoresTargets,
            "does-not-wait" => Self::DoesNotWait,
            "overwrites" => Self::Overwrites,
            "loses-original" => Self::LosesOriginal,
            "pins-twice" => Self::PinsTwice,
            "goes-back" => Self::GoesBack,
            "ignores-ticks" => Self::IgnoresTicks,
            "keeps-silent" => Self::KeepsSilent,
            "accepts-any-loss" => Self::AcceptsAnyLoss,
            "asks-nobody" => Self::AsksNobody,
            "hears-alarms" => Self::HearsAlarms,
            "leaves-drift" => Self::LeavesDrift,
            "stays-paused" => Self::StaysPaused,
            "promotes-at-once" => Self::PromotesAtOnce,
            "never-reboots" => Self::NeverReboots,
            "starts-afresh" => Self::StartsAfresh,
            "forgets-groups" => Self::ForgetsGroups,
            "records-late" => Self::RecordsLate,
            "leaves-it-to-ticks" => Self::LeavesItToTicks,
            "believes-lag" => Self::BelievesLag,
            "believes-silence" => Self::BelievesSilence,
            "sees-no-red" => Self::SeesNoRed,
            "believes-counting" => Self::BelievesCounting,
            _ => return None,
        })
    }
}

/// A call that is honest but for the sabotage.
pub struct Bent<T> {
    pub honest: T,
    pub sabotage: Sabotage,
}

/// A reader that is in a hurry, if it is told to be.
pub struct BentReader {
    pub honest: Reader,
    pub sabotage: Sabotage,
    /// A register that says in sync was seen.
    pub in_sync: AtomicBool,
}

impl RecordReader for BentReader {
    async fn record_sets(&self, zone: &str, names: &Names) -> Result<Vec<RecordSet>, CallError> {
        let sets = self.honest.record_sets(zone, names).await?;
        let is_in_sync =
            |set: &RecordSet| matches!(register_in(set), Some(Register::Pinned { spread: Spread::InSync { .. }, .. }));
        self.in_sync.fetch_or(sets.iter().any(is_in_sync), Ordering::Relaxed);
        Ok(sets)
    }

    async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError> {
        match self.sabotage {
            Sabotage::DoesNotWait => Ok(ChangeStatus::InSync),
            _ => self.honest.change_status(id).await,
        }
    }

    fn now(&self) -> Timestamp {
        let hurries = self.sabotage == Sabotage::DoesNotWait && self.in_sync.load(Ordering::Relaxed);
        self.honest.now() + if hurries { SignedDuration::from_mins(5) } else { SignedDuration::ZERO }
    }

    async fn wait(&self, seconds: u32) {
        self.honest.wait(seconds).await;
    }
}

/// A prober that says what suits a failover, if it lies.
#[derive(Default)]
pub struct BentProber {
    lies: AtomicBool,
}

impl BentProber {
    pub fn lies(&self) -> bool {
        self.lies.load(Ordering::Relaxed)
    }

    pub fn set_lies(&self, lies: bool) {
        self.lies.store(lies, Ordering::Relaxed);
    }
}

impl Prober for BentProber {
    async fn probe(&self, url: Option<&str>) -> Probe {
        match url.filter(|_| self.lies()) {
            // The drill's primary site; the other is DR's.
            Some(url) if url.contains("//127.0.10.1:") => Probe::Silent(Silence::TimedOut),
            Some(_) => Probe::Answers,
            None => HttpProber.probe(url).await,
        }
    }
}

impl Publisher for Bent<aws::sns::Topics> {
    async fn publish(&self, message: &Message) -> Result<(), CallError> {
        match self.sabotage {
            Sabotage::KeepsSilent => Ok(()),
            _ => self.honest.publish(message).await,
        }
    }
}

impl LagReader for Bent<aws::cloudwatch::Reader> {
    async fn good_lags(&self, of: LagOf<'_>, from: Timestamp, to: Timestamp) -> Result<Vec<LagSample>, CallError> {
        // What takes back the margin that the rules leave for it, and goes to the end of the minute that CloudWatch keeps a sample under.
        const MARGIN: SignedDuration = SignedDuration::from_secs(180);
        let honest = self.honest.good_lags(of, from, to).await?;
        let bent = |sample: LagSample| match self.sabotage {
            Sabotage::BelievesSilence => LagSample { at: sample.at + MARGIN, ..sample },
            Sabotage::BelievesCounting => LagSample { seconds: 0, ..sample },
            _ => sample,
        };
        Ok(honest.into_iter().map(bent).collect())
    }
}

impl FenceWriter for Bent<aws::rds::Writer> {
    async fn note(&self, arn: &str, note: &Note) -> Result<(), CallError> {
        match self.sabotage {
            Sabotage::ForgetsGroups => {
                self.honest.note(arn, &Note { original: ["sg-another".to_owned()].into(), ..note.clone() }).await
            }
            _ => self.honest.note(arn, note).await,
        }
    }

    async fn set_groups(&self, database: &ReplicaId, groups: &BTreeSet<String>) -> Result<(), CallError> {
        self.honest.set_groups(database, groups).await
    }

    async fn reboot(&self, instance: &str) -> Result<(), CallError> {
        match self.sabotage {
            Sabotage::NeverReboots => Ok(()),
            _ => self.honest.reboot(instance).await,
        }
    }
}

/// A writer that bends what it is given.
pub struct BentWriter {
    pub reader: Reader,
    pub writer: Writer,
    pub sabotage: Sabotage,
}

impl HealthCheckWriter for BentWriter {
    async fn set_disabled(&self, check: &str, disabled: bool) -> Result<(), CallError> {
        self.writer.set_disabled(check, disabled).await
    }
}

impl RecordWriter for BentWriter {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        match self.sabotage {
            Sabotage::Overwrites => match self.writer.submit(batch).await {
                Err(CallError::Refused { .. }) => {
                    let there = self.reader.record_sets(&batch.zone, &Names::EveryPair).await?;
                    self.writer.submit(&with_changes(batch, |change| Some(deleting_what_is(&there, change)))).await
                }
                ended => ended,
            },
            Sabotage::LosesOriginal => {
                self.writer.submit(&with_changes(batch, |change| Some(forgetting(change)))).await
            }
            Sabotage::PinsTwice => {
                let id = self.writer.submit(batch).await?;
                let again = with_changes(batch, |_| None);
                let again =
                    Batch { writes: again.writes.into_iter().zip(&batch.writes).map(slower).collect(), ..again };
                if again.changes().next().is_some() {
                    self.writer.submit(&again).await?;
                }
                Ok(id)
            }
            _ => self.writer.submit(batch).await,
        }
    }
}

fn with_changes(batch: &Batch, bend: impl Fn(&Change) -> Option<Change>) -> Batch {
    let write = |write: &Write| Write { changes: write.changes.iter().filter_map(&bend).collect(), ..write.clone() };
    Batch { zone: batch.zone.clone(), writes: batch.writes.iter().map(write).collect() }
}

fn deleting_what_is(there: &[RecordSet], change: &Change) -> Change {
    let Change::Delete(observed) = change else { return change.clone() };
    let same =
        |set: &&RecordSet| (&set.name, &set.kind, &set.routing) == (&observed.name, &observed.kind, &observed.routing);
    Change::Delete(there.iter().find(same).unwrap_or(observed).clone())
}

fn register_in(set: &RecordSet) -> Option<Register> {
    set.name.protected_by_register()?;
    let Target::Values { values, .. } = &set.target else { return None };
    Register::parse(&values.concat().replace("\" \"", "").replace('"', "")).ok()
}

fn forgetting(change: &Change) -> Change {
    let Change::Create(set) = change else { return change.clone() };
    let Some(name) = set.name.protected_by_register() else { return change.clone() };
    let Some(mut register) = register_in(set) else { return change.clone() };
    if let Register::Pinned { pin, .. } | Register::FailedOver { pin, .. } = &mut register
        && let Some(Target::Values { values, .. }) = pin.original.get_mut("A")
    {
        *values = vec!["192.0.2.9".to_owned()];
    }
    register.record_set(&name).map_or_else(|_| change.clone(), Change::Create)
}

/// The created records of a name once more, with another TTL.
fn slower((again, written): (Write, &Write)) -> Write {
    let mut changes = Vec::new();
    for change in &written.changes {
        let Change::Create(set) = change else { continue };
        let (Routing::Failover { .. }, Target::Values { ttl_seconds, values }) = (&set.routing, &set.target) else {
            continue;
        };
        let target = Target::Values { ttl_seconds: ttl_seconds + 1, values: values.clone() };
        changes.extend([Change::Delete(set.clone()), Change::Create(RecordSet { target, ..set.clone() })]);
    }
    Write { changes, ..again }
}

/// Alarms that ring from some moment on, whatever they say.
pub struct BentAlarms {
    pub honest: aws::cloudwatch::Reader,
    pub sabotage: Sabotage,
    pub ringing_since: OnceLock<Timestamp>,
}

impl AlarmReader for BentAlarms {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let honest = self.honest.alarms(arns).await?;
        if self.sabotage == Sabotage::IgnoresTargets {
            let well = |alarm: AlarmSighting| match alarm.arn.ends_with("-dr-healthy") {
                true => AlarmSighting { state: AlarmState::Ok, ..alarm },
                false => alarm,
            };
            return Ok(honest.into_iter().map(well).collect());
        }
        let Some(&since) = self.ringing_since.get() else { return Ok(honest) };
        Ok(honest.into_iter().map(|alarm| AlarmSighting { state: AlarmState::Alarm, since, ..alarm }).collect())
    }
}

/// True if some register is as `is_so` says.
pub async fn some_register(plan: &Plan, reader: &impl RecordReader, is_so: fn(&Register) -> bool) -> bool {
    let Ok(names) = protected_names(plan, reader).await else { return false };
    names.iter().filter_map(|name| name.register()).any(is_so)
}

/// True if every name has been armed for longer than the settle time.
pub async fn all_are_settled(plan: &Plan, reader: &impl RecordReader) -> bool {
    let Ok(names) = protected_names(plan, reader).await else { return false };
    let settled = SignedDuration::from_secs(plan.limits.settle_seconds.into());
    let now = reader.now();
    names.iter().all(|name| matches!(name.register(), Some(Register::Armed { since, .. }) if *since + settled < now))
}

/// True if no name is in an incident.
pub async fn all_are_armed(plan: &Plan, reader: &impl RecordReader) -> bool {
    let Ok(names) = protected_names(plan, reader).await else { return false };
    names.iter().all(|name| matches!(name.register(), Some(Register::Armed { .. })))
}

/// Arms every name that is in an incident, as if there were none.
pub async fn start_afresh<R: RecordReader, W: RecordWriter, A, P, B>(plan: &Plan, calls: &Calls<R, W, A, P, B>) {
    let Ok(views) = protected_names(plan, &calls.reader).await else { return };
    let armed = Register::armed(calls.reader.now(), ArmedBy::Settling);
    let in_incident = views.iter().filter(|view| view.register().and_then(Register::pin).is_some());
    let writes = in_incident.filter_map(|view| change::rewrite_register(view, armed.clone()).ok());
    for batch in change::batches(writes.collect()) {
        // Whoever was faster has the last word.
        let _ = calls.writer.submit(&batch).await;
    }
}

/// Writes the original values back where the alarm is over; true if there was anything to write.
pub async fn went_back<R: RecordReader, W: RecordWriter, A: AlarmReader, P, B>(
    plan: &Plan,
    calls: &Calls<R, W, A, P, B>,
) -> bool {
    let Ok(alarms) = calls.alarms.alarms(&plan.alarms).await else { return false };
    if alarms.iter().any(|alarm| alarm.state == AlarmState::Alarm) {
        return false;
    }
    let mut wrote = false;
    for zone in &plan.zones {
        let Ok(sets) = calls.reader.record_sets(&zone.id, &zone.names).await else { continue };
        let Ok(views) = protected_names(plan, &calls.reader).await else { continue };
        let writes = views.iter().filter(|view| view.zone == zone.id).filter_map(|view| {
            let register = view.register()?;
            let Register::FailedOver { pin, .. } = register else { return None };
            let of_name = sets.iter().filter(|set| set.name == view.name);
            let primaries =
                of_name.filter(|set| matches!(&set.routing, Routing::Failover { role, .. } if *role == Role::Primary));
            let back = primaries.filter_map(|set| {
                let target = pin.original.get(&set.kind).filter(|target| **target != set.target)?.clone();
                Some([Change::Delete(set.clone()), Change::Create(RecordSet { target, ..set.clone() })])
            });
            let changes = back.flatten().collect();
            Some(Write { zone: zone.id.clone(), name: view.name.clone(), register: register.clone(), changes })
        });
        let batch = Batch { zone: zone.id.clone(), writes: writes.collect() };
        if batch.changes().next().is_some() {
            wrote |= calls.writer.submit(&batch).await.is_ok();
        }
    }
    wrote
}
