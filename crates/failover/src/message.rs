//! What operators are told, and when they are told it again.

mod form;
mod readiness;
mod sender;
mod words;

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::announcement::Announcement;
use crate::incident::Incident;
use crate::observation::Attention;
use crate::outcome::{Kind, Outcome, Trigger};
use crate::rule::Rule;
pub use readiness::of_readiness;
pub use sender::Sender;
use words::{headline, sentence, what_to_run};

/// SNS: "Subjects must be ASCII text … less than 100 characters" (Publish, parameter Subject).
const SUBJECT_CHARACTERS_MAX: usize = 99;

/// Repeats of a page stop growing apart at this interval, in minutes.
const REPEAT_MINUTES_MAX: i64 = 240;

/// Nobody knows when a person undid a pin, only when it was made, and by then its intervals may have grown to hours: such
/// a page comes by the clock.
const YIELDED_MINUTES: i64 = 15;

/// That a name stays on DR calls for nothing. It is told after so many minutes, since whoever was to tell the pin or the end may have
/// been killed, and then once a day.
const STAYS_MINUTES: i64 = 16;
const DAY_MINUTES: i64 = 1_440;

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
    /// Who speaks, as the subject begins.
    from: String,
    /// The subject without that.
    headline: String,
    /// What a person must decide or put right, in a few words.
    decision: Option<String>,
    /// The parts that `body` is made of.
    sections: Vec<Section>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    title: &'static str,
    lines: Vec<String>,
}

const USERS: &str = "WHERE USERS ARE";
const HAPPENED: &str = "WHAT HAPPENED";
const WHY: &str = "WHY";
const NEXT: &str = "WHAT HAPPENS NEXT";
const ALSO: &str = "ALSO";
const ABOUT: &str = "WHAT IT IS ABOUT";
const RUN: &str = "WHAT TO RUN";
const INCIDENT: &str = "INCIDENT";
const EVENT: &str = "THE EVENT";
const FROM: &str = "FROM";

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

impl Failure {
    /// True of the function that looks each hour whether DR is ready, by the name that the template gives it.
    fn is_of_readiness(&self) -> bool {
        self.function.ends_with("-readiness")
    }
}

/// Lambda's word for a function that may not run: "if the function's reserved concurrency is 0", it sends events "without any
/// retries" to the destination (developer guide, "Asynchronous invocation").
const STOPPED: &str = "ZeroReservedConcurrency";

/// True if the operators are to be told of this failure now.
///
/// Whatever somebody or something else sent is always told, and so is a look that comes once an hour. Ticks come every minute, and where
/// one fails the next does: of them the first of a quarter of an hour is told, and of a function that was stopped the first of four
/// hours. The function's alarms (errors, ticks that stop, dead letters) tell sooner.
#[must_use]
pub fn is_failure_due(failure: &Failure) -> bool {
    let interval = if failure.condition == STOPPED { REPEAT_MINUTES_MAX } else { YIELDED_MINUTES };
    failure.is_of_readiness() || failure.scheduled.is_none_or(|tick| tick.as_second() / 60 % interval == 0)
}

/// True if the operators are to be told of this outcome now.
///
/// What happens once is always told, whatever leads the outcome, and so is what an event brings up, and the answer to an approval. A state that lasts
/// is told by the tick, computed from how long it has lasted; nothing is remembered. Pages come after 0, 1, 2, 4, 8, … minutes and then every four
/// hours; those of an incident after 8 minutes every quarter of an hour, and after four hours every hour, since what people are asked may
/// have changed meanwhile, and nobody knows since when. Notices come after 1, 16, 256, … minutes; what was left to people every quarter of
/// an hour; that a name stays on DR after 16 minutes and then once a day.
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
    if outcome.outcome.is_transition() || outcome.also_happened || is_news {
        return true;
    }
    let is_at_every = |minutes: i64| scheduled.as_second() / 60 % minutes == 0;
    if matches!(outcome.outcome, Kind::Yielded | Kind::Swapped) {
        return is_at_every(YIELDED_MINUTES);
    }
    if let (Kind::WriteRefused, Some(Rule::P14), Some(since)) = (outcome.outcome, outcome.rule(), outcome.since) {
        // It is tried once an hour, at the minute at which it was due; a tick may be some seconds early or late.
        let hours = (outcome.at.duration_since(since).as_mins() + 30) / 60;
        return hours % REHEARSAL_HOURS == 0;
    }
    let is_of_incident = outcome.incident.is_some();
    let Some(since) = outcome.since else {
        // Nobody knows since when: by the clock, once an interval.
        let is_urgent = is_of_incident && outcome.attention == Attention::Page;
        return is_at_every(if is_urgent { YIELDED_MINUTES } else { REPEAT_MINUTES_MAX });
    };
    let minute = scheduled.duration_since(since).as_secs().div_euclid(60);
    if outcome.outcome == Kind::StaysOnDr {
        return minute == STAYS_MINUTES || (minute > 0 && minute % DAY_MINUTES == 0);
    }
    let is_power_of_two = minute.count_ones() == 1;
    match outcome.attention {
        // A tick that was scheduled just before, and looked just after, leaves it to the next; one dated far ahead is told.
        Attention::Page if minute == -1 => false,
        Attention::Page if minute <= 8 => minute <= 0 || is_power_of_two,
        Attention::Page if is_of_incident => {
            is_at_every(if minute < REPEAT_MINUTES_MAX { YIELDED_MINUTES } else { 60 })
        }
        Attention::Page if minute < REPEAT_MINUTES_MAX => is_power_of_two,
        Attention::Page => minute.checked_rem(REPEAT_MINUTES_MAX) == Some(0),
        Attention::Notice | Attention::None => is_power_of_two && minute.trailing_zeros().is_multiple_of(4),
    }
}

/// The message for an outcome.
#[must_use]
pub fn of_outcome(outcome: &Outcome, sender: &Sender) -> Message {
    let headline = headline(outcome);
    let subjects = match outcome.subject_count() {
        0 => String::new(),
        _ => format!(": {}", outcome.subjects_in_words(1)),
    };
    let happened = match (outcome.trigger, &outcome.unheeded) {
        (Trigger::Approval, Some(why)) => {
            let besides =
                if outcome.outcome == Kind::Nothing { String::new() } else { format!(" {}", sentence(outcome)) };
            format!("Your approval was received and started nothing: {why}.{besides}")
        }
        (Trigger::Approval, None) => format!("Your approval was received. {}", sentence(outcome)),
        (Trigger::Tick | Trigger::Event, _) => sentence(outcome),
    };
    let rule = outcome.id.map(|id| format!("{id}: ")).unwrap_or_default();
    let facts = outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen));
    let sections = sections([
        (USERS, outcome.users.iter().map(ToString::to_string).collect()),
        (HAPPENED, vec![happened]),
        (WHY, std::iter::once(format!("{rule}{}.", outcome.because)).chain(facts).collect()),
        (NEXT, vec![format!("{}.", capitalised(&outcome.next))]),
        (ALSO, outcome.also.clone()),
        (RUN, what_to_run(outcome, sender).into_iter().collect()),
        (INCIDENT, outcome.incident.iter().map(ToString::to_string).collect()),
        (FROM, sender.in_words()),
    ]);
    let (from, headline) = (sender.name(), format!("{headline}{subjects}"));
    Message {
        subject: subject(&from, &headline),
        body: text(&sections),
        attention: outcome.attention,
        event: format!("{:?}", outcome.outcome),
        at: outcome.at,
        incident: outcome.incident.clone(),
        subjects: outcome.subjects.clone(),
        from,
        headline,
        decision: words::decision(outcome),
        sections,
    }
}

/// The message for an invocation that failed for good.
#[must_use]
pub fn of_failure(failure: &Failure, sender: &Sender) -> Message {
    let Failure { function, request_id, error, event, condition, scheduled: _, at } = failure;
    let region = &sender.region;
    let is_stopped = condition == STOPPED;
    let (happened, next, run) = if is_stopped {
        let happened =
            format!("{function} is stopped: its reserved concurrency is 0, so Lambda starts it for no event.");
        let next = "Nothing that this function does is done until it may run again; the event is kept in the dead-letter queue.";
        let run = format!(
            "aws lambda delete-function-concurrency --region {region} --function-name {function} (or put-function-concurrency with \
             the stack's ReservedConcurrency)"
        );
        (happened, next, run)
    } else {
        let happened =
            format!("{function} could not handle an event, even when it was tried again: {}", bounded(error));
        let next = match failure.is_of_readiness() {
            true => {
                "It looks again in an hour, and no failover depends on it; the event itself is kept in the dead-letter queue."
            }
            false => {
                "The one-minute tick goes on deciding from what AWS says; the event itself is kept in the dead-letter queue."
            }
        };
        let log = format!("aws logs tail /aws/lambda/{function} --region {region} --since 1h");
        (happened, next, format!("{log} --filter-pattern '\"{request_id}\"'"))
    };
    let sections = sections([
        (HAPPENED, vec![happened]),
        (NEXT, vec![next.to_owned()]),
        (RUN, vec![run]),
        (FROM, sender.in_words()),
        (EVENT, vec![bounded(event)]),
    ]);
    let (from, headline) = (sender.name(), format!("{function} {}", if is_stopped { "is STOPPED" } else { "failed" }));
    Message {
        subject: subject(&from, &headline),
        body: text(&sections),
        attention: Attention::Page,
        event: "Failed".to_owned(),
        at: *at,
        incident: None,
        subjects: vec![function.clone()],
        from,
        headline,
        decision: None,
        sections,
    }
}

/// The message for what a person did: nobody needs to act, and everybody should know.
#[must_use]
pub fn of_announcement(announcement: &Announcement, sender: &Sender) -> Message {
    let Announcement { deed, by, names, names_unlisted, at } = announcement;
    let (means, next) = deed.in_words();
    let about = match (names.first(), (names.len() + names_unlisted).saturating_sub(1)) {
        (None, _) => String::new(),
        (Some(first), 0) => format!(": {first}"),
        (Some(first), others) => format!(": {first} and {others} more"),
    };
    let sections = sections([
        (HAPPENED, vec![means, format!("By {by}")]),
        (NEXT, vec![next.to_owned()]),
        (ABOUT, if names.is_empty() { Vec::new() } else { vec![names.join(", ")] }),
        (FROM, sender.in_words()),
    ]);
    let (from, headline) = (sender.name(), format!("{} by {}{about}", deed.headline(), announcement.who()));
    Message {
        subject: subject(&from, &headline),
        body: text(&sections),
        attention: Attention::Notice,
        event: "Ordered".to_owned(),
        at: *at,
        incident: None,
        subjects: names.clone(),
        from,
        headline,
        decision: None,
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

fn subject(from: &str, headline: &str) -> String {
    let text = format!("{from}: {headline}");
    let ascii = text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' });
    ascii.take(SUBJECT_CHARACTERS_MAX).collect()
}
