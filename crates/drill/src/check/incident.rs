//! Checks of what belongs to one kind of incident.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lab::journal::What;

use super::{Check, ensure, faults_happened};
use crate::evidence::{Evidence, is_outcome, site};
use crate::moment::CONTROL_PLANE_BACK;
use crate::stage::{CLUSTER, NAMES, PRIMARY_ADDRESS};

/// A plan of 1,005 names has at most this many batches: the characters of registers set it (32,000 a batch).
const BATCHES_MAX: usize = 40;
/// What approving the lag of the scenario risks, with the lag's own spread.
const APPROVED_LOSS_SECONDS: std::ops::RangeInclusive<f64> = 60.0..=(16.0 * 60.0);

/// Two ticks, and what a call may take.
const PINNED_AFTER_SECONDS_MAX: i64 = 150;

/// No failover before the real one.
pub const NOTHING_BEFORE: Check =
    Check { name: "nothing is pinned or promoted before the outage that lasts", run: nothing_before };
/// The end of a maintenance.
pub const ARMED_AGAIN: Check =
    Check { name: "maintenance ends by itself: the tick arms again (P05)", run: armed_again };
/// All users on the primary all the time.
pub const USERS_NEVER_LEFT: Check =
    Check { name: "every write goes to the primary and is acknowledged throughout", run: users_never_left };
/// Shadow mode's word.
pub const SHADOW_TOLD: Check =
    Check { name: "operators are told what would have been done (P11)", run: |e| told(e, "SHADOW would have") };
/// Nobody finds out a day later what a colleague did.
pub const ORDERS_TOLD: Check =
    Check { name: "whatever a person ordered by the command line is told to everybody", run: orders_told };
/// A person is asked.
pub const ASKED: Check = Check { name: "operators are asked for their approval", run: |e| told(e, "APPROVE") };
/// Where users are comes first.
pub const USERS_TOLD: Check = Check {
    name: "each message that says that Holdfast waits begins with where users are: on DR, where they cannot write",
    run: users_told,
};
/// The pin waits for a person.
pub const PINNED_AFTER_APPROVAL: Check =
    Check { name: "no record is pinned before the right approval", run: pinned_after_approval };
/// The promotion waits for a person.
pub const PROMOTED_AFTER_APPROVAL: Check =
    Check { name: "the lagging database is not promoted before an approval", run: promoted_after_approval };
/// The loss is that of the lag.
pub const LOSS_AS_APPROVED: Check =
    Check { name: "what is lost is what the approval named: the lag", run: loss_as_approved };
/// Somebody is paged about the promotion.
pub const PROMOTION_TROUBLE_PAGED: Check =
    Check { name: "operators are paged that a promotion does not succeed", run: promotion_trouble_paged };
/// Undone twice, pinned again twice.
pub const PINNED_AGAIN_TWICE: Check =
    Check { name: "what was undone is pinned again, twice, and told", run: pinned_again_twice };
/// Undone a third time.
pub const LEFT_TO_PEOPLE: Check =
    Check { name: "undone a third time, the record stays as people wrote it, and they are told", run: left_to_people };
/// Batches.
pub const FEW_BATCHES: Check =
    Check { name: "all names are pinned in few batches, one after the other", run: few_batches };
/// People know, though messages were lost.
pub const OPERATORS_KNOW: Check =
    Check { name: "operators are told of the outage, and that the workload is on DR", run: operators_know };
/// Crashes did happen.
pub const KILLS_HAPPENED: Check =
    Check { name: "functions were indeed killed before and after their calls", run: kills_happened };
/// Throttling did happen.
pub const THROTTLES_HAPPENED: Check =
    Check { name: "calls were indeed throttled", run: |e| faults_happened(e, "refused with Throttling") };
/// The order of things around a broken control plane.
pub const NOTHING_WHILE_DOWN: Check = Check {
    name: "nothing is pinned or promoted until the control plane is back, and then all at once",
    run: nothing_while_down,
};
/// Chaos did happen.
pub const CHAOS_HAPPENED: Check = Check { name: "faults of every kind did happen", run: chaos_happened };

/// The first pin or promotion.
fn first_act(evidence: &Evidence) -> Option<Timestamp> {
    let pinned = evidence.pins().first().map(|pin| pin.requested_at);
    pinned.into_iter().chain(evidence.promotions().first().map(|(at, _)| *at)).min()
}

fn nothing_before(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let first = first_act(evidence).ok_or("there was no failover")?;
    let minutes = first.duration_since(outage).as_mins();
    ensure(first > outage, format!("the first change came {minutes} minutes after its beginning"))
}

fn armed_again(evidence: &Evidence) -> Result<String, String> {
    let by_end = |what: &What| {
        is_outcome(what, "Armed") && matches!(what, What::Invocation { response, .. } if response["rule"] == "P05")
    };
    let times = evidence.count(by_end);
    ensure(times >= 1, format!("{times} invocations armed at the end of a pause"))
}

fn users_never_left(evidence: &Evidence) -> Result<String, String> {
    let writes = evidence.writes_after(evidence.outage_at.ok_or("there was no trouble")?);
    let mut count = 0;
    for write in writes {
        count += 1;
        if !(write.acknowledged && write.address == Some(PRIMARY_ADDRESS)) {
            return Err(format!("{} went to {} or was not acknowledged", write.id, site(write.address)));
        }
    }
    ensure(count > 0, format!("{count} writes"))
}

fn told(evidence: &Evidence, words: &str) -> Result<String, String> {
    let mails = evidence.mailbox().iter().filter(|mail| mail.subject.contains(words)).count();
    ensure(mails > 0, format!("{mails} mails say {words:?}"))
}

fn users_told(evidence: &Evidence) -> Result<String, String> {
    let waits = |subject: &str| ["HELD", "APPROVE", "SHADOW"].iter().any(|word| subject.contains(word));
    let mailbox = evidence.mailbox();
    let mails: Vec<_> = mailbox.iter().filter(|mail| waits(&mail.subject)).collect();
    let tells =
        |body: &str| body.starts_with("WHERE USERS ARE\n  Users are on DR since") && body.contains("writes fail");
    match mails.iter().find(|mail| !tells(&mail.body) || !mail.subject.contains("READ-ONLY DR")) {
        Some(mail) => Err(format!("{:?}: {}", mail.subject, mail.body)),
        None => ensure(!mails.is_empty(), format!("{} messages", mails.len())),
    }
}

/// The commands that change what Holdfast does or where users are, and what is told of each.
const ORDERS: [(&str, &str); 9] = [
    ("adopt", "switch adopted by operator"),
    ("arm", "armed by operator"),
    ("disarm", "DISARMED by operator"),
    ("maintenance begin", "maintenance begun by operator"),
    ("maintenance end", "maintenance ended by operator"),
    ("failback rebuild", "failback, replicas made by operator"),
    ("failback switch", "BACK on the primary by operator"),
    ("failback protect", "armed by operator"),
    ("fence lift", "fence lifted by operator"),
];

fn orders_told(evidence: &Evidence) -> Result<String, String> {
    let run = |command: &str| {
        let run = format!("somebody runs holdfast {command}");
        evidence
            .count(|what| matches!(what, What::Fault { what } if *what == run || what.starts_with(&format!("{run} "))))
    };
    let mailbox = evidence.mailbox();
    let mut orders = 0;
    for words in ORDERS.iter().map(|(_, words)| *words).collect::<BTreeSet<_>>() {
        let given: usize = ORDERS.iter().filter(|(_, told)| *told == words).map(|(command, _)| run(command)).sum();
        let told = mailbox.iter().filter(|mail| mail.subject.contains(words)).count();
        if told < given {
            return Err(format!("{given} orders, and {told} mails that say {words:?}"));
        }
        orders += given;
    }
    ensure(orders > 0, format!("{orders} orders"))
}

fn approved_at(evidence: &Evidence) -> Result<Timestamp, String> {
    let approval = |what: &What| matches!(what, What::Event { detail_type, .. } if detail_type == "Holdfast Approval");
    evidence.last(approval).ok_or_else(|| "nobody approved".to_owned())
}

fn pinned_after_approval(evidence: &Evidence) -> Result<String, String> {
    let approved = approved_at(evidence)?;
    let first = first_act(evidence).ok_or("there was no failover")?;
    ensure(first >= approved, format!("{} s after it", first.duration_since(approved).as_secs()))
}

fn promoted_after_approval(evidence: &Evidence) -> Result<String, String> {
    let approved = approved_at(evidence)?;
    let promotions = evidence.promotions();
    let (at, _) = promotions.iter().find(|(_, id)| id.ends_with(CLUSTER)).ok_or("it was not promoted")?;
    ensure(*at >= approved, format!("{} s after it", at.duration_since(approved).as_secs()))
}

fn loss_as_approved(evidence: &Evidence) -> Result<String, String> {
    let rpo = evidence.rpo_seconds().ok_or("nothing was promoted")?;
    let lost = evidence.lost().len();
    ensure(APPROVED_LOSS_SECONDS.contains(&rpo), format!("{lost} acknowledged writes, the oldest {rpo:.0} s before"))
}

fn promotion_trouble_paged(evidence: &Evidence) -> Result<String, String> {
    told(evidence, "INTERRUPTED").or_else(|_| told(evidence, "NOT promotable"))
}

fn pinned_again_twice(evidence: &Evidence) -> Result<String, String> {
    let changes = evidence.pins().iter().filter(|pin| pin.name == NAMES[0]).count();
    let told = told(evidence, "pin was undone, pinned again")?;
    // One pin, three undoings, two pins again.
    ensure(changes == 6, format!("{changes} changes of {} in all; {told}", NAMES[0]))
}

fn left_to_people(evidence: &Evidence) -> Result<String, String> {
    let told = told(evidence, "LEFT TO YOU")?;
    let is_app = |set: &&lab::route53::RecordSet| {
        set.key.name.bare() == NAMES[0] && set.key.kind.to_string() == "A" && set.failover().is_some()
    };
    let same = evidence.original.iter().filter(is_app).all(|set| evidence.finals.contains(set));
    ensure(same, format!("the record says what they wrote: {same}; {told}"))
}

fn few_batches(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let (changes, first, last) = evidence.batches_after(outage).ok_or("there was no change")?;
    let (calls, refused) = evidence.calls_after(outage, "route53");
    ensure(
        changes <= BATCHES_MAX,
        format!(
            "{changes} batches of records in {} s; {calls} calls of Route 53 in all since, {refused} of them refused",
            last.duration_since(first).as_secs()
        ),
    )
}

fn operators_know(evidence: &Evidence) -> Result<String, String> {
    let outage = told(evidence, "site-down")?;
    let on_dr = ["FAILED OVER", "stays on DR", "pinned to DR"].iter().find_map(|words| told(evidence, words).ok());
    Ok(format!("{outage}, {}", on_dr.ok_or("and none that the workload is on DR")?))
}

fn kills_happened(evidence: &Evidence) -> Result<String, String> {
    let before = faults_happened(evidence, "killed the caller before")?;
    let after = faults_happened(evidence, "killed the caller after")?;
    Ok(format!("before: {before}, after: {after}"))
}

fn nothing_while_down(evidence: &Evidence) -> Result<String, String> {
    let back = evidence
        .first(|what| matches!(what, What::Fault { what } if what == CONTROL_PLANE_BACK))
        .ok_or("it never came back")?;
    let tried = evidence.first(|what| matches!(what, What::Fault { what } if what.contains("ServiceUnavailable")));
    let first = first_act(evidence).ok_or("there was no failover")?;
    let last = evidence.pins().iter().map(|pin| pin.requested_at).max().ok_or("no name was pinned")?;
    let seconds = |at: Timestamp| at.duration_since(back).as_secs();
    ensure(
        first >= back && tried.is_some() && seconds(last) <= PINNED_AFTER_SECONDS_MAX,
        format!("the first change came {} s after, the last name was pinned {} s after", seconds(first), seconds(last)),
    )
}

fn chaos_happened(evidence: &Evidence) -> Result<String, String> {
    let kinds = ["refused with", "slow by", "timed out", "cut ", "killed the caller", "Lose", "Deliver", "Delay"];
    let counts = kinds.map(|kind| evidence.count(|what| matches!(what, What::Fault { what } if what.contains(kind))));
    let happened = counts.iter().filter(|count| **count > 0).count();
    ensure(happened >= 6, format!("{} faults of {happened} kinds", counts.iter().sum::<usize>()))
}
