//! Cold start, first and warm invocation, memory and package of each function beside its Python twin.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use jiff::SignedDuration;
use serde::Serialize;

use crate::Failure;
use crate::process::{Launch, Process};
use crate::python::Python;
use crate::quota::Quota;
use crate::spread::Spread;
use crate::stage::{Case, NAME, Stage};

/// Lambda's smallest function.
pub const MEMORY_MB: u32 = 128;

const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// Longer than the second in which Route 53 counts requests.
const PAUSE: Duration = Duration::from_millis(1_100);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Processes of each function and twin, under each share of a core.
    pub processes: usize,
    /// Warm invocations of each process, after its first.
    pub warm: usize,
}

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// Ours.
    Holdfast,
    /// The Python handler that does the same.
    Python,
}

/// One function or twin under one share of a core.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The function.
    pub function: &'static str,
    /// Whose.
    pub maker: Maker,
    /// The share of a core, in words.
    pub share: &'static str,
    /// From the start of the process to its first request for an event, in ms.
    pub init_ms: Spread,
    /// From the first event to its answer, in ms.
    pub first_ms: Spread,
    /// Both.
    pub cold_path_ms: Spread,
    /// From each later event to its answer, in ms.
    pub warm_ms: Spread,
    /// The most memory it held, in MiB.
    pub memory_mib: Spread,
    /// The zip that is uploaded, in MB of 10⁶ bytes.
    pub package_mb: f64,
    /// The same with boto3 in it, for who pins its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_with_boto3_mb: Option<f64>,
}

/// What was measured of one process.
struct Sample {
    init: Duration,
    first: Duration,
    warm: Vec<Duration>,
    memory_kib: u64,
}

type Key = (usize, &'static str, Maker);

/// The shares of a core that are measured, in words.
pub const SHARES: [&str; 2] = ["128 MB", "a whole core"];

/// Measures everything, one process after the other: functions and twins alternate, so that whatever else the machine
/// does meets them alike.
///
/// # Errors
/// If something cannot be started, or does not do what it should.
pub async fn measure(
    stage: &Stage,
    extent: Extent,
    binaries: &Path,
    python: &Python,
    bundle: &Path,
    only: Option<&str>,
) -> Result<Vec<Measured>, Failure> {
    let quota = Quota::of_memory(MEMORY_MB).map_err(|error| {
        format!("no control group can be made here ({error}); a quota of CPU time needs root and the cpu controller")
    })?;
    let cases: Vec<_> = Case::ALL.into_iter().filter(|(_, name)| only.is_none_or(|only| only == *name)).collect();
    let bar = ProgressBar::new((cases.len() * 2 * SHARES.len() * extent.processes) as u64);
    let mut samples: BTreeMap<Key, Vec<Sample>> = BTreeMap::new();
    // The first round only warms the page cache.
    for round in 0..=extent.processes {
        for &(case, function) in &cases {
            for maker in [Maker::Holdfast, Maker::Python] {
                let launch = launch(stage, function, maker, binaries, python, bundle);
                for (nth, quota) in [Some(&quota), None].into_iter().enumerate() {
                    let sample = sample(stage, case, &launch, quota, extent.warm).await;
                    let sample = sample.map_err(|error| format!("{function} of {maker:?}: {error}"))?;
                    if round > 0 {
                        samples.entry((nth, function, maker)).or_default().push(sample);
                        bar.inc(1);
                    }
                }
            }
        }
    }
    bar.finish_and_clear();
    samples.into_iter().map(|(key, samples)| sum_up(key, &samples, binaries, python)).collect()
}

fn launch(stage: &Stage, function: &str, maker: Maker, binaries: &Path, python: &Python, bundle: &Path) -> Launch {
    let mut environment = stage.environment(&stage.zone, NAME, bundle);
    let command = match maker {
        Maker::Holdfast => vec![binaries.join(function).into()],
        Maker::Python => {
            environment.insert("PYTHONPATH".to_owned(), python.path().into());
            // Lambda's /var/task cannot be written to either.
            environment.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".into());
            python.command(&function.replace('-', "_"))
        }
    };
    Launch { command, environment, timeout: TIMEOUT }
}

async fn sample(
    stage: &Stage,
    case: Case,
    launch: &Launch,
    quota: Option<&Quota>,
    warm_count: usize,
) -> Result<Sample, Failure> {
    stage.reset(case).await?;
    // Lab time keeps to real time from here: nothing else falls due meanwhile.
    let working = stage.lab.clock.working();
    let (mut process, init) = Process::start(launch, quota).await?;
    let first = invoke(stage, case, &mut process).await?;
    drop(working);
    let mut warm = Vec::new();
    for _ in 0..warm_count {
        stage.reset(case).await?;
        // A function paces its calls by real time; between two invocations of a real one there is plenty.
        tokio::time::sleep(PAUSE).await;
        let _working = stage.lab.clock.working();
        warm.push(invoke(stage, case, &mut process).await?);
    }
    let memory_kib = process.memory_kib_max()?;
    process.end().await?;
    Ok(Sample { init, first, warm, memory_kib })
}

async fn invoke(stage: &Stage, case: Case, process: &mut Process) -> Result<Duration, Failure> {
    let (outcome, took) = process.invoke(&stage.event(case)).await?;
    if let Some(expected) = case.expected()
        && outcome["outcome"] != expected
    {
        return Err(format!("it returned {outcome} instead of {expected}").into());
    }
    if case == Case::Pin && !stage.is_pinned() {
        return Err("it says that it has pinned, and the record says otherwise".into());
    }
    Ok(took)
}

fn sum_up(key: Key, samples: &[Sample], binaries: &Path, python: &Python) -> Result<Measured, Failure> {
    const NONE: &str = "nothing was measured; give --processes and --warm at least 1";
    let (nth, function, maker) = key;
    #[expect(clippy::cast_precision_loss, reason = "packages and processes are far smaller than 2⁵² bytes")]
    let (mb, mib) = (|bytes: u64| bytes as f64 / 1e6, |kib: u64| kib as f64 / 1_024.0);
    let (package_mb, package_with_boto3_mb) = match maker {
        Maker::Holdfast => (mb(python.package_of_binary(&binaries.join(function))?), None),
        Maker::Python => {
            let (alone, vendored) = python.package_of_twin(&function.replace('-', "_"))?;
            (mb(alone), Some(mb(vendored)))
        }
    };
    Ok(Measured {
        function,
        maker,
        share: SHARES[nth],
        init_ms: Spread::of_durations(samples.iter().map(|sample| sample.init)).ok_or(NONE)?,
        first_ms: Spread::of_durations(samples.iter().map(|sample| sample.first)).ok_or(NONE)?,
        cold_path_ms: Spread::of_durations(samples.iter().map(|sample| sample.init + sample.first)).ok_or(NONE)?,
        warm_ms: Spread::of_durations(samples.iter().flat_map(|sample| sample.warm.clone())).ok_or(NONE)?,
        memory_mib: Spread::of(samples.iter().map(|sample| mib(sample.memory_kib)).collect()).ok_or(NONE)?,
        package_mb,
        package_with_boto3_mb,
    })
}
