//! The drill's page: the same that `holdfast report` makes of an incident, with what only the lab can know: when the trouble
//! began, which writes were lost, and what was checked.

use failover::outcome::{Outcome, Trigger};
use jiff::{SignedDuration, Timestamp};
use lab::journal::{Entry, What};
use report::{Cause, Check, Fact, Figure, Lane, Moment, Page, Section, Spell, Stage, Verdict, shares, span};

use crate::evidence::{Evidence, is_outcome};
use crate::live;
use crate::plan::Summary;
use crate::report::{Report, Verdict as Judgement};
use crate::stage::{DR, Database, PRIMARY, Workload};

/// The stage at which the RTO ends.
const WRITES_AGAIN: &str = "first accepted write";

/// Lost writes that are named.
const LOST_NAMED_MAX: usize = 5;

/// The page of a drill.
#[must_use]
pub fn of(report: &Report, about: &str, evidence: &Evidence) -> Page {
    let held = report.checks.iter().filter(|check| check.held).count();
    let check =
        |it: &crate::check::Checked| Check { held: it.held, name: it.name.to_owned(), detail: it.detail.clone() };
    let armed_at = evidence.armed_at();
    // What came before is the stage being set.
    let played = evidence.entries().iter().filter(|entry| Some(entry.at) >= armed_at);
    let mut page = Page {
        title: format!("Drill {} with seed {}", report.scenario, report.seed),
        summary: about.to_owned(),
        verdict: Some(Verdict {
            good: report.verdict == Judgement::Passed,
            text: format!("{held} of {} checks held", report.checks.len()),
        }),
        about: stage(&evidence.workload),
        stages: evidence.outage_at.map(|at| stages(report, evidence, at)).unwrap_or_default(),
        moments: played.flat_map(|entry| [moment(entry, &evidence.workload), approval(entry)]).flatten().collect(),
        checks: report.checks.iter().map(check).collect(),
        notes: [
            format!(
                "the lab's journal; times are lab time, of which {:.0} s of real time were made",
                report.real_seconds
            ),
            format!("again: {}", report.again),
        ]
        .into_iter()
        .chain(report.plan.iter().flat_map(Summary::lines).map(|(what, line)| format!("{what}: {line}")))
        .collect(),
        ..Page::default()
    };
    page.arrange();
    page.shares = reached(&page.stages, WRITES_AGAIN).map(|end| shares(&page.stages, end)).unwrap_or_default();
    page.spells = spells(&page.stages);
    page.figures = figures(report, &page.spells);
    page.sections = vec![lost_writes(evidence)];
    page
}

/// What is concerned, in the lab.
fn stage(workload: &Workload) -> Vec<Fact> {
    let fact = |name: &str, value| Fact { name: name.to_owned(), value };
    let database = |it: &Database| format!("{} {}", it.kind, it.id);
    let databases: Vec<_> = workload.databases.iter().map(database).collect();
    vec![
        fact("names", workload.names.join(", ")),
        fact("databases in DR", databases.join(", ")),
        fact("primary region", PRIMARY.to_owned()),
        fact("DR region", DR.to_owned()),
    ]
}

fn reached(stages: &[Stage], name: &str) -> Option<Timestamp> {
    stages.iter().find(|stage| stage.name == name).map(|stage| stage.at)
}

fn figures(report: &Report, spells: &[Spell]) -> Vec<Figure> {
    #[expect(clippy::cast_possible_truncation, reason = "a drill lasts hours, and `as` saturates")]
    let whole = |seconds: f64| span(seconds.round() as i64);
    let rto = report.rto_seconds.map(|rto| Figure {
        name: "RTO".to_owned(),
        value: whole(rto),
        how: "from the beginning of the trouble to the first write accepted in DR".to_owned(),
    });
    let interruption = report.interruption_seconds.map(|seconds| Figure {
        name: "Interruption".to_owned(),
        value: whole(seconds),
        how: "from the stop of writes to the first write accepted in DR".to_owned(),
    });
    let rpo = report.rpo_seconds.map(|rpo| Figure {
        name: "RPO".to_owned(),
        value: whole(rpo),
        how: match report.rpo_writes {
            0 => "no acknowledged write was lost".to_owned(),
            1 => "1 acknowledged write was lost, so long before the trouble began".to_owned(),
            count => format!("{count} acknowledged writes were lost, the oldest so long before the trouble began"),
        },
    });
    let spell = spells.first().and_then(|spell| {
        let value = span(spell.to?.as_second() - spell.from.as_second());
        Some(Figure { name: "Users could not write on DR".to_owned(), value, how: spell.how.clone() })
    });
    rto.into_iter().chain(interruption).chain(rpo).chain(spell).collect()
}

/// From the first user on DR to the first write that it took.
fn spells(stages: &[Stage]) -> Vec<Spell> {
    let (from, to) = (reached(stages, "first client on DR"), reached(stages, WRITES_AGAIN));
    let how = match to {
        Some(_) => "from the first user whom DNS sent there to the first write accepted",
        None => "from the first user whom DNS sent there; DR accepted no write in this drill",
    };
    let how = how.to_owned();
    let spell = |from| Spell { name: "users on DR, cannot write".to_owned(), from, to, how };
    from.filter(|from| to.is_none_or(|to| to > *from)).map(spell).into_iter().collect()
}

/// What only the lab can know: it counts what users were told is written.
fn lost_writes(evidence: &Evidence) -> Section {
    let lost = evidence.lost();
    let counted = match lost.len() {
        0 => "No acknowledged write was lost.".to_owned(),
        count => format!(
            "Acknowledged writes that were lost: {count}. On AWS nobody counts them: holdfast failback compare lists them."
        ),
    };
    let named =
        lost.iter().take(LOST_NAMED_MAX).map(|write| format!("{} at {}", write.id, write.at.strftime("%F %T UTC")));
    let unnamed =
        lost.len().checked_sub(LOST_NAMED_MAX).filter(|more| *more > 0).map(|more| format!("and {more} more"));
    let entries = std::iter::once(counted).chain(named).chain(unnamed).map(report::Entry::text).collect();
    Section { title: "Lost writes".to_owned(), entries }
}

fn stages(report: &Report, evidence: &Evidence, outage_at: Timestamp) -> Vec<Stage> {
    let waits = evidence.first(|what| is_outcome(what, "ApprovalNeeded") || is_outcome(what, "Held"));
    let reached = report.stages.iter().filter_map(|stage| {
        let at = outage_at.checked_add(SignedDuration::try_from_secs_f64(stage.at_seconds).ok()?).ok()?;
        let (cause, how) = match waits {
            Some(waits) if stage.name == "pin requested" && waits < at => {
                (Cause::Person, "an approval, or until nothing held it any more")
            }
            _ => cause(stage.name, evidence),
        };
        Some(Stage::new(stage.name, at, Some(cause), how))
    });
    let begins = Stage::new("trouble begins", outage_at, None, "");
    let waits = waits.map(|at| Stage::new("failover waits", at, Some(Cause::Holdfast), ""));
    let every_writer = evidence.every_writer_at().filter(|_| evidence.workload.databases.len() > 1);
    let every_writer = every_writer.map(|at| Stage::new("every database takes writes", at, Some(Cause::Rds), ""));
    std::iter::once(begins).chain(waits).chain(reached).chain(every_writer).collect()
}

/// What the time before a stage goes by.
fn cause(stage: &str, evidence: &Evidence) -> (Cause, &'static str) {
    match stage {
        "prolonged-outage alarm" => (Cause::Choice, "OutageMinutes"),
        "promotion asked" if evidence.drained_at().is_some() => (Cause::Holdfast, ""),
        "clients drained" | "promotion asked" => (Cause::Choice, "clients leave the primary: TTL + DrainSeconds"),
        "detected" | "site-down alarm" | "failover-started alarm" | "DNS answers DR" => (Cause::Detection, ""),
        "first client on DR" | WRITES_AGAIN => (Cause::Clients, ""),
        "pin requested" | "failed over" => (Cause::Holdfast, ""),
        "pin in sync" => (Cause::Dns, ""),
        "writer available" => (Cause::Rds, ""),
        _ => (Cause::Unknown, ""),
    }
}

fn moment(entry: &Entry, workload: &Workload) -> Option<Moment> {
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
    let body = match &entry.what {
        What::Mail { body, .. } => Some(body.clone()),
        _ => None,
    };
    Some(Moment { body, ..Moment::new(entry.at, lane, live::line(entry, workload)?, details) })
}

/// What a person said, as the function got it.
fn approval(entry: &Entry) -> Option<Moment> {
    let What::Invocation { response, succeeded: true, .. } = &entry.what else { return None };
    let outcome = serde_json::from_value::<Outcome>(response.clone()).ok()?;
    let fact = outcome.facts.iter().find(|fact| fact.about == "approval" && outcome.trigger == Trigger::Approval)?;
    Some(Moment::new(entry.at, Lane::People, format!("approval {}", fact.seen), Vec::new()))
}

fn details(outcome: &Outcome) -> Vec<String> {
    let mut details = vec![outcome.subjects_in_words(outcome.subjects.len())];
    details.extend(outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen)));
    details.push(format!("next: {}", outcome.next));
    details
}
