//! What many drills side by side are doing just now.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lab::Lab;

use crate::check::minutes;
use crate::live;
use crate::report::Verdict;
use crate::run::{Drill, Ended, Watcher};

/// A bar over all drills, and a line for each that runs: on a terminal. Elsewhere a line for each that has ended.
pub struct Progress {
    all: MultiProgress,
    total: ProgressBar,
    running: Mutex<BTreeMap<usize, ProgressBar>>,
}

impl Progress {
    /// Begins with nothing done of `drills`.
    #[must_use]
    pub fn of(drills: usize) -> Self {
        let all = MultiProgress::new();
        let total = all.add(ProgressBar::new(drills as u64));
        total.set_style(style("{bar:30} {pos} of {len} drills, {elapsed}"));
        total.enable_steady_tick(Duration::from_secs(1));
        Self { all, total, running: Mutex::default() }
    }

    fn say(&self, line: &str) {
        // The bars draw nothing where nobody sees them, and would swallow this too.
        if std::io::stderr().is_terminal() {
            self.total.suspend(|| eprintln!("{line}"));
        } else {
            eprintln!("{line}");
        }
    }
}

impl Watcher for Progress {
    fn began(&self, nth: usize, drill: &Drill, lab: &Arc<Lab>) {
        let bar = self.all.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style("  {prefix:<34} {wide_msg}"));
        bar.set_prefix(name(drill));
        let mut journal = lab.journal.follow();
        let start = lab.clock.now();
        let (line, workload) = (bar.clone(), drill.scenario.layout.workload());
        tokio::spawn(async move {
            while let Ok(entry) = journal.recv().await {
                if let Some(what) = live::line(&entry, &workload) {
                    line.set_message(format!("{:>6}  {what}", minutes(entry.at.duration_since(start).as_secs_f64())));
                }
            }
        });
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(nth, bar);
    }

    fn ended(&self, nth: usize, drill: &Drill, ended: &Ended) {
        if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&nth) {
            bar.finish_and_clear();
        }
        self.total.inc(1);
        self.say(&match ended {
            Ok(report) if report.verdict == Verdict::Passed => format!("passed  {}", name(drill)),
            Ok(report) => format!("FAILED  {}\n{}", name(drill), report.text(false)),
            Err(error) => format!("FAILED  {}: {error}\n{}", name(drill), drill.replay()),
        });
    }
}

fn name(drill: &Drill) -> String {
    format!("{} with seed {}", drill.scenario.name, drill.settings.seed)
}

fn style(template: &str) -> ProgressStyle {
    // A template that does not parse is a mistake here; a plain bar is shown then.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
