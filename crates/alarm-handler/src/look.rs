//! What is looked at before anything is decided.

use std::collections::BTreeMap;

use aws::CallError;
use aws::beside;
use aws::cloudwatch::AlarmReader;
use aws::dns::NameServers;
use aws::probe::Prober;
use aws::route53::{RecordReader, protected_names, spreading_changes};
use aws::store::StoreReader;
use failover::incident::{AlarmSighting, AlarmState};
use failover::latch::Reading;
use failover::listing::{Source, Unanswered};
use failover::observation::{Alarms, Changes, NameView, Probes, Targets};
use failover::pin::Observation;
use failover::plan::{Plan, arn_region};
use failover::signal::Signal;
use futures_util::future::join_all;
use jiff::Timestamp;

/// When the records may be those of an earlier look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Where Route 53's API does not answer.
    InNeed,
    /// Also while all is quiet, as long as the plan says.
    Suffices,
}

/// How long a tick leaves a failover that has just begun to whoever the alarm's own event woke, so that no two of them list and write the
/// same: an account has five requests a second at Route 53, for all workloads that fail over at once. The tick waits and then looks, so that
/// an event that was lost costs no more than without.
const BEGINNING_SECONDS: u32 = 15;

/// Looks at everything at once: the records, the alarms, both sites. Nothing in it can write.
///
/// # Errors
/// If Route 53 cannot be read and nothing is remembered of the records, or if somebody took away the right to read them or the zone itself.
pub async fn observe(
    plan: &Plan,
    reader: &impl RecordReader,
    alarms: &impl AlarmReader,
    prober: &impl Prober,
    beside: &(impl StoreReader + NameServers),
    (signal, memory): (&Signal, Memory),
) -> Result<Observation, Blind> {
    let surroundings = async || surroundings(plan, reader, alarms, prober, (signal, beside)).await;
    let (around, names) = match memory {
        Memory::InNeed => {
            let (around, names) = tokio::join!(surroundings(), protected_names(plan, reader));
            (around, names.map(|names| (names, Source::Listed)))
        }
        Memory::Suffices => {
            let around = surroundings().await;
            if let Some(names) = around.quiet_names(plan, beside, reader.now()).await {
                (around, Ok((names, Source::Remembered)))
            } else {
                let around = match around.beginning_seconds(reader.now()) {
                    0 => around,
                    seconds => {
                        reader.wait(seconds).await;
                        surroundings().await
                    }
                };
                (around, protected_names(plan, reader).await.map(|names| (names, Source::Listed)))
            }
        }
    };
    let Surroundings { alarms, hold, latch, probes } = around;
    let (names, source) = match names {
        Ok(names) => names,
        // A decision from memory would go by whoever took that away.
        Err(error) if error.is_refused_on_purpose() => return Err(Blind { error, alarms, latch }),
        Err(error) => match beside::remembered(plan, beside, || reader.now()).await {
            Ok(names) => (names, Source::Unanswered(Unanswered { fate: error.fate(), error: error.to_string() })),
            Err(why) => {
                tracing::warn!(why, "nothing is remembered of the records");
                return Err(Blind { error, alarms, latch });
            }
        },
    };
    let changes = match source {
        Source::Listed => spreading_changes(reader, &names).await,
        Source::Remembered | Source::Unanswered(_) => Changes::new(),
    };
    let (approval, foreign_alarm) = (signal.approval().cloned(), signal.is_foreign(plan));
    let now = reader.now();
    Ok(Observation { now, alarms, hold, latch, source, probes, names, changes, approval, foreign_alarm })
}

/// All that is seen but the records.
struct Surroundings {
    alarms: Alarms,
    hold: Option<AlarmState>,
    latch: Reading,
    probes: Probes,
}

impl Surroundings {
    /// The protected names, from memory, if all is quiet and that suffices.
    async fn quiet_names(
        &self,
        plan: &Plan,
        beside: &(impl StoreReader + NameServers),
        now: Timestamp,
    ) -> Option<Vec<NameView>> {
        let are_ok = self.alarms.as_ref().is_some_and(|known| known.iter().all(|alarm| alarm.state == AlarmState::Ok));
        if !are_ok || !matches!(self.latch, Reading::Open { .. }) {
            return None;
        }
        let names = beside::quiet(plan, beside, now).await;
        names.inspect_err(|why| tracing::debug!(why, "the records are listed")).ok()
    }

    /// For how many seconds yet a failover has just begun: an alarm has rung, or the latch was closed.
    fn beginning_seconds(&self, now: Timestamp) -> u32 {
        let ringing = self.alarms.iter().flatten().filter(|alarm| alarm.state == AlarmState::Alarm);
        let began = ringing.map(|alarm| alarm.since).chain(self.latch.closed().map(|latch| latch.at));
        let past = |at: Timestamp| u32::try_from(now.duration_since(at).as_secs().max(0)).unwrap_or(u32::MAX);
        began.map(|at| BEGINNING_SECONDS.saturating_sub(past(at))).max().unwrap_or_default()
    }
}

async fn surroundings(
    plan: &Plan,
    reader: &impl RecordReader,
    alarms: &impl AlarmReader,
    prober: &impl Prober,
    (signal, store): (&Signal, &impl StoreReader),
) -> Surroundings {
    let (described, latch, primary, dr) = tokio::join!(
        described(plan, alarms),
        beside::latch(plan, store, reader.now()),
        prober.probe(plan.probes.primary.as_deref()),
        prober.probe(plan.probes.dr.as_deref()),
    );
    // Everything is decided also where the hold alarm is not known. What is not known of DR's targets holds a failover, as P15 says.
    let hold = plan.hold_alarm.as_ref().and_then(|arn| described.of(std::slice::from_ref(arn)));
    let hold = hold.and_then(|found| found.first().map(|alarm| alarm.state));
    let targets = match &plan.targets_alarm {
        None => Targets::NotAsked,
        Some(arn) => Targets::of(described.of(std::slice::from_ref(arn)).as_deref()),
    };
    let alarms = signal.known_alarms(plan, described.of(&plan.alarms), reader.now());
    Surroundings { alarms, hold, latch, probes: Probes { primary, dr, targets } }
}

/// What CloudWatch says of alarms, by the region it was asked in.
struct Described(BTreeMap<Option<String>, Option<Vec<AlarmSighting>>>);

impl Described {
    /// What is said of these alarms; nothing if a region of theirs did not answer.
    fn of(&self, arns: &[String]) -> Option<Vec<AlarmSighting>> {
        let mut found = Vec::new();
        for (region, answer) in &self.0 {
            let wanted: Vec<_> = arns.iter().filter(|arn| arn_region(arn) == region.as_deref()).collect();
            if !wanted.is_empty() {
                found.extend(answer.as_ref()?.iter().filter(|alarm| wanted.contains(&&alarm.arn)).cloned());
            }
        }
        Some(found)
    }
}

/// Asks each region once for all alarms there, so that what one region does not say takes nothing from what another says.
async fn described(plan: &Plan, alarms: &impl AlarmReader) -> Described {
    let mut by_region: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for arn in plan.alarms.iter().chain(&plan.hold_alarm).chain(&plan.targets_alarm) {
        by_region.entry(arn_region(arn).map(str::to_owned)).or_default().push(arn.clone());
    }
    let answers = by_region.into_iter().map(async |(region, arns)| {
        let answer = alarms.alarms(&arns).await;
        let answer =
            answer.inspect_err(|error| tracing::warn!(%error, region, "CloudWatch cannot be asked for alarms"));
        (region, answer.ok())
    });
    Described(join_all(answers).await.into_iter().collect())
}

/// Route 53 could not be read.
#[derive(Debug)]
pub struct Blind {
    /// The call that failed.
    pub error: CallError,
    pub(crate) alarms: Alarms,
    pub(crate) latch: Reading,
}
