//! What operators are told, and when they are told it again.

mod form;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use crate::incident::Incident;
use crate::observation::Attention;
use crate::outcome::{Kind, Outcome, Trigger};
use crate::rule::Rule;

/// SNS: "Subjects must be ASCII text … less than 100 characters" (Publish, parameter Subject).
const SUBJECT_CHARACTERS_MAX: usize = 99;

/// Repeats of a page stop growing apart at this interval, in minutes.
const REPEAT_MINUTES_MAX: i64 = 240;

/// Nobody knows when a person undid a pin, only when it was made, and by then its intervals may have grown to hours: such
/// a page comes by the clock.
const YIELDED_MINUTES: i64 = 15;

/// A refused rehearsal is told again after so many hours.
const REHEARSAL_HOURS: i64 = 4;

/// SNS takes messages of at most 256 KB, and a character takes at most 4 bytes. Events that Holdfast understands are much
/// shorter, and of others the beginning tells what they are. So it does of an error that repeats its event.
const QUOTED_CHARACTERS_MAX: usize = 20_000;

/// One message to the operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One ASCII line of less than 100 characters.
    pub subject: String,
    /// What happened, why, what happens next, what to run.
    pub body: String,
    /// How loudly to say it.
    pub attention: Attention,
    /// What happened, in one word for filters: an outcome's, or `Failed`.
    pub event: String,
    /// When it happened, by AWS's time.
    pub at: Timestamp,
    /// The incident it belongs to.
    pub incident: Option<Incident>,
    /// The names or databases it is about, or the function.
    pub subjects: Vec<String>,
    /// The parts that `body` is made of.
    sections: Vec<Section>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    title: &'static str,
    lines: Vec<String>,
}

const HAPPENED: &str = "WHAT HAPPENED";
const WHY: &str = "WHY";
const NEXT: &str = "WHAT HAPPENS NEXT";
const ALSO: &str = "ALSO";
const RUN: &str = "WHAT TO RUN";
const INCIDENT: &str = "INCIDENT";
const EVENT: &str = "THE EVENT";

/// A function invocation that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which function.
    pub function: String,
    /// Lambda's request id.
    pub request_id: String,
    /// What the function or Lambda said of the error.
    pub error: String,
    /// The event it could not handle.
    pub event: String,
    /// Why Lambda gave it up, in its own word.
    pub condition: String,
    /// When the tick that it was is to have come, if it was one.
    pub scheduled: Option<Timestamp>,
    /// When it was given up.
    pub at: Timestamp,
}

/// Lambda's word for a function that may not run: "if the function's reserved concurrency is 0", it sends events "without any
/// retries" to the destination (developer guide, "Asynchronous invocation").
const STOPPED: &str = "ZeroReservedConcurrency";

/// True if the operators are to be told of this failure now.
///
/// Whatever somebody or something else sent is always told. Ticks come every minute, and where one fails the next does: of them
/// the first of a quarter of an hour is told, and of a function that was stopped the first of four hours. The function's alarms
/// (errors, ticks that stop, dead letters) tell sooner.
#[must_use]
pub fn is_failure_due(failure: &Failure) -> bool {
    let interval = if failure.condition == STOPPED { REPEAT_MINUTES_MAX } else { YIELDED_MINUTES };
    failure.scheduled.is_none_or(|tick| tick.as_second() / 60 % interval == 0)
}

/// True if the operators are to be told of this outcome now.
///
/// What happens once is always told, and so is what an event brings up, and the answer to an approval. A state that lasts
/// is told by the tick, computed from how long it has lasted; nothing is remembered. Pages come after 0, 1, 2, 4, 8, … minutes and then every four
/// hours, notices after 1, 16, 256, … minutes; what was left to people every quarter of an hour.
#[must_use]
pub fn is_due(outcome: &Outcome) -> bool {
    is_due_at(outcome, outcome.at)
}

/// As [`is_due`], for a tick that was to come at this time. Ticks come late, and a failed one is tried again a minute and two
/// later; but they are scheduled a minute apart, so that of their own times each minute has one.
#[must_use]
pub fn is_due_at(outcome: &Outcome, scheduled: Timestamp) -> bool {
    if outcome.attention == Attention::None {
        return false;
    }
    let is_news = match outcome.trigger {
        Trigger::Tick => false,
        Trigger::Approval => true,
        // An alarm that returns to OK changes nothing for a name on DR.
        Trigger::Event => outcome.outcome != Kind::StaysOnDr,
    };
    if outcome.outcome.is_transition() || is_news {
        return true;
    }
    if matches!(outcome.outcome, Kind::Yielded | Kind::Swapped) {
        return scheduled.as_second() / 60 % YIELDED_MINUTES == 0;
    }
    if let (Kind::WriteRefused, Some(Rule::P14), Some(since)) = (outcome.outcome, outcome.rule, outcome.since) {
        // It is tried once an hour, at the minute at which it was due; a tick may be some seconds early or late.
        let hours = (outcome.at.duration_since(since).as_mins() + 30) / 60;
        return hours % REHEARSAL_HOURS == 0;
    }
    let Some(since) = outcome.since else {
        // Nobody knows since when: by the clock, once an interval.
        return scheduled.as_second() / 60 % REPEAT_MINUTES_MAX == 0;
    };
    let minute = scheduled.duration_since(since).as_secs().div_euclid(60);
    let is_power_of_two = minute.count_ones() == 1;
    match outcome.attention {
        // A tick that was scheduled just before, and looked just after, leaves it to the next; one dated far ahead is told.
        Attention::Page if minute == -1 => false,
        Attention::Page if minute < REPEAT_MINUTES_MAX => minute <= 0 || is_power_of_two,
        Attention::Page => minute.checked_rem(REPEAT_MINUTES_MAX) == Some(0),
        Attention::Notice | Attention::None => is_power_of_two && minute.trailing_zeros().is_multiple_of(4),
    }
}

/// The message for an outcome. `bus` is the Holdfast bus's name, for the command that approves.
#[must_use]
pub fn of_outcome(outcome: &Outcome, bus: &str) -> Message {
    let headline = headline(outcome);
    let subjects = match outcome.subject_count() {
        0 => String::new(),
        _ => format!(": {}", outcome.subjects_in_words(1)),
    };
    let received = if outcome.trigger == Trigger::Approval { "Your approval was received. " } else { "" };
    let rule = outcome.rule.map(|rule| format!("{rule}: ")).unwrap_or_default();
    let facts = outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen));
    let sections = sections([
        (HAPPENED, vec![format!("{received}{}", sentence(outcome))]),
        (WHY, std::iter::once(format!("{rule}{}.", outcome.because)).chain(facts).collect()),
        (NEXT, vec![format!("{}.", capitalised(&outcome.next))]),
        (ALSO, outcome.also.clone()),
        (RUN, what_to_run(outcome, bus).into_iter().collect()),
        (INCIDENT, outcome.incident.iter().map(ToString::to_string).collect()),
    ]);
    Message {
        subject: subject(&format!("{headline}{subjects}")),
        body: text(&sections),
        attention: outcome.attention,
        event: format!("{:?}", outcome.outcome),
        at: outcome.at,
        incident: outcome.incident.clone(),
        subjects: outcome.subjects.clone(),
        sections,
    }
}

/// The message for an invocation that failed for good.
#[must_use]
pub fn of_failure(failure: &Failure) -> Message {
    let Failure { function, request_id, error, event, condition, scheduled: _, at } = failure;
    let is_stopped = condition == STOPPED;
    let (happened, next, run) = if is_stopped {
        let happened =
            format!("{function} is stopped: its reserved concurrency is 0, so Lambda starts it for no event.");
        let next = "Nothing that this function does is done until it may run again; the event is kept in the dead-letter queue.";
        let run = format!(
            "aws lambda delete-function-concurrency --function-name {function} (or put-function-concurrency with the stack's \
             ReservedConcurrency)"
        );
        (happened, next, run)
    } else {
        let happened =
            format!("{function} could not handle an event, even when it was tried again: {}", bounded(error));
        let next = "The one-minute tick goes on deciding from what AWS says; the event itself is kept in the dead-letter queue.";
        (happened, next, format!("aws logs tail /aws/lambda/{function} --since 1h --filter-pattern '\"{request_id}\"'"))
    };
    let sections = sections([
        (HAPPENED, vec![happened]),
        (NEXT, vec![next.to_owned()]),
        (RUN, vec![run]),
        (EVENT, vec![bounded(event)]),
    ]);
    Message {
        subject: subject(&format!("{function} {}", if is_stopped { "is STOPPED" } else { "failed" })),
        body: text(&sections),
        attention: Attention::Page,
        event: "Failed".to_owned(),
        at: *at,
        incident: None,
        subjects: vec![function.clone()],
        sections,
    }
}

fn sections<const N: usize>(parts: [(&'static str, Vec<String>); N]) -> Vec<Section> {
    let given = parts.into_iter().filter(|(_, lines)| !lines.is_empty());
    given.map(|(title, lines)| Section { title, lines }).collect()
}

fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for Section { title, lines } in sections {
        let gap = if text.is_empty() { "" } else { "\n" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{gap}{title}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARACTERS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => {
            let total = text.chars().count();
            format!("{}\n  (cut here, after {QUOTED_CHARACTERS_MAX} of {total} characters)", &text[..end])
        }
    }
}

fn capitalised(sentence: &str) -> String {
    let (first, rest) = sentence.split_at(sentence.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

fn subject(text: &str) -> String {
    let ascii = text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' });
    format!("Holdfast: {}", ascii.collect::<String>()).chars().take(SUBJECT_CHARACTERS_MAX).collect()
}

fn headline(outcome: &Outcome) -> &'static str {
    match outcome.outcome {
        Kind::Nothing => "nothing to do",
        Kind::Waiting => "still waiting",
        Kind::Rehearsed => "pin rehearsed",
        Kind::Armed => "armed",
        Kind::InSync => "pin in sync",
        Kind::StaysOnDr => "stays on DR",
        Kind::Confirmed => "pinned to DR, and confirmed",
        Kind::WouldHavePinned => "SHADOW would have failed over",
        Kind::Held => "failover HELD",
        Kind::Refused => "CANNOT fail over",
        Kind::Interrupted => "INTERRUPTED, AWS did not do as asked",
        Kind::WriteRefused => "Route 53 REFUSES the change",
        Kind::DatabaseTrouble if is_late_in_peace(outcome) => "replication AT RISK",
        Kind::DatabaseTrouble => "database NOT promotable",
        Kind::ApprovalNeeded => "your APPROVAL is needed",
        Kind::AtRisk => "guarded, but AT RISK",
        Kind::Yielded => "pin undone again, LEFT TO YOU",
        Kind::Swapped => "DR and primary SWAPPED, LEFT TO YOU",
        Kind::Followed => "DR moved, pin FOLLOWS",
        Kind::PinnedAgain => "pin was undone, pinned again",
        Kind::Fenced => "old writer FENCED",
        Kind::PromotionRequested => "promoting in DR",
        Kind::Pinned => "pinned to DR",
        Kind::FailedOver => "FAILED OVER to DR",
    }
}

/// While nothing is pinned an outage may have begun, and silence is all that a database behind a lost primary can show: it is
/// promoted by its last samples from before.
fn is_late_in_peace(outcome: &Outcome) -> bool {
    outcome.incident.is_none() && outcome.rule == Some(Rule::R07)
}

fn sentence(outcome: &Outcome) -> String {
    let who = match outcome.subject_count() {
        0 => "the workload".to_owned(),
        _ => outcome.subjects_in_words(10),
    };
    match outcome.outcome {
        Kind::Nothing => format!("There is nothing to do now about {who}."),
        Kind::Waiting => format!("Holdfast still waits before it goes on with {who}."),
        Kind::InSync => format!("Every name server answers with the pin of {who}."),
        Kind::Rehearsed => format!("Route 53 took a batch such as the pin of {who} would be. It changed nothing."),
        Kind::Armed => format!("{who} is armed."),
        Kind::StaysOnDr => format!("{who} is pinned to DR, whatever the primary does."),
        Kind::Confirmed => {
            format!(
                "The PRIMARY records of {who} point at DR. No change was on record that carries them, so one was made."
            )
        }
        Kind::WouldHavePinned => format!("Shadow mode: {who} would have been pinned to DR. Nothing was changed."),
        Kind::Held => format!("The failover of {who} is held. No record was changed."),
        Kind::Refused => format!("{who} cannot be failed over. Nothing was changed."),
        Kind::Interrupted => {
            format!("Holdfast was interrupted over {who}: {}.", outcome.because)
        }
        Kind::WriteRefused if outcome.rule == Some(Rule::P14) => {
            format!(
                "{who} could not be failed over now: Route 53 does not take a batch such as the pin's. Nothing was changed."
            )
        }
        Kind::WriteRefused => {
            format!("Route 53 does not take what Holdfast would write about {who}. Nothing was changed.")
        }
        Kind::DatabaseTrouble if is_late_in_peace(outcome) => {
            format!("No failover is under way. In one, it might have to ask you about {who}.")
        }
        Kind::DatabaseTrouble if outcome.incident.is_none() => {
            format!("No failover is under way, and {who} would not be promoted in one as things are.")
        }
        Kind::DatabaseTrouble if outcome.rule == Some(Rule::R01) => {
            format!("{who} still replicates, though the failover is over. Users are on DR, where it takes no writes.")
        }
        Kind::DatabaseTrouble => {
            format!("{who} cannot be promoted now. Users are on DR, where this database does not take writes yet.")
        }
        Kind::ApprovalNeeded => format!("Holdfast waits for your approval about {who}."),
        Kind::Yielded => {
            format!("The pin of {who} was undone again after Holdfast had twice restored it. Nothing was changed.")
        }
        Kind::AtRisk => {
            format!("{who} is guarded, but not everything about its records is as it should be. Nothing was changed.")
        }
        Kind::Swapped => {
            format!(
                "{who} is pinned, and its SECONDARY record now leads where its users were before, or to a new place in \
                 that AWS region. Nothing was changed."
            )
        }
        Kind::Followed => {
            format!(
                "The SECONDARY records of {who} lead to another place in DR now, and the PRIMARY records with them."
            )
        }
        Kind::PinnedAgain => format!("Someone had changed the pinned records of {who}; they point at DR again."),
        Kind::Fenced => format!("{who} takes no connections any more; what was open is cut by a reboot."),
        Kind::PromotionRequested => {
            format!("RDS was asked to promote {who}. Its data and the primary's go separate ways from here.")
        }
        Kind::Pinned => {
            format!("The PRIMARY records of {who} now point at DR, and stay there when the primary comes back.")
        }
        Kind::FailedOver => {
            format!("The workload runs in DR: every record is pinned and every database takes writes ({who}).")
        }
    }
}

/// Commands that serve now.
fn what_to_run(outcome: &Outcome, bus: &str) -> Option<String> {
    let incident = outcome.incident.as_ref().filter(|_| !outcome.despite.is_empty())?;
    let detail = json!({"incident": incident, "by": "YOUR NAME", "reason": "WHY", "despite": outcome.despite});
    let entry = json!([{
        "EventBusName": bus, "Source": "holdfast.operator", "DetailType": "Holdfast Approval", "Detail": detail.to_string(),
    }]);
    // The shell takes all between single quotes as it is, and JSON allows every character to be written as its number.
    let quoted = entry.to_string().replace('\'', "\\u0027");
    let rules: Vec<_> = outcome.despite.iter().map(ToString::to_string).collect();
    let incident = incident.to_string().replace('\'', "'\\''");
    let (rules, other_bus) = (rules.join(","), if bus == "holdfast" { String::new() } else { format!(" --bus {bus}") });
    Some(format!(
        "to approve, in the DR region: holdfast approve '{incident}' --despite {rules}{other_bus} --reason WHY\n\
         or without it: aws events put-events --entries '{quoted}'"
    ))
}
