//! Checks of what real zones, databases and clients do.

use jiff::{SignedDuration, Timestamp};
use lab::journal::What;
use lab::route53::RecordSet;

use super::{Check, ensure, is_register, pinned_at};
use crate::client::Straggler;
use crate::evidence::{Evidence, Mail, carries_users, is_outcome};
use crate::moment::{ODD_NAME, PROTECTED_BECAUSE, TARGETS_FAIL, UNPROTECTED};
use crate::stage::{DR_ADDRESS, LONG_TTL_SECONDS, PRIMARY_ADDRESS};

/// `DrainSeconds` of the template.
const DRAIN_SECONDS: i64 = 120;

/// A reboot takes a minute or so (RDS user guide, "Rebooting a DB instance").
pub(super) const REBOOTED_WITHIN: SignedDuration = SignedDuration::from_secs(120);

pub(super) const FENCER: &str = "holdfast-fencer";

/// One name holds back no other.
pub const OTHERS_PINNED: Check =
    Check { name: "the names that nobody protected are pinned while the protected one is not", run: others_pinned };
/// The cause reaches people.
pub const PROTECTION_TOLD: Check =
    Check { name: "operators are told which name Route 53 refuses, in its own words", run: protection_told };
/// The databases wait for the last name.
pub const NOTHING_WHILE_PROTECTED: Check =
    Check { name: "no database is promoted while the protected name is not pinned", run: nothing_while_protected };
/// Records that carry no users.
pub const OTHER_TYPES_LEFT: Check =
    Check { name: "MX, TXT and HTTPS records beside the pairs are left as they were", run: other_types_left };
/// What resolvers were given.
pub const LONG_TTL_DRAINED: Check =
    Check { name: "the databases wait for the TTL that the alias's target gave to resolvers", run: long_ttl_drained };
/// Said before it matters.
pub const NO_REPLICA_TOLD: Check = Check {
    name: "operators are told before the outage that the databases are no replicas (R09)",
    run: |e| told_before_outage(e, &["R09"]).map(|mail| mail.subject),
};
/// Whoever missed the mail is rung.
pub const DATABASES_UNREADY_RANG: Check =
    Check { name: "the alarm of databases that would not be promoted rings before the outage", run: databases_rang };
/// No end without proof.
pub const CLOSED_AFTER_APPROVAL: Check = Check {
    name: "nobody is told FAILED OVER before a person approved what no promotion proves",
    run: closed_after_approval,
};
/// Said before it matters.
pub const TARGET_HEALTH_TOLD: Check = Check {
    name: "operators are told before the outage that target health moves the name's users",
    run: |e| told_before_outage(e, &[ODD_NAME, "EvaluateTargetHealth"]).map(|mail| mail.subject),
};
/// Target health did move users.
pub const TARGET_HEALTH_MOVED: Check =
    Check { name: "failing targets did move that name to DR by themselves, and back", run: target_health_moved };
/// What nobody can wait for is counted.
pub const STRAGGLERS_COUNTED: Check = Check {
    name: "clients who keep a connection or a pool lose what they write after the promotion, and it is counted",
    run: stragglers_counted,
};
/// What the fence is for.
pub const STRAGGLERS_CUT_OFF: Check = Check {
    name: "once the fence stands no straggler's write reaches the old primary, and the pool is on DR",
    run: stragglers_cut_off,
};

pub(super) fn noted_at(evidence: &Evidence, note: &str) -> Result<Timestamp, String> {
    let noted = evidence.last(|what| matches!(what, What::Fault { what } if what == note));
    noted.ok_or_else(|| format!("it never came to this: {note}"))
}

fn others_pinned(evidence: &Evidence) -> Result<String, String> {
    let lifted = noted_at(evidence, UNPROTECTED)?;
    let (odd, others): (Vec<_>, Vec<_>) = evidence.pins().into_iter().partition(|pin| pin.name == ODD_NAME);
    let early = others.iter().filter(|pin| pin.requested_at < lifted).count();
    let late = odd.iter().filter(|pin| pin.requested_at > lifted).count();
    ensure(
        early == others.len() && early > 0 && late == odd.len() && late > 0,
        format!("{early} of {} pins before the protection was lifted, {late} of {} after", others.len(), odd.len()),
    )
}

fn protection_told(evidence: &Evidence) -> Result<String, String> {
    let lifted = noted_at(evidence, UNPROTECTED)?;
    let mailbox = evidence.mailbox();
    let names_it = |mail: &&Mail| mail.body.contains(ODD_NAME) && mail.body.contains(PROTECTED_BECAUSE);
    let told = mailbox.iter().filter(|mail| mail.at < lifted).find(names_it);
    told.map(|mail| format!("{:?}", mail.subject)).ok_or_else(|| "no mail before it was lifted".to_owned())
}

fn nothing_while_protected(evidence: &Evidence) -> Result<String, String> {
    let lifted = noted_at(evidence, UNPROTECTED)?;
    let (first, _) = evidence.promotions().into_iter().next().ok_or("nothing was promoted")?;
    ensure(
        first > lifted,
        format!("promotion was asked {} s after it was lifted", first.duration_since(lifted).as_secs()),
    )
}

fn other_types_left(evidence: &Evidence) -> Result<String, String> {
    let others = |sets: &[RecordSet]| -> Vec<RecordSet> {
        sets.iter().filter(|set| !carries_users(set) && !is_register(set)).cloned().collect()
    };
    let before = others(&evidence.original);
    let beside =
        before.iter().filter(|set| ["MX", "TXT", "HTTPS"].contains(&set.key.kind.to_string().as_str())).count();
    ensure(before == others(&evidence.finals) && beside >= 5, format!("{beside} record sets"))
}

fn long_ttl_drained(evidence: &Evidence) -> Result<String, String> {
    let pinned = pinned_at(evidence)?;
    let (promoted, _) = evidence.promotions().into_iter().next().ok_or("nothing was promoted")?;
    let seconds = promoted.duration_since(pinned).as_secs();
    let wanted = LONG_TTL_SECONDS + DRAIN_SECONDS;
    ensure(
        seconds >= wanted,
        format!("promotion was asked {seconds} s after the pin was in sync, of at least {wanted}"),
    )
}

fn told_before_outage(evidence: &Evidence, words: &[&str]) -> Result<Mail, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let mut mails = evidence.mailbox().into_iter().filter(|mail| mail.at < outage);
    mails
        .find(|mail| words.iter().all(|word| mail.body.contains(word)))
        .ok_or_else(|| format!("no mail before the outage says {words:?}"))
}

fn databases_rang(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let is_it = |mail: &Mail| mail.at < outage && mail.subject.starts_with("ALARM: \"holdfast-databases-unready\"");
    let rang = evidence.mailbox().into_iter().find(is_it).ok_or("it did not ring")?;
    Ok(format!("{} minutes before it", outage.duration_since(rang.at).as_mins()))
}

fn closed_after_approval(evidence: &Evidence) -> Result<String, String> {
    let approved = evidence.first(|what| matches!(what, What::Fault { what } if what.contains("holdfast approve")));
    let approved = approved.ok_or("nobody approved")?;
    let closed = evidence.first(|what| is_outcome(what, "FailedOver")).ok_or("it never ended")?;
    ensure(closed > approved, format!("{} s after the approval", closed.duration_since(approved).as_secs()))
}

fn target_health_moved(evidence: &Evidence) -> Result<String, String> {
    let (failed, outage) = (noted_at(evidence, TARGETS_FAIL)?, evidence.outage_at.ok_or("there was no outage")?);
    let answers: Vec<_> =
        evidence.answers_after(failed).filter(|answer| answer.name == ODD_NAME && answer.at < outage).collect();
    let on_dr = answers.iter().filter(|answer| answer.address == Some(DR_ADDRESS)).count();
    let is_back = answers.last().is_some_and(|answer| answer.address == Some(PRIMARY_ADDRESS));
    ensure(
        on_dr > 0 && is_back,
        format!("{on_dr} of {} answers with DR before the outage; back: {is_back}", answers.len()),
    )
}

fn stragglers_counted(evidence: &Evidence) -> Result<String, String> {
    let lost = Straggler::ALL.map(|kind| evidence.strays_lost(kind.name()));
    let counted: Vec<_> =
        Straggler::ALL.iter().zip(&lost).map(|(kind, lost)| format!("{} {lost}", kind.name())).collect();
    let [kept, cached, pooled] = lost;
    ensure(kept > 0 && cached == 0 && pooled > 0, format!("acknowledged writes lost: {}", counted.join(", ")))
}

fn stragglers_cut_off(evidence: &Evidence) -> Result<String, String> {
    let (rebooted, _) = evidence.done_by(FENCER, "RebootDB").pop().ok_or("nothing was fenced")?;
    let after: Vec<_> = evidence.strays_after(rebooted + REBOOTED_WITHIN).collect();
    let old = |write: &&&crate::client::Write| write.acknowledged && write.address == Some(PRIMARY_ADDRESS);
    if let Some(write) = after.iter().find(old) {
        return Err(format!("{} was acknowledged by the old primary at {}", write.id, write.at));
    }
    let pool = after.iter().filter(|write| write.id.starts_with(Straggler::Pool.name()));
    let on_dr = pool.filter(|write| write.acknowledged && write.address == Some(DR_ADDRESS)).count();
    ensure(on_dr > 0, format!("{} writes since, none acknowledged there; {on_dr} of the pool's in DR", after.len()))
}
