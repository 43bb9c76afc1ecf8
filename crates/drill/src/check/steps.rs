//! Checks of the steps around a failover.

use jiff::{SignedDuration, Timestamp};
use lab::journal::What;

use super::{Check, ensure, pinned_at};
use crate::evidence::{Evidence, is_outcome};
use crate::stage::steps::{PREPARER, Stepped, group_arn};

/// The template's `PrepareAfterMinutes`, and a tick or two to see it.
const WAITED: SignedDuration = SignedDuration::from_mins(2);

/// What DR is prepared for.
pub const PREPARED_BEFORE_PIN: Check = Check {
    name: "DR's group and service are at their wanted sizes before the pin, each raised once, and people are told",
    run: prepared_before_pin,
};
/// What follows the failover, and nothing before it.
pub const AFTER_ONCE: Check = Check {
    name: "what comes after is done once, after every name is failed over, and people are told",
    run: after_once,
};
/// A function of the user's is not called twice.
pub const CALLED_ONCE: Check = Check { name: "each function of the user's is called once", run: called_once };
/// A primary that comes back.
pub const STEPS_UNDONE: Check = Check {
    name: "DR was made ready, and is what it was before, with no record left, and people are told of both",
    run: steps_undone,
};
/// Nothing waits for a step.
pub const STEP_FAILURE_TOLD: Check = Check {
    name: "people are told of each step that fails, with what to do, and nothing that failed was changed",
    run: step_failure_told,
};

fn calls(evidence: &Evidence, action: &str) -> Vec<(Timestamp, String)> {
    let done = evidence.entries().iter().filter_map(|entry| match &entry.what {
        What::Call { caller, action: of, resource, status: 200 | 202, .. } if caller == PREPARER && of == action => {
            Some((entry.at, resource.clone()))
        }
        _ => None,
    });
    done.collect()
}

fn mails(evidence: &Evidence, words: &str) -> usize {
    evidence.mailbox().iter().filter(|mail| mail.subject.contains(words)).count()
}

fn prepared_before_pin(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no trouble")?;
    let (raised, pinned) = (calls(evidence, "UpdateAutoScalingGroup"), pinned_at(evidence)?);
    let [(at, _)] = raised.as_slice() else { return Err(format!("the group was changed {} times", raised.len())) };
    let tasks = calls(evidence, "UpdateService");
    let [_] = tasks.as_slice() else { return Err(format!("the service was changed {} times", tasks.len())) };
    let told = mails(evidence, "DR prepared");
    let held = *at >= outage + WAITED && *at < pinned && told > 0;
    let before = pinned.duration_since(*at).as_secs();
    let sizes = evidence.stepped.first().map(|stepped| stepped.sizes);
    ensure(
        held && evidence.stepped.first() == Some(&Stepped::whole(false)),
        format!("{} {before} s before the pin, min, max and desired {sizes:?}, {told} mails", group_arn()),
    )
}

fn after_once(evidence: &Evidence) -> Result<String, String> {
    let over = evidence.first(|what| is_outcome(what, "FailedOver")).ok_or("there was no failover")?;
    let nightly = |(_, rule): &&(Timestamp, String)| rule.ends_with("nightly");
    let enabled = calls(evidence, "EnableRule");
    let (enabled, told) =
        (enabled.iter().filter(nightly).collect::<Vec<_>>(), mails(evidence, "done after the failover"));
    let [(at, _)] = enabled.as_slice() else { return Err(format!("it was enabled {} times", enabled.len())) };
    let mapped = calls(evidence, "UpdateEventSourceMapping");
    let mapped = matches!(mapped.as_slice(), [(at, _)] if *at >= over);
    let stays = evidence.stepped.iter().skip(1).all(|stepped| *stepped == Stepped::whole(true));
    let seconds = at.duration_since(over).as_secs();
    ensure(
        *at >= over && mapped && stays && told > 0,
        format!("{seconds} s after FAILED OVER; then {:?}; {told} mails", evidence.stepped.last()),
    )
}

fn called_once(evidence: &Evidence) -> Result<String, String> {
    let mut called: Vec<_> = calls(evidence, "Invoke").into_iter().map(|(_, function)| function).collect();
    called.sort();
    let count = called.len();
    called.dedup();
    ensure(count == 2 && called.len() == 2, format!("{count} calls of {}", called.join(", ")))
}

fn steps_undone(evidence: &Evidence) -> Result<String, String> {
    let (made, undone) = (mails(evidence, "DR prepared"), mails(evidence, "DR is what it was before"));
    let held = evidence.stepped == [Stepped::whole(false), Stepped::untouched()];
    ensure(held && made > 0 && undone > 0, format!("{:?}, {made} and {undone} mails", evidence.stepped))
}

fn step_failure_told(evidence: &Evidence) -> Result<String, String> {
    let mailbox = evidence.mailbox();
    let told: Vec<_> = mailbox.iter().filter(|mail| mail.subject.contains("step FAILED")).collect();
    let has_remedy = told.iter().all(|mail| mail.body.contains("do not wait for it"));
    let named = [
        "rule nightly",
        "function resume-jobs",
        "Auto Scaling group shop",
        "service shop",
        "event source mapping 0a1b",
    ];
    let unnamed = named.iter().find(|step| !told.iter().any(|mail| mail.body.contains(**step)));
    // What is on record stays so: Holdfast tries again.
    let is_unchanged = |stepped: &Stepped| Stepped { records: 0, ..stepped.clone() } == Stepped::untouched();
    ensure(
        has_remedy && unnamed.is_none() && evidence.stepped.first().is_some_and(is_unchanged),
        format!("{} mails, none of {unnamed:?}; then {:?}", told.len(), evidence.stepped.first()),
    )
}
