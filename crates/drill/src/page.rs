//! The drill's page: the same that `holdfast report` makes of an incident, with what only the lab can know: when the trouble
//! began, which writes were lost, and what was checked.

use failover::outcome::Outcome;
use jiff::{SignedDuration, Timestamp};
use lab::journal::{Entry, What};
use report::{Check, Figure, Lane, Moment, Page, Stage, Verdict, span};

use crate::evidence::Evidence;
use crate::live;
use crate::report::{Report, Verdict as Judgement};

/// The page of a drill.
#[must_use]
pub fn of(report: &Report, about: &str, evidence: &Evidence) -> Page {
    let held = report.checks.iter().filter(|check| check.held).count();
    let check =
        |it: &crate::check::Checked| Check { held: it.held, name: it.name.to_owned(), detail: it.detail.clone() };
    let armed_at = evidence.armed_at();
    let mut page = Page {
        title: format!("Drill {} with seed {}", report.scenario, report.seed),
        summary: about.to_owned(),
        verdict: Some(Verdict {
            good: report.verdict == Judgement::Passed,
            text: format!("{held} of {} checks held", report.checks.len()),
        }),
        figures: figures(report),
        stages: evidence.outage_at.map(|at| stages(report, at)).unwrap_or_default(),
        // What came before is the stage being set.
        moments: evidence
            .entries()
            .iter()
            .filter(|entry| Some(entry.at) >= armed_at)
            .filter_map(|entry| moment(entry))
            .collect(),
        checks: report.checks.iter().map(check).collect(),
        notes: vec![
            format!(
                "the lab's journal; times are lab time, of which {:.0} s of real time were made",
                report.real_seconds
            ),
            format!("again: cargo drill --scenario {} --seed {}", report.scenario, report.seed),
        ],
    };
    page.arrange();
    page
}

fn figures(report: &Report) -> Vec<Figure> {
    #[expect(clippy::cast_possible_truncation, reason = "a drill lasts hours, and `as` saturates")]
    let whole = |seconds: f64| span(seconds.round() as i64);
    let rto = report.rto_seconds.map(|rto| Figure {
        name: "RTO".to_owned(),
        value: whole(rto),
        how: "from the beginning of the trouble to the first write accepted in DR".to_owned(),
    });
    let rpo = report.rpo_seconds.map(|rpo| Figure {
        name: "RPO".to_owned(),
        value: whole(rpo),
        how: format!(
            "{} acknowledged writes were lost, the oldest so long before the trouble began",
            report.rpo_writes
        ),
    });
    rto.into_iter().chain(rpo).collect()
}

fn stages(report: &Report, outage_at: Timestamp) -> Vec<Stage> {
    let reached = report.stages.iter().filter_map(|stage| {
        let at = outage_at.checked_add(SignedDuration::try_from_secs_f64(stage.at_seconds).ok()?).ok()?;
        Some(Stage { name: stage.name.to_owned(), at })
    });
    std::iter::once(Stage { name: "trouble begins".to_owned(), at: outage_at }).chain(reached).collect()
}

fn moment(entry: &Entry) -> Option<Moment> {
    let lane = match &entry.what {
        What::Fault { .. } => Lane::World,
        What::HealthCheck { .. } | What::Alarm { .. } => Lane::Alarms,
        What::Database { .. } => Lane::Databases,
        What::Mail { .. } | What::Queued { .. } => Lane::Messages,
        _ => Lane::Holdfast,
    };
    let details = match &entry.what {
        What::Invocation { response, succeeded: true, .. } => {
            serde_json::from_value::<Outcome>(response.clone()).map(|outcome| details(&outcome)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Some(Moment { at: entry.at, lane, what: live::line(entry)?, details })
}

fn details(outcome: &Outcome) -> Vec<String> {
    let mut details = vec![outcome.subjects_in_words(outcome.subjects.len())];
    details.extend(outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen)));
    details.push(format!("next: {}", outcome.next));
    details
}
