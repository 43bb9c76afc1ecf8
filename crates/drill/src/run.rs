//! Running drills: one, or many side by side.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lab::Lab;

use crate::check::minutes;
use crate::page;
use crate::report::{Report, Verdict};
use crate::scenario::Scenario;
use crate::stage::{Settings, SetupError, Stage};

/// One drill to run.
#[derive(Clone, Copy)]
pub struct Drill {
    /// What happens.
    pub scenario: &'static Scenario,
    /// What varies.
    pub settings: Settings,
}

impl Drill {
    /// The command that runs it again.
    #[must_use]
    pub fn replay(&self) -> String {
        format!("replay: {}", self.scenario.command(self.settings.seed))
    }
}

/// A drill's end: its report, or why it could not run.
pub type Ended = Result<Report, SetupError>;

/// Runs a drill to its end in a runtime of its own, and all that its lab consists of ends with it. `watch` is given the
/// lab as soon as the stage is set.
///
/// # Errors
/// If the stage cannot be set, or something the scenario must wait for does not happen.
pub fn one(drill: Drill, lambdas: &Path, watch: impl FnOnce(&Arc<Lab>)) -> Ended {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let evidence = runtime.block_on(async {
        let stage = Stage::set(drill.settings, &drill.scenario.layout, lambdas).await?;
        // Inside the runtime, so that what watches can be spawned on it.
        watch(&stage.lab);
        let lab = stage.lab.clone();
        let played = drill.scenario.play(stage, drill.settings).await;
        // It is over: what ends with the servers is no part of the story, and would be told as it happens.
        let _working = lab.clock.working();
        lab::rds::close(&lab);
        Ok::<_, SetupError>(played?)
    });
    runtime.shutdown_background();
    let evidence = evidence?;
    let report = Report::of(drill.scenario, drill.settings, &evidence, began.elapsed());
    Ok(Report { page: page::of(&report, drill.scenario.about, &evidence), ..report })
}

/// Watches drills that run side by side.
pub trait Watcher: Sync {
    /// A drill's stage is set.
    fn began(&self, nth: usize, drill: &Drill, lab: &Arc<Lab>);
    /// A drill is over.
    fn ended(&self, nth: usize, drill: &Drill, ended: &Ended);
}

/// Runs drills, so many at a time; the ends are in the order of the drills.
pub fn many(drills: &[Drill], jobs: usize, lambdas: &Path, watcher: &impl Watcher) -> Vec<Ended> {
    // The longest first, so that nothing is left to wait for at the end.
    let mut order: Vec<_> = drills.iter().enumerate().collect();
    order.sort_by_key(|(_, drill)| std::cmp::Reverse(drill.scenario.layout.crowd));
    let mut ends = side_by_side(&order, jobs, |(nth, drill)| {
        let ended = one(**drill, lambdas, |lab| watcher.began(*nth, drill, lab));
        watcher.ended(*nth, drill, &ended);
        (*nth, ended)
    });
    ends.sort_by_key(|(nth, _)| *nth);
    ends.into_iter().map(|(_, ended)| ended).collect()
}

/// Does something with each item in a thread of its own, so many at a time; the results are in no order.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let waiting = Mutex::new(items.iter());
    let results = Mutex::new(Vec::new());
    let worker = || {
        while let Some(item) = { waiting.lock().unwrap_or_else(PoisonError::into_inner).next() } {
            let result = work(item);
            results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(worker);
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One line a drill, for people.
#[must_use]
pub fn table(drills: &[Drill], ends: &[Ended], colour: bool) -> String {
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = format!(
        "\n  {:<28} {:>6}  {:<6} {:>8} {:>8} {:>10}  {}\n",
        "scenario", "seed", "", "RTO", "RPO", "took", "checks held"
    );
    for (drill, ended) in drills.iter().zip(ends) {
        let (name, seed) = (drill.scenario.name, drill.settings.seed);
        let _ = match ended {
            Ok(report) => {
                let held = report.checks.iter().filter(|check| check.held).count();
                let verdict = match report.verdict {
                    Verdict::Passed => paint("32", "passed"),
                    Verdict::Failed => paint("31;1", "FAILED"),
                };
                let rto = report.rto_seconds.map(minutes).unwrap_or_default();
                let rpo = report.rpo_seconds.map(|rpo| format!("{rpo:.0} s")).unwrap_or_default();
                let checks = format!("{held} of {}", report.checks.len());
                writeln!(
                    text,
                    "  {name:<28} {seed:>6}  {verdict} {rto:>8} {rpo:>8} {:>8.0} s  {checks}",
                    report.real_seconds
                )
            }
            Err(error) => writeln!(text, "  {name:<28} {seed:>6}  {} {error}", paint("31;1", "FAILED")),
        };
    }
    let passed = |ended: &&Ended| matches!(ended, Ok(report) if report.verdict == Verdict::Passed);
    let count = ends.iter().filter(passed).count();
    let _ = writeln!(text, "\n{count} of {} drills passed", drills.len());
    for (drill, _) in drills.iter().zip(ends).filter(|(_, ended)| !passed(ended)) {
        let _ = writeln!(text, "{}", drill.replay());
    }
    text
}
