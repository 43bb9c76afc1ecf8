//! The checks: facts seen from outside, each with the detail that convinces.

mod article;
mod budget;
mod dark;
mod failback;
mod fence;
mod global;
mod incident;
mod lag;
mod observer;
mod own;
mod reality;
mod rows;
mod steps;
mod switch;
mod switchover;
mod targets;
mod unready;
mod update;

use failover::name::Name;
use failover::register::Register;
use jiff::{SignedDuration, Timestamp};
use lab::journal::What;
use lab::route53::{Failover, RecordSet, Target};
use serde::Serialize;

use crate::evidence::{Evidence, carries_users, is_outcome, site};
use crate::stage::{DR_ADDRESS, PRIMARY_ADDRESS};

pub use article::*;
pub use budget::*;
pub use dark::*;
pub use failback::*;
pub use fence::*;
pub use global::*;
pub use incident::*;
pub use lag::*;
pub use observer::*;
pub use own::*;
pub use reality::*;
pub use rows::*;
pub use steps::*;
pub use switch::*;
pub use switchover::*;
pub use targets::*;
pub use unready::*;
pub use update::*;

/// How long an answer may be on its way to a user: as long as users wait.
const ANSWER_ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(2);

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The claim.
    pub name: &'static str,
    /// Whether it held.
    pub held: bool,
    /// What was seen.
    pub detail: String,
}

/// A claim and how it is checked.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The claim.
    pub name: &'static str,
    run: fn(&Evidence) -> Result<String, String>,
}

impl Check {
    /// Checks the claim.
    #[must_use]
    pub fn run(&self, evidence: &Evidence) -> Checked {
        let found = (self.run)(evidence);
        Checked { name: self.name, held: found.is_ok(), detail: found.unwrap_or_else(|fault| fault) }
    }
}

/// Exactly one change of each name's records.
pub const PINNED_ONCE: Check = Check { name: "every name is pinned exactly once", run: pinned_once };
/// Exactly one promotion of each database.
pub const PROMOTED_ONCE: Check = Check { name: "every database is promoted exactly once", run: promoted_once };
/// The order that keeps data safe.
pub const PIN_BEFORE_PROMOTION: Check =
    Check { name: "no promotion before the pin is in sync and clients have drained", run: pin_before_promotion };
/// DNS after the pin.
pub const NO_ANSWER_BACK: Check =
    Check { name: "once pinned, DNS never answers with the primary", run: no_answer_back };
/// Writes after the pin.
pub const NO_WRITE_BACK: Check =
    Check { name: "once pinned and drained, no write reaches the primary", run: no_write_back };
/// The records at the end.
pub const RECORDS_PINNED: Check =
    Check { name: "the PRIMARY records differ from before in their target alone, which is DR's", run: records_pinned };
/// The registers at the end.
pub const RECORDS_RESTORABLE: Check =
    Check { name: "the registers say failed over and hold the original targets", run: records_restorable };
/// Users at the end.
pub const USERS_SERVED: Check = Check { name: "at the end users write to DR", run: users_served };
/// Data.
pub const LOSS_WITHIN_LAG: Check = Check {
    name: "no acknowledged write is lost but those of the last seconds before the outage",
    run: loss_within_lag,
};
/// The mailbox after a failover.
pub const OPERATORS_TOLD: Check = Check {
    name: "operators are told of the outage, the pin, the promotion and the end",
    run: |e| words_told(e, &["site-down", "pinned to DR", "promoting in DR", "FAILED OVER"]),
};
/// The mailbox after a failover that no outage began.
pub const MOVE_TOLD: Check = Check {
    name: "operators are told of the pin, the promotion and the end",
    run: |e| words_told(e, &["pinned to DR", "promoting in DR", "FAILED OVER"]),
};
/// The mailbox after a failover of which the pin's own word was lost.
pub const END_TOLD: Check = Check {
    name: "operators are told of the outage, the promotion and the end though the word of the pin is lost",
    run: |e| words_told(e, &["site-down", "promoting in DR", "FAILED OVER"]),
};
/// The primary is back, and nothing follows.
pub const RETURN_CHANGES_NOTHING: Check =
    Check { name: "the primary's return changes nothing", run: return_changes_nothing };
/// No failover.
pub const NOTHING_TOUCHED: Check =
    Check { name: "no record is changed and no database promoted", run: nothing_touched };
/// Still ready.
pub const STILL_ARMED: Check = Check { name: "every name is still armed", run: still_armed };
/// The mail of the site-down alarm.
pub const SITE_DOWN_MAILED: Check =
    Check { name: "operators get the site-down mail within minutes", run: site_down_mailed };
/// No page beyond that.
pub const NO_FAILOVER_MAIL: Check = Check { name: "operators get no word of a failover", run: no_failover_mail };
/// The hold, told and repeated.
pub const HELD_BY_PRIMARY: Check = Check {
    name: "operators are paged that the failover is held, since the primary answers (P09)",
    run: |e| held(e, "P09"),
};
/// The hold, told and repeated.
pub const HELD_BY_DR: Check = Check {
    name: "operators are paged that the failover is held, since DR does not answer (P10)",
    run: |e| held(e, "P10"),
};
/// All is as before at the end.
pub const USERS_ON_PRIMARY: Check = Check { name: "at the end users write to the primary", run: users_on_primary };
/// Duplicates did happen.
pub const DUPLICATES_HAPPENED: Check =
    Check { name: "events were indeed delivered more than once", run: |e| faults_happened(e, "Deliver") };
/// Losses did happen.
pub const LOSSES_HAPPENED: Check =
    Check { name: "the alarm's event was indeed lost", run: |e| faults_happened(e, "Lose") };

fn ensure(held: bool, detail: String) -> Result<String, String> {
    if held { Ok(detail) } else { Err(detail) }
}

fn pinned_once(evidence: &Evidence) -> Result<String, String> {
    let pins = evidence.pins();
    let names = &evidence.workload.names;
    let counts: Vec<_> = names.iter().map(|name| pins.iter().filter(|pin| pin.name == *name).count()).collect();
    ensure(counts.iter().all(|count| *count == 1), format!("changes: {}", each(names, &counts)))
}

fn promoted_once(evidence: &Evidence) -> Result<String, String> {
    let promotions = evidence.promotions();
    let ids: Vec<_> = evidence.workload.databases.iter().map(|database| database.id.as_str()).collect();
    let of = |id: &&str| promotions.iter().filter(|(_, resource)| resource == id).count();
    let counts: Vec<_> = ids.iter().map(of).collect();
    ensure(counts.iter().all(|count| *count == 1), format!("promotions: {}", each(&ids, &counts)))
}

/// How often each of them was changed.
fn each(of: &[impl std::fmt::Display], counts: &[usize]) -> String {
    let one = |(of, count): (&_, &usize)| match count {
        0 => format!("{of} never"),
        1 => format!("{of} once"),
        more => format!("{of} {more} times"),
    };
    of.iter().zip(counts).map(one).collect::<Vec<_>>().join(", ")
}

fn pin_before_promotion(evidence: &Evidence) -> Result<String, String> {
    let (Some(pinned), Some((promoted, _))) = (evidence.pinned_at(), evidence.promotions().first().cloned()) else {
        return Err("there was no pin in sync, or no promotion".to_owned());
    };
    let seconds = promoted.duration_since(pinned).as_secs();
    ensure(promoted >= pinned + evidence.ttl(), format!("promotion was asked {seconds} s after the pin was in sync"))
}

fn pinned_at(evidence: &Evidence) -> Result<Timestamp, String> {
    evidence.pinned_at().ok_or_else(|| "no pin came in sync".to_owned())
}

fn no_answer_back(evidence: &Evidence) -> Result<String, String> {
    let pinned = pinned_at(evidence)?;
    let answers: Vec<_> = evidence.answers_after(pinned).collect();
    if let Some(back) = answers.iter().find(|answer| answer.address != Some(DR_ADDRESS)) {
        return Err(format!("{} was answered with {} at {}", back.name, site(back.address), back.at));
    }
    ensure(!answers.is_empty(), format!("{} answers since, all DR", answers.len()))
}

fn no_write_back(evidence: &Evidence) -> Result<String, String> {
    let drained = pinned_at(evidence)? + evidence.ttl();
    let writes: Vec<_> = evidence.writes_after(drained).collect();
    match writes.iter().find(|write| write.address == Some(PRIMARY_ADDRESS)) {
        Some(back) => Err(format!("{} went to the primary at {}", back.id, back.at)),
        None => ensure(!writes.is_empty(), format!("{} writes since, none to the primary", writes.len())),
    }
}

fn is_register(set: &RecordSet) -> bool {
    set.key.name.bare().starts_with("_holdfast.")
}

fn dr_half<'a>(sets: &'a [RecordSet], primary: &RecordSet) -> Option<&'a RecordSet> {
    let same = |set: &&RecordSet| set.key.name == primary.key.name && set.key.kind == primary.key.kind;
    sets.iter().filter(same).find(|set| set.failover() == Some(Failover::Secondary))
}

fn records_pinned(evidence: &Evidence) -> Result<String, String> {
    let expected = evidence.original.iter().map(|set| match (set.failover(), dr_half(&evidence.original, set)) {
        (Some(Failover::Primary), Some(secondary)) if carries_users(set) => {
            RecordSet { target: secondary.target.clone(), ..set.clone() }
        }
        _ => set.clone(),
    });
    let expected: Vec<_> = expected.collect();
    let finals: Vec<_> = evidence.finals.iter().filter(|set| !is_register(set)).cloned().collect();
    if let Some(other) = expected.iter().find(|set| !finals.contains(set)) {
        let there = finals.iter().find(|set| set.key == other.key);
        let there = there.map_or_else(|| "it is gone".to_owned(), |set| format!("it is {set}"));
        return Err(format!("{} should be {other}, and {there}", other.key));
    }
    ensure(finals.len() == expected.len(), format!("{} record sets compared field by field", finals.len()))
}

fn records_restorable(evidence: &Evidence) -> Result<String, String> {
    let is_pinned = |set: &&RecordSet| set.failover() == Some(Failover::Primary) && carries_users(set);
    for set in evidence.original.iter().filter(is_pinned) {
        let name = set.key.name.bare().parse::<Name>().map_err(|error| error.to_string())?;
        let register = evidence.registers.get(&name.to_string());
        let Some(Register::FailedOver { pin, .. }) = register else {
            let said = register.map_or_else(|| "is not there".to_owned(), |register| format!("says: {register}"));
            return Err(format!("{name} has not failed over: its register {said}"));
        };
        let original = pin.original.get(&set.key.kind.to_string());
        if !original.is_some_and(|original| is_same_target(original, &set.target)) {
            let kept = original.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            return Err(format!("the register of {name} keeps {kept}, and the record was {set}"));
        }
    }
    Ok(format!("{} registers", evidence.registers.len()))
}

fn is_same_target(kept: &failover::record::Target, was: &Target) -> bool {
    match (kept, was) {
        (failover::record::Target::Values { ttl_seconds, values }, Target::Values { ttl, values: were }) => {
            ttl_seconds == ttl && values == were
        }
        (
            failover::record::Target::Alias { zone, name, evaluate_health },
            Target::Alias { zone: in_zone, name: of, evaluate_target_health },
        ) => zone == in_zone && name.trim_end_matches('.') == of.bare() && evaluate_health == evaluate_target_health,
        _ => false,
    }
}

/// The last minutes of a drill: every user, served by one site.
fn last_writes(evidence: &Evidence, at: std::net::IpAddr) -> Result<String, String> {
    let since = evidence.ended_at - SignedDuration::from_mins(5);
    let writes: Vec<_> = evidence.writes_after(since).collect();
    match writes.iter().find(|write| !(write.acknowledged && write.address == Some(at))) {
        Some(bad) => Err(format!("{} went to {} and was refused or unanswered", bad.id, site(bad.address))),
        None => ensure(!writes.is_empty(), format!("{} writes of the last 5 minutes, all acknowledged", writes.len())),
    }
}

fn users_served(evidence: &Evidence) -> Result<String, String> {
    last_writes(evidence, DR_ADDRESS)
}

fn users_on_primary(evidence: &Evidence) -> Result<String, String> {
    last_writes(evidence, PRIMARY_ADDRESS)
}

fn loss_within_lag(evidence: &Evidence) -> Result<String, String> {
    let (lost, all) = (evidence.lost().len(), evidence.acknowledged().count());
    let rpo = evidence.rpo_seconds().ok_or("nothing was promoted")?;
    // The answer to a write that the primary took in its last moment is heard a moment later.
    let heard_by = evidence.outage_at.map(|outage| outage + ANSWER_ON_ITS_WAY);
    let after_outage = evidence.lost().iter().any(|write| Some(write.at) > heard_by);
    ensure(
        rpo <= evidence.workload.loss_seconds_max && !after_outage,
        format!("{lost} of {all} acknowledged writes lost, the oldest {rpo:.0} s before"),
    )
}

fn words_told(evidence: &Evidence, wanted: &[&str]) -> Result<String, String> {
    let mailbox = evidence.mailbox();
    if let Some(untold) = wanted.iter().find(|words| !mailbox.iter().any(|mail| mail.subject.contains(**words))) {
        let subjects: Vec<_> = mailbox.iter().map(|mail| mail.subject.as_str()).collect();
        return Err(match subjects.is_empty() {
            true => format!("no mail says \"{untold}\": none came"),
            false => format!("no mail says \"{untold}\"; these came: {}", subjects.join("; ")),
        });
    }
    let long = mailbox.iter().find(|mail| mail.subject.len() > 100 || !mail.subject.is_ascii());
    ensure(long.is_none(), format!("{} mails", mailbox.len()))
}

fn return_changes_nothing(evidence: &Evidence) -> Result<String, String> {
    let healed = evidence.healed_at.ok_or("the primary never returned")?;
    let touched = evidence.pins().iter().filter(|pin| pin.requested_at > healed).count();
    let promoted = evidence.promotions().iter().filter(|(at, _)| *at > healed).count();
    let back = evidence.answers_after(healed).filter(|answer| answer.address == Some(PRIMARY_ADDRESS)).count();
    let minutes = evidence.ended_at.duration_since(healed).as_mins();
    ensure(
        touched == 0 && promoted == 0 && back == 0 && minutes >= 30,
        format!(
            "in {minutes} minutes after it: {touched} changes, {promoted} promotions, {back} answers with the primary"
        ),
    )
}

fn nothing_touched(evidence: &Evidence) -> Result<String, String> {
    let same = |set: &RecordSet| evidence.finals.contains(set);
    let changed: Vec<_> = evidence.original.iter().filter(|set| !same(set)).map(|set| set.key.to_string()).collect();
    let (pins, promotions) = (evidence.pins().len(), evidence.promotions().len());
    ensure(
        changed.is_empty() && pins == 0 && promotions == 0,
        format!(
            "{pins} changes, {promotions} promotions, {} record sets as before",
            evidence.original.len() - changed.len()
        ),
    )
}

fn still_armed(evidence: &Evidence) -> Result<String, String> {
    let armed = evidence.registers.values().filter(|register| matches!(register, Register::Armed { .. })).count();
    let names = evidence.workload.names.len();
    ensure(armed == names, format!("{armed} of {names} names"))
}

fn site_down_mailed(evidence: &Evidence) -> Result<String, String> {
    const MINUTES_MAX: i64 = 5;
    let outage = evidence.outage_at.ok_or("there was no trouble")?;
    let mailbox = evidence.mailbox();
    let mail = mailbox.iter().find(|mail| mail.at >= outage && mail.subject.contains("site-down"));
    let mail = mail.ok_or("no such mail came")?;
    let seconds = mail.at.duration_since(outage).as_secs();
    ensure(seconds <= MINUTES_MAX * 60, format!("\"{}\" after {seconds} s", mail.subject))
}

fn no_failover_mail(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no trouble")?;
    let mailbox = evidence.mailbox();
    match mailbox.iter().find(|mail| mail.at >= outage && mail.subject.starts_with("Holdfast")) {
        Some(mail) => Err(format!("this came: {}", mail.subject)),
        None => Ok("none".to_owned()),
    }
}

fn held(evidence: &Evidence, rule: &str) -> Result<String, String> {
    let mailbox = evidence.mailbox();
    let pages: Vec<_> = mailbox.iter().filter(|mail| mail.subject.contains("HELD")).collect();
    if let Some(other) = pages.iter().find(|mail| !mail.body.contains(rule)) {
        return Err(format!("a page gives another reason: {}", other.body));
    }
    let ever_pinned = evidence.count(|what| is_outcome(what, "Pinned"));
    ensure(pages.len() >= 3 && ever_pinned == 0, format!("{} pages", pages.len()))
}

fn faults_happened(evidence: &Evidence, word: &str) -> Result<String, String> {
    let faults = evidence.count(|what| matches!(what, What::Fault { what } if what.contains(word)));
    ensure(faults > 0, format!("{faults} deliveries"))
}

/// `m:ss`, as people read durations.
pub(crate) fn minutes(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a drill lasts hours, and `as` saturates")]
    let seconds = seconds.round() as i64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
