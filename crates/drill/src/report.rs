//! The report: when each stage was reached, RTO, RPO, the checks, a verdict.

use std::fmt::Write as _;
use std::time::Duration;

use ::report::Page;
use serde::Serialize;

use crate::check::{Checked, ON_REAL_SERVERS, minutes};
use crate::evidence::{Evidence, Reached};
use crate::permissions::Permissions;
use crate::plan::{Plan, Summary};
use crate::scenario::Scenario;
use crate::stage::Settings;

/// How the drill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every check held.
    Passed,
    /// A check did not hold.
    Failed,
}

/// A drill's report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which scenario.
    pub scenario: &'static str,
    /// Which seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// Every check.
    pub checks: Vec<Checked>,
    /// When each stage was reached, in lab time after the trouble began.
    pub stages: Vec<Reached>,
    /// From the beginning of the trouble to the first write accepted in DR, in seconds of lab time.
    pub rto_seconds: Option<f64>,
    /// Of a planned move: from the stop of writes to the first write accepted in DR, in seconds of lab time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruption_seconds: Option<f64>,
    /// From the oldest lost acknowledged write to the beginning of the trouble, in seconds of lab time.
    pub rpo_seconds: Option<f64>,
    /// Acknowledged writes that were lost.
    pub rpo_writes: usize,
    /// How long the drill took, in seconds of real time.
    pub real_seconds: f64,
    /// The user's plan, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Summary>,
    /// The command that plays it again.
    #[serde(skip)]
    pub again: String,
    /// What was granted and used.
    #[serde(skip)]
    pub permissions: Permissions,
    /// The whole story, as `holdfast report` would tell it.
    #[serde(skip)]
    pub page: Page,
}

impl Report {
    /// Judges the evidence. The page, which tells of the report, is made by `run`.
    #[must_use]
    pub fn of(scenario: &'static Scenario, settings: Settings, evidence: &Evidence, took: Duration) -> Self {
        let on_real_servers = evidence.rows.iter().flat_map(|_| ON_REAL_SERVERS);
        let checks = scenario.checks.iter().copied().flatten().chain(on_real_servers);
        let checks: Vec<_> = checks.map(|check| check.run(evidence)).collect();
        let verdict = if checks.iter().all(|check| check.held) { Verdict::Passed } else { Verdict::Failed };
        Self {
            scenario: scenario.name,
            seed: settings.seed,
            verdict,
            checks,
            stages: evidence.stages(),
            rto_seconds: evidence.rto_seconds(),
            interruption_seconds: evidence.interruption_seconds(),
            rpo_seconds: evidence.rpo_seconds(),
            rpo_writes: evidence.lost().len(),
            real_seconds: took.as_secs_f64(),
            plan: scenario.layout.plan.map(Plan::summary),
            again: scenario.command(settings.seed),
            permissions: evidence.permissions.clone(),
            page: Page::default(),
        }
    }

    /// The report for people.
    #[must_use]
    pub fn text(&self, colour: bool) -> String {
        let paint =
            |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
        let mut text = format!("\n{} with seed {}\n", paint("1", self.scenario), self.seed);
        // Writing to a String cannot fail.
        for (what, line) in self.plan.iter().flat_map(Summary::lines) {
            let _ = writeln!(text, "  {what:<18} {line}");
        }
        if !self.stages.is_empty() {
            let _ = writeln!(text, "\n  stage                     after");
        }
        for stage in &self.stages {
            let _ = writeln!(text, "  {:<24} {:>8}", stage.name, minutes(stage.at_seconds));
        }
        if let Some(rto) = self.rto_seconds {
            let _ = writeln!(text, "\n  RTO {} (outage to the first write accepted in DR)", minutes(rto));
        }
        if let Some(seconds) = self.interruption_seconds {
            let _ = writeln!(
                text,
                "\n  Interruption {} (stop of writes to the first write accepted in DR)",
                minutes(seconds)
            );
        }
        if let Some(rpo) = self.rpo_seconds {
            let _ = writeln!(text, "  RPO {rpo:.0} s ({} acknowledged writes lost)", self.rpo_writes);
        }
        text.push('\n');
        for check in &self.checks {
            let mark = if check.held { paint("32", "held  ") } else { paint("31;1", "BROKEN") };
            let _ = writeln!(text, "  {mark} {}\n         {}", check.name, check.detail);
        }
        let held = self.checks.iter().filter(|check| check.held).count();
        let verdict = match self.verdict {
            Verdict::Passed => paint("32;1", "PASSED"),
            Verdict::Failed => paint("31;1", "FAILED"),
        };
        let _ = writeln!(text, "\n{verdict}: {held} of {} checks held", self.checks.len());
        if self.verdict == Verdict::Failed {
            let _ = writeln!(text, "replay: {}", self.again);
        }
        text
    }
}

impl Permissions {
    /// Those of stacks that stay what they were deployed as: one that goes from two to one has the rights of both, and uses one's.
    pub fn of_steady<'a>(reports: impl Iterator<Item = &'a Report>) -> Self {
        let steady = reports.filter(|report| !report.scenario.starts_with("to-one-stack"));
        Self::of_all(steady.map(|report| &report.permissions))
    }
}
