//! The words of messages about outcomes.

use serde_json::json;

use super::{Sender, capitalised};
use crate::observation::Attention;
use crate::outcome::{Kind, Outcome, Trigger};
use crate::rule::Rule;
use crate::users::Place;

/// Cause and act in a few words, since a locked phone shows forty characters; and, where Holdfast does not act, what users have
/// of it.
pub(super) fn headline(outcome: &Outcome) -> String {
    let stands_still = is_stuck(outcome)
        || matches!(
            outcome.outcome,
            Kind::Held | Kind::Refused | Kind::ApprovalNeeded | Kind::WouldHavePinned | Kind::WriteRefused
        );
    let cause = cause_and_act(outcome);
    let price = match outcome.users.as_ref().filter(|_| stands_still) {
        // R09 speaks of a database that takes writes.
        Some(users) if users.place == Place::LatchUnseen => "users may be at the PRIMARY",
        Some(users) if users.cannot_write() && outcome.rule() != Some(Rule::R09) => "users on READ-ONLY DR",
        Some(users) if users.are_sent() => "users on DR",
        Some(users) if users.are_held() => "users stay on PRIMARY",
        _ => return cause.to_owned(),
    };
    if cause.ends_with('?') { format!("{cause} {}", capitalised(price)) } else { format!("{cause}, {price}") }
}

/// It has waited for so long that people are paged.
fn is_stuck(outcome: &Outcome) -> bool {
    outcome.outcome == Kind::Waiting && outcome.attention == Attention::Page
}

/// What only a person can decide or put right.
pub(super) fn decision(outcome: &Outcome) -> Option<String> {
    let is_peoples = is_stuck(outcome)
        || matches!(
            outcome.outcome,
            Kind::Held
                | Kind::Refused
                | Kind::Interrupted
                | Kind::ApprovalNeeded
                | Kind::WriteRefused
                | Kind::DatabaseTrouble
                | Kind::Yielded
                | Kind::Swapped
        );
    let rule = outcome.rule().map(|rule| format!(" ({rule})")).unwrap_or_default();
    is_peoples.then(|| format!("{}{rule}", cause_and_act(outcome)))
}

fn cause_and_act(outcome: &Outcome) -> &'static str {
    match outcome.outcome {
        Kind::Nothing if is_about_a_probe(outcome) => "own probe FAILS",
        Kind::Nothing if outcome.unheeded.is_some() => "your approval STARTED NOTHING",
        Kind::Nothing => "nothing to do",
        Kind::Waiting if is_stuck(outcome) => "promotion is STUCK",
        Kind::Waiting => "still waiting",
        Kind::WouldStep => "WOULD have changed DR, and may not",
        Kind::StepUndone => "DR is what it was before",
        Kind::StepLeft => "a step was changed by others, LEFT TO YOU",
        Kind::Prepared => "DR prepared",
        Kind::AfterDone => "done after the failover",
        Kind::StepFailed => "a step FAILED, failover goes on",
        Kind::Rehearsed => "pin rehearsed",
        Kind::Armed => "armed",
        Kind::InSync => "pin in sync",
        Kind::StaysOnDr => "stays on DR",
        Kind::Confirmed => "pinned to DR, and confirmed",
        Kind::WouldHavePinned => "SHADOW would have failed over",
        Kind::Held => match outcome.rule() {
            Some(Rule::P05) => "HELD by maintenance",
            Some(Rule::P09) => "HELD, primary may be up",
            Some(Rule::P10) => "HELD, DR is DOWN too",
            Some(Rule::P15) => "HELD, DR's targets NOT HEALTHY",
            _ => "HELD",
        },
        Kind::Refused if outcome.rule() == Some(Rule::P04) && outcome.incident.is_some() => {
            "CANNOT fail over, DISARMED"
        }
        Kind::Refused => "CANNOT fail over",
        Kind::Interrupted => "INTERRUPTED, AWS did not do as asked",
        Kind::WriteRefused => "Route 53 REFUSES the change",
        Kind::DatabaseTrouble if is_late_in_peace(outcome) => "replication AT RISK",
        Kind::DatabaseTrouble => "database NOT promotable",
        Kind::ApprovalNeeded => match outcome.rule() {
            Some(Rule::P08) => "APPROVE failover so soon?",
            Some(Rule::P12) => "APPROVE failover?",
            Some(Rule::R07) => "APPROVE losing writes?",
            Some(Rule::R09) => "APPROVE a database nobody saw promoted?",
            _ => "your APPROVAL is needed",
        },
        Kind::AtRisk => "guarded, but AT RISK",
        Kind::Yielded => "pin undone again, LEFT TO YOU",
        Kind::Swapped => "DR and primary SWAPPED, LEFT TO YOU",
        Kind::Followed => "DR moved, pin FOLLOWS",
        Kind::PinnedAgain => "pin was undone, pinned again",
        Kind::Fenced => "old writer FENCED",
        Kind::PromotionRequested => "promoting in DR",
        Kind::Latched => "COMMITTED to DR, pin to follow",
        Kind::Pinned => "pinned to DR",
        Kind::FailedOver => "FAILED OVER to DR",
    }
}

/// Nobody asked: a probe that would mislead in an outage is told in peace.
fn is_about_a_probe(outcome: &Outcome) -> bool {
    outcome.trigger != Trigger::Approval && outcome.rule() == Some(Rule::P07)
}

/// While nothing is pinned an outage may have begun, and silence is all that a database behind a lost primary can show: it is
/// promoted by its last samples from before.
fn is_late_in_peace(outcome: &Outcome) -> bool {
    outcome.incident.is_none() && outcome.rule() == Some(Rule::R07)
}

pub(super) fn sentence(outcome: &Outcome) -> String {
    let who = match outcome.subject_count() {
        0 => "the workload".to_owned(),
        _ => outcome.subjects_in_words(10),
    };
    let (is, its, records, s, takes) = match outcome.subject_count() {
        0 | 1 => ("is", "its", "record", "s", "takes"),
        _ => ("are", "their", "records", "", "take"),
    };
    let (it, was, them) = match outcome.subject_count() {
        0 | 1 => ("it", "was", "it"),
        _ => ("they", "were", "them"),
    };
    match outcome.outcome {
        Kind::Nothing if is_about_a_probe(outcome) => {
            format!("A probe of Holdfast's own fails, of a site of {who}. An outage that has just begun looks so too.")
        }
        Kind::Nothing => format!("There is nothing to do now about {who}."),
        Kind::Waiting => format!("Holdfast still waits before it goes on with {who}."),
        Kind::InSync => format!("Every name server answers with the pin of {who}."),
        Kind::Rehearsed => format!("Route 53 took a batch such as the pin of {who} would be. It changed nothing."),
        Kind::WouldStep => format!("{who} would have been changed. Nothing was changed."),
        Kind::StepUndone => format!("{who} {is} what {it} {was} before the outage."),
        Kind::StepLeft => {
            format!("Holdfast had changed {who}, and somebody else has changed {them} since. Nothing more was changed.")
        }
        Kind::Prepared => format!("{who} in the DR region {is} ready for users."),
        Kind::AfterDone => format!("{who} in the DR region {is} as After says, now that the failover is over."),
        Kind::StepFailed => {
            format!("{who} in the DR region {is} not what {it} {is} to be. Pin and promotion do not wait for it.")
        }
        Kind::Armed => format!("{who} {is} armed."),
        Kind::StaysOnDr => format!("{who} {is} pinned to DR, whatever the primary does."),
        Kind::Confirmed => {
            format!(
                "The PRIMARY records of {who} point at DR. No change was on record that carries them, so one was made."
            )
        }
        Kind::WouldHavePinned => format!("Shadow mode: {who} would have been pinned to DR. Nothing was changed."),
        Kind::Held => format!("Holdfast holds the failover of {who}: it pins and promotes nothing."),
        Kind::Refused => format!("{who} cannot be failed over. Nothing was changed."),
        Kind::Interrupted => {
            format!("Holdfast was interrupted over {who}: {}.", outcome.because)
        }
        Kind::WriteRefused if outcome.rule() == Some(Rule::P14) => {
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
        Kind::DatabaseTrouble if outcome.rule() == Some(Rule::R01) => {
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
            format!(
                "{who} {is} guarded, but not everything about {its} records is as it should be. Nothing was changed."
            )
        }
        Kind::Swapped => {
            format!(
                "{who} {is} pinned, and {its} SECONDARY {records} now lead{s} where {its} users were before, or to a new place in \
                 that AWS region. Nothing was changed."
            )
        }
        Kind::Followed => {
            format!(
                "The SECONDARY records of {who} lead to another place in DR now, and the PRIMARY records with them."
            )
        }
        Kind::PinnedAgain => format!("Someone had changed the pinned records of {who}; they point at DR again."),
        Kind::Fenced => format!("{who} {takes} no connections any more; what was open is cut by a reboot."),
        Kind::PromotionRequested => {
            format!("RDS was asked to promote {who}. Its data and the primary's go separate ways from here.")
        }
        Kind::Latched => {
            format!(
                "The failover of {who} is committed in DR's own store, by which the switch sends users to DR. Route 53 has not taken \
                 every pin yet."
            )
        }
        Kind::Pinned => {
            format!("The PRIMARY records of {who} now point at DR, and stay there when the primary comes back.")
        }
        Kind::FailedOver => {
            format!(
                "The workload runs in DR: every record is pinned and every database takes writes ({who}). Next: `holdfast after` lists what \
                 a promotion leaves undone in databases (events that stay off, ids given out twice)."
            )
        }
    }
}

/// Commands that serve now. Whoever finds the primary well can have users back at once: a maintenance disables the health check that
/// moved them.
pub(super) fn what_to_run(outcome: &Outcome, sender: &Sender) -> Option<String> {
    let incident = outcome.incident.as_ref().filter(|_| !outcome.despite.is_empty())?;
    let detail = json!({"incident": incident, "by": "YOUR NAME", "reason": "WHY", "despite": outcome.despite});
    let entry = json!([{
        "EventBusName": sender.bus, "Source": "holdfast.operator", "DetailType": "Holdfast Approval", "Detail": detail.to_string(),
    }]);
    // The shell takes all between single quotes as it is, and JSON allows every character to be written as its number.
    let quoted = entry.to_string().replace('\'', "\\u0027");
    let rules: Vec<_> = outcome.despite.iter().map(ToString::to_string).collect();
    let incident = incident.to_string().replace('\'', "'\\''");
    let (rules, options, region) = (rules.join(","), sender.options(), &sender.region);
    let back = match &outcome.users {
        Some(users) if users.maintenance_brings_back() && outcome.rule() == Some(Rule::P09) => {
            format!(
                "to send users back for an hour, if the primary is fine: holdfast maintenance begin --for 1h{options}\n"
            )
        }
        _ => String::new(),
    };
    Some(format!(
        "{back}to approve: holdfast approve '{incident}' --despite {rules}{options} --reason WHY\n\
         or without it: aws events put-events --region {region} --entries '{quoted}'"
    ))
}
