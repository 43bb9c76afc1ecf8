//! Pins of many records against one call a record, at the rate that the lab's Route 53 takes, as the real one does.
//!
//! All times are lab time. While the function works, lab time is real time. The peer needs no time of its own but the calls',
//! so between two of them the lab hurries.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet, ResourceRecordSetFailover};
use failover::name::Name;
use failover::record::Target;
use failover::register::{Register, Spread};
use jiff::{SignedDuration, Timestamp};
use lab::journal::{Entry, What};
use serde::Serialize;

use crate::Failure;
use crate::process::{Launch, Process};
use crate::quota::Quota;
use crate::records::{PRIMARY, SECONDARY, half, put, register};
use crate::stage::{ACCESS_KEY, Case, REST, Stage};

/// What the template gives alarm-handler.
pub const MEMORY_MB: u32 = 256;
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// Route 53's quotas (developer guide, "Quotas"), as the floor is made of them.
const CALLS_A_SECOND: usize = 5;
const ELEMENTS_A_BATCH: usize = 1_000;
const CHARACTERS_A_BATCH: usize = 32_000;
const SETS_A_PAGE: usize = 300;

/// Holdfast's own pace, so that neither is refused.
const PEER_PAUSE: SignedDuration = SignedDuration::from_millis(202);
/// Beyond this the peer's time is calculated from what it took for as many.
const PEER_RECORDS_MAX: usize = 1_000;

/// Who pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// alarm-handler: atomic batches, compare-and-swap, a register beside each name.
    Holdfast,
    /// One UPSERT a record, as fast as the rate lets it; neither looks nor remembers.
    OneCallARecord,
    /// The same, from the time a call took for fewer records.
    OneCallARecordCalculated,
}

/// One way to pin so many records.
#[derive(Debug, Serialize)]
pub struct Pinned {
    /// How many failover pairs.
    pub records: usize,
    /// Who.
    pub by: By,
    /// ListResourceRecordSets before the last pin was accepted.
    pub lists: usize,
    /// ChangeResourceRecordSets that carried pins.
    pub writes: usize,
    /// Calls that Route 53 refused for its rate, until the end.
    pub refused: usize,
    /// From the event until Route 53 had accepted the last pin.
    pub pinned_seconds: f64,
    /// When the last of the fewest possible calls (pages to list, batches to write) can leave at five a second.
    pub floor_seconds: Option<f64>,
    /// From the event until the function returned: the change that carries each pin is on record then.
    pub end_seconds: Option<f64>,
    /// The most memory the function held.
    pub memory_mib: Option<f64>,
}

/// Pins so many records in each way.
///
/// # Errors
/// If something cannot be set up, or not all is pinned in the end.
pub async fn measure(stage: &Stage, counts: &[u32], binaries: &Path, bundle: &Path) -> Result<Vec<Pinned>, Failure> {
    // The lab keeps a zone whole for each change on its way, and nothing here waits for the name servers.
    stage.lab.route53.set_propagation(Duration::from_secs(1)..=Duration::from_secs(1));
    let mut pins = Vec::new();
    for &count in counts {
        let count = count as usize;
        eprintln!("bench: pinning {count} records");
        pins.push(by_holdfast(stage, count, binaries, bundle).await?);
        pins.push(match pins.iter().rev().find(|pin| pin.by == By::OneCallARecord && count > PEER_RECORDS_MAX) {
            Some(measured) => calculated(measured, count),
            None => one_call_a_record(stage, count).await?,
        });
    }
    Ok(pins)
}

fn names(domain: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |nth| format!("n{nth:05}.{domain}"))
}

/// A zone with so many pairs; their PRIMARY records too.
async fn zone(stage: &Stage, domain: &str, count: usize) -> Result<(String, Vec<ResourceRecordSet>), Failure> {
    let zone = stage.lab.route53.create_zone(stage.lab.clock.now(), domain)?;
    let pair = |role: ResourceRecordSetFailover, to: &'static str| {
        names(domain, count).map(move |name| half(&name, &role, to, &stage.check)).collect::<Result<Vec<_>, _>>()
    };
    let primary = pair(ResourceRecordSetFailover::Primary, PRIMARY)?;
    put(&stage.lab, &stage.route53, &zone, primary.clone()).await?;
    put(&stage.lab, &stage.route53, &zone, pair(ResourceRecordSetFailover::Secondary, SECONDARY)?).await?;
    Ok((zone, primary))
}

async fn by_holdfast(stage: &Stage, count: usize, binaries: &Path, bundle: &Path) -> Result<Pinned, Failure> {
    let domain = format!("holdfast-{count}.example");
    let (zone, _) = zone(stage, &domain, count).await?;
    let armed = names(&domain, count).map(|name| register(&name.parse()?, &stage.armed()));
    put(&stage.lab, &stage.route53, &zone, armed.collect::<Result<Vec<_>, Failure>>()?).await?;
    stage.lab.clock.sleep(REST).await;

    let command = vec![binaries.join("alarm-handler").into()];
    let launch = Launch { command, environment: stage.environment(&zone, "ALL", bundle), timeout: TIMEOUT };
    let quota = Quota::of_memory(MEMORY_MB)?;
    let before = stage.lab.journal.entries().len();
    let working = stage.lab.clock.working();
    let (mut process, _) = Process::start(&launch, Some(&quota)).await?;
    let event = stage.lab.clock.now();
    let (outcome, took) = process.invoke(&stage.event(Case::Pin)).await?;
    drop(working);
    let journal = stage.lab.journal.entries().split_off(before);
    if outcome["outcome"] != "Pinned" || !all_pinned(stage, &zone, count) {
        return Err(format!("not all of {count} records were pinned: {outcome}").into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a function holds far less than 2⁵² bytes")]
    let memory_mib = process.memory_kib_max()? as f64 / 1_024.0;
    process.end().await?;
    let pins: Vec<_> = changes(&journal, &zone).filter(|(_, pins)| *pins).collect();
    let pinned = pins.last().ok_or("no change of the zone is in the journal")?.0;
    let lists = calls(&journal, "ListResourceRecordSets", None).filter(|at| *at <= pinned).count();
    let throttled = |action| calls(&journal, action, Some("Throttling")).count();
    Ok(Pinned {
        records: count,
        by: By::Holdfast,
        lists,
        writes: pins.len(),
        refused: throttled("ListResourceRecordSets") + throttled("ChangeResourceRecordSets"),
        pinned_seconds: pinned.duration_since(event).as_secs_f64(),
        floor_seconds: Some(floor_seconds(stage, &zone, &domain, count)?),
        end_seconds: Some(took.as_secs_f64()),
        memory_mib: Some(memory_mib),
    })
}

/// When a function's calls of one kind were answered: well, or with this error.
fn calls<'a>(journal: &'a [Arc<Entry>], wanted: &'a str, wrong: Option<&'a str>) -> impl Iterator<Item = Timestamp> {
    journal.iter().filter_map(move |entry| match &entry.what {
        What::Call { caller, action, error, .. } if caller == ACCESS_KEY && action == wanted => {
            (error.as_deref() == wrong).then_some(entry.at)
        }
        _ => None,
    })
}

/// When the zone was changed, and whether that altered more than registers.
fn changes<'a>(journal: &'a [Arc<Entry>], wanted: &'a str) -> impl Iterator<Item = (Timestamp, bool)> {
    journal.iter().filter_map(move |entry| match &entry.what {
        What::Change { zone, status, names, .. } if zone == wanted && status == "PENDING" => {
            Some((entry.at, names.iter().any(|name| !name.starts_with("_holdfast."))))
        }
        _ => None,
    })
}

fn all_pinned(stage: &Stage, zone: &str, count: usize) -> bool {
    let records = stage.lab.route53.records(zone);
    let to_dr = records.iter().filter(|set| set.values() == [SECONDARY]).count();
    to_dr == 2 * count && !records.iter().any(|set| set.values() == [PRIMARY])
}

/// The fewest pages that hold the zone, and the fewest batches that hold what a pin must delete and create.
fn floor_seconds(stage: &Stage, zone: &str, domain: &str, count: usize) -> Result<f64, Failure> {
    let pages = stage.lab.route53.records(zone).len().div_ceil(SETS_A_PAGE);
    let name: Name = names(domain, 1).next().ok_or("there is a name")?.parse()?;
    let at = Timestamp::from_second(stage.lab.clock.now().as_second())?;
    let length = |register: Register| -> Result<usize, Failure> {
        match register.record_set(&name)?.target {
            Target::Values { values, .. } => Ok(values.iter().map(String::len).sum()),
            Target::Alias { .. } => Err("a register has values".into()),
        }
    };
    let registers = length(stage.armed())? + length(stage.pinned(at, Spread::Unrecorded { at }))?;
    let characters = count * (registers + PRIMARY.len() + SECONDARY.len());
    let batches = characters.div_ceil(CHARACTERS_A_BATCH).max((4 * count).div_ceil(ELEMENTS_A_BATCH));
    // Five leave at once, and then five each second.
    #[expect(clippy::cast_precision_loss, reason = "some hundred calls")]
    Ok(((pages + batches - 1) / CALLS_A_SECOND) as f64)
}

async fn one_call_a_record(stage: &Stage, count: usize) -> Result<Pinned, Failure> {
    let (zone, primary) = zone(stage, &format!("one-call-a-record-{count}.example"), count).await?;
    stage.lab.clock.sleep(REST).await;
    let before = stage.lab.journal.entries().len();
    let began = stage.lab.clock.now();
    let mut turn = began;
    for set in primary {
        stage.lab.clock.sleep_until(turn).await;
        let _working = stage.lab.clock.working();
        turn = stage.lab.clock.now() + PEER_PAUSE;
        let mut pinned = set;
        for record in pinned.resource_records.iter_mut().flatten() {
            record.value = SECONDARY.to_owned();
        }
        let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(pinned).build()?;
        let batch = ChangeBatch::builder().changes(change).build()?;
        stage.route53.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch).send().await?;
    }
    if !all_pinned(stage, &zone, count) {
        return Err("one call a record has not pinned all".into());
    }
    let journal = stage.lab.journal.entries().split_off(before);
    let ours: BTreeSet<_> = changes(&journal, &zone).map(|(at, _)| at).collect();
    let last = ours.last().ok_or("no change of the zone is in the journal")?;
    let is_refused =
        |entry: &&Arc<Entry>| matches!(&entry.what, What::Call { error: Some(code), .. } if code == "Throttling");
    Ok(Pinned {
        records: count,
        by: By::OneCallARecord,
        lists: 0,
        writes: count,
        refused: journal.iter().filter(is_refused).count(),
        pinned_seconds: last.duration_since(began).as_secs_f64(),
        floor_seconds: None,
        end_seconds: None,
        memory_mib: None,
    })
}

fn calculated(measured: &Pinned, count: usize) -> Pinned {
    #[expect(clippy::cast_precision_loss, reason = "thousands of records")]
    let times = (count - 1) as f64 / (measured.records - 1).max(1) as f64;
    Pinned {
        records: count,
        by: By::OneCallARecordCalculated,
        writes: count,
        refused: 0,
        pinned_seconds: measured.pinned_seconds * times,
        ..*measured
    }
}
