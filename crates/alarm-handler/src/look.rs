//! What is looked at before anything is decided.

use aws::CallError;
use aws::beside;
use aws::cloudwatch::AlarmReader;
use aws::dns::NameServers;
use aws::probe::Prober;
use aws::route53::{RecordReader, protected_names, spreading_changes};
use aws::store::StoreReader;
use failover::incident::AlarmState;
use failover::latch::Reading;
use failover::listing::{Source, Unanswered};
use failover::observation::{Alarms, Changes, NameView, Probes, Targets};
use failover::pin::Observation;
use failover::plan::Plan;
use failover::signal::Signal;

/// When the records may be those of an earlier look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Where Route 53's API does not answer.
    InNeed,
    /// Also while all is quiet, as long as the plan says.
    Suffices,
}

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
    let (names, described, hold, targets, latch, primary, dr) = tokio::join!(
        records(plan, reader, beside, memory),
        alarms.alarms(&plan.alarms),
        hold_state(plan, alarms),
        targets(plan, alarms),
        beside::latch(plan, beside, reader.now()),
        prober.probe(plan.probes.primary.as_deref()),
        prober.probe(plan.probes.dr.as_deref()),
    );
    let described = described.inspect_err(|error| tracing::warn!(%error, "CloudWatch cannot be asked for the alarms"));
    let alarms = signal.known_alarms(plan, described.ok(), reader.now());
    let is_quiet = alarms.iter().flatten().all(|alarm| alarm.state == AlarmState::Ok) && alarms.is_some();
    let names = match names {
        Ok((_, Source::Remembered)) if !is_quiet || !matches!(latch, Reading::Open { .. }) => {
            records(plan, reader, beside, Memory::InNeed).await
        }
        names => names,
    };
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
    let probes = Probes { primary, dr, targets };
    let (approval, foreign_alarm) = (signal.approval().cloned(), signal.is_foreign(plan));
    let now = reader.now();
    Ok(Observation { now, alarms, hold, latch, source, probes, names, changes, approval, foreign_alarm })
}

/// The protected names, from memory where that suffices.
async fn records(
    plan: &Plan,
    reader: &impl RecordReader,
    beside: &(impl StoreReader + NameServers),
    memory: Memory,
) -> Result<(Vec<NameView>, Source), CallError> {
    if memory == Memory::Suffices {
        match beside::quiet(plan, beside, reader.now()).await {
            Ok(names) => return Ok((names, Source::Remembered)),
            Err(why) => tracing::debug!(why, "the records are listed"),
        }
    }
    protected_names(plan, reader).await.map(|names| (names, Source::Listed))
}

/// Whether DR's targets are healthy. What is not known of them holds a failover, as P15 says, and nothing else.
async fn targets(plan: &Plan, alarms: &impl AlarmReader) -> Targets {
    let Some(arn) = &plan.targets_alarm else { return Targets::NotAsked };
    let described = alarms.alarms(std::slice::from_ref(arn)).await;
    let described =
        described.inspect_err(|error| tracing::warn!(%error, "CloudWatch cannot be asked for DR's targets"));
    Targets::of(described.ok().as_deref())
}

/// Whether the switch hears the heartbeat. That it is not known keeps nothing from being decided.
async fn hold_state(plan: &Plan, alarms: &impl AlarmReader) -> Option<AlarmState> {
    let described = alarms.alarms(std::slice::from_ref(plan.hold_alarm.as_ref()?)).await;
    let described = described.inspect_err(|error| tracing::warn!(%error, "CloudWatch cannot be asked for the hold"));
    described.ok()?.first().map(|alarm| alarm.state)
}

/// Route 53 could not be read.
#[derive(Debug)]
pub struct Blind {
    /// The call that failed.
    pub error: CallError,
    pub(crate) alarms: Alarms,
    pub(crate) latch: Reading,
}
