//! Checks of what is in real servers, row by row.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lab::servers::Brand;

use super::reality::{FENCER, REBOOTED_WITHIN, noted_at};
use super::{Check, ensure, pinned_at};
use crate::client::Write;
use crate::client::database::{LONG_TRANSACTION, POOL};
use crate::evidence::{Evidence, Rows};
use crate::moment::{LINK_OF_TRANSACTION, LINK_SILENT, LINK_SLOW, TABLE_LOCKED};
use crate::stage::{CLUSTER_SOURCE, DR_ADDRESS};

/// A sample is kept under the minute that it was taken in.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What every drill on real servers is held to.
pub const ON_REAL_SERVERS: &[Check] = &[
    Check { name: "every server did as RDS was told", run: servers_obeyed },
    Check {
        name: "the rows lost are those that the old primary took last, counted one by one, and no others",
        run: lost_rows_counted,
    },
];

/// The lag is that of what was received.
pub const SLOW_LINK_UNSEEN: Check = Check {
    name: "the lag that RDS told knew nothing of what a slow link still held, and that is what was lost",
    run: |e| unseen(e, LINK_SLOW, SignedDuration::from_secs(60), 100.0),
};
/// The heartbeat is the replica's own newest row.
pub const LOSS_TOLD_TRULY: Check = Check {
    name: "whoever is asked is told until when the replica has every write: not later than the truth, nor more than a minute earlier",
    run: loss_told_truly,
};
/// `slave_net_timeout`.
pub const SILENCE_UNSEEN: Check = Check {
    name: "the lag that RDS told was 0 after the last write had arrived, and what came later was lost",
    run: |e| unseen(e, LINK_SILENT, SignedDuration::ZERO, 40.0),
};

/// `RESET SLAVE ALL` drops the relay log.
pub const FETCHED_LOST: Check = Check {
    name: "what the replica had received and not applied was lost by its promotion, and the lag had told of it",
    run: fetched_lost,
};

/// Replication applies a transaction whole or not at all.
pub const TRANSACTION_LOST_WHOLE: Check = Check {
    name: "of the transaction that was on its way as the primary went down DR has no row at all, and the old primary has every one",
    run: transaction_lost_whole,
};
/// What nobody can wait for is counted.
pub const POOL_COUNTED: Check = Check {
    name: "a pool stays at the old primary's database after DNS has moved, and what it wrote after the promotion is there alone, row by row",
    run: pool_counted,
};
/// What the fence is for.
pub const POOL_CUT_OFF: Check = Check {
    name: "the closed security group leaves a pool its connections, the reboot ends them, and the pool is let in no more",
    run: pool_cut_off,
};

/// The lag is that of what was received, on the way home too.
pub const LINK_HOME_UNSEEN: Check = Check {
    name: "after writes stopped in DR the lag that RDS told of the successor was 0 in most samples, of MySQL in many, whatever the link still held",
    run: link_home_unseen,
};
/// Positions are exact.
pub const NOTHING_LOST_ON_THE_WAY_HOME: Check = Check {
    name: "every write that DR acknowledged is in the primary after the failback",
    run: |e| lost_on_the_way_home(e).and_then(|(lost, all)| ensure(lost == 0, format!("{lost} of {all} lost"))),
};
/// What a false word costs.
pub const LOST_ON_THE_WAY_HOME: Check = Check {
    name: "writes that DR acknowledged are not in the primary after the failback: nobody had compared positions",
    run: |e| lost_on_the_way_home(e).and_then(|(lost, all)| ensure(lost > 100, format!("{lost} of {all} lost"))),
};

fn link_home_unseen(evidence: &Evidence) -> Result<String, String> {
    let stopped = noted_at(evidence, "writes stop in DR")?;
    let home = *evidence.homes.first().ok_or("nobody came home")?;
    let lags = rows(evidence)?.lags_home.iter().filter(|(at, _)| *at >= stopped && *at + MINUTE <= home);
    // −1 is what RDS says of a database that replicates nothing: it was promoted.
    let lags: Vec<f64> = lags.map(|(_, seconds)| *seconds).filter(|seconds| *seconds >= 0.0).collect();
    let small = lags.iter().filter(|seconds| **seconds <= 1.0).count();
    let is_most = match rows(evidence)?.brand {
        Some(Brand::MySql) => small > 0 && small * 4 >= lags.len(),
        Some(Brand::MariaDb) | None => small * 2 > lags.len(),
    };
    ensure(is_most, format!("{small} of {} samples", lags.len()))
}

/// How many writes that DR acknowledged are not in the primary, and how many there were.
fn lost_on_the_way_home(evidence: &Evidence) -> Result<(usize, usize), String> {
    if evidence.homes.is_empty() {
        return Err("nobody came home".to_owned());
    }
    let in_dr = |write: &&crate::client::Write| write.address == Some(DR_ADDRESS);
    let lost = evidence.lost().into_iter().filter(|write| in_dr(write)).count();
    Ok((lost, evidence.acknowledged().filter(in_dr).count()))
}

/// CloudWatch keeps a sample under the minute that it was taken in, so that what is told may be a minute early.
fn loss_told_truly(evidence: &Evidence) -> Result<String, String> {
    const TOLD: &str = "replication was complete until ";
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let mailbox = evidence.mailbox();
    let asked = mailbox.iter().find(|mail| mail.subject.contains("APPROVE")).ok_or("nobody was asked")?;
    let heartbeat = asked.body.lines().find(|line| line.contains("heartbeat of Aurora cluster app-dr"));
    let told = heartbeat.and_then(|line| line.split(TOLD).nth(1)?.split(';').next()?.parse::<Timestamp>().ok());
    let told = told.ok_or_else(|| format!("nothing is told of a heartbeat: {}", asked.body))?;
    let in_dr: BTreeSet<&String> = rows(evidence)?.new.iter().collect();
    let had = evidence.acknowledged().filter(|write| write.at <= outage && in_dr.contains(&write.id));
    let truth = had.map(|write| write.at).max().ok_or("DR has no write from before the outage")?;
    let early = truth.duration_since(told).as_secs_f64();
    ensure(
        (-2.0..=63.0).contains(&early),
        format!(
            "told {told}, {early:.1} s before the newest write that DR has; {} acknowledged writes lost",
            evidence.lost().len()
        ),
    )
}

fn fetched_lost(evidence: &Evidence) -> Result<String, String> {
    let (since, outage) = (noted_at(evidence, TABLE_LOCKED)?, evidence.outage_at.ok_or("there was no outage")?);
    let locked = outage.duration_since(since).as_secs_f64();
    let lags = rows(evidence)?.lags.iter().filter(|(at, _)| *at + MINUTE > since && *at < outage + MINUTE);
    let greatest = lags.fold(0.0_f64, |most, (_, seconds)| most.max(*seconds));
    let lost = evidence.rpo_seconds().unwrap_or_default();
    // A write is made every two seconds, and the first one locked out was on the way for some seconds.
    ensure(
        lost >= locked - 5.0 && greatest > 0.0,
        format!(
            "locked for {locked:.0} s, lag at most {greatest:.0} s; {} writes of {lost:.0} s lost",
            evidence.lost().len()
        ),
    )
}

/// The samples of the lag from some time after a note in the journal up to the outage: at least as many say that there is nearly none
/// as not, since each is a coin toss; and what was lost is more.
fn unseen(evidence: &Evidence, note: &str, later: SignedDuration, lost_seconds_min: f64) -> Result<String, String> {
    const NEARLY_NONE: std::ops::RangeInclusive<f64> = 0.0..=5.0;
    let (since, outage) = (noted_at(evidence, note)? + later, evidence.outage_at.ok_or("there was no outage")?);
    let lags = rows(evidence)?.lags.iter().filter(|(at, _)| *at + MINUTE > since && *at + MINUTE <= outage);
    let lags: Vec<f64> = lags.map(|(_, seconds)| *seconds).collect();
    let small = lags.iter().filter(|seconds| NEARLY_NONE.contains(*seconds)).count();
    let lost = evidence.rpo_seconds().unwrap_or_default();
    ensure(
        small * 2 >= lags.len() && !lags.is_empty() && lost >= lost_seconds_min,
        format!("samples {lags:?}; {} acknowledged writes of {lost:.0} s lost", evidence.lost().len()),
    )
}

fn transaction_lost_whole(evidence: &Evidence) -> Result<String, String> {
    let since = noted_at(evidence, LINK_OF_TRANSACTION)?;
    let Rows { old, new, lags, .. } = rows(evidence)?;
    let of_it = |rows: &[String]| rows.iter().filter(|id| id.starts_with(LONG_TRANSACTION)).count();
    let (in_old, in_dr) = (of_it(old), of_it(new));
    let told: Vec<f64> =
        lags.iter().filter(|(at, _)| *at + MINUTE > since).map(|(_, seconds)| *seconds).take(5).collect();
    ensure(in_dr == 0 && in_old > 0, format!("{in_old} rows in the old primary, {in_dr} in DR; lag since {told:?}"))
}

/// The pool's acknowledged writes.
fn pooled(evidence: &Evidence) -> impl Iterator<Item = &Write> {
    evidence.strays_after(Timestamp::MIN).filter(|write| write.acknowledged && write.id.starts_with(POOL))
}

fn pool_counted(evidence: &Evidence) -> Result<String, String> {
    let pinned = pinned_at(evidence)?;
    let Rows { old, new, .. } = rows(evidence)?;
    if let Some(nowhere) = pooled(evidence).find(|write| !old.contains(&write.id)) {
        return Err(format!("{} was acknowledged, and the old primary does not have it", nowhere.id));
    }
    let stayed = pooled(evidence).filter(|write| write.at > pinned).count();
    let lost: Vec<_> = pooled(evidence).filter(|write| !new.contains(&write.id)).collect();
    let (promoted, _) = evidence.promotions().into_iter().next().ok_or("nothing was promoted")?;
    let early = lost.iter().filter(|write| write.at + MINUTE < promoted).count();
    ensure(
        stayed > 0 && !lost.is_empty() && early == 0,
        format!(
            "{stayed} writes acknowledged after the pin; {} lost, {early} of them made a minute before the promotion",
            lost.len()
        ),
    )
}

fn pool_cut_off(evidence: &Evidence) -> Result<String, String> {
    let of_cluster =
        |of: &str| evidence.done_by(FENCER, of).into_iter().find(|(_, what)| what.contains(CLUSTER_SOURCE));
    let (closed, _) = of_cluster("ModifyDBCluster").ok_or("no group was closed")?;
    let (rebooted, _) = of_cluster("RebootDB").ok_or("nothing was rebooted")?;
    let between = pooled(evidence).filter(|write| write.at > closed && write.at <= rebooted).count();
    if let Some(write) = pooled(evidence).find(|write| write.at > rebooted + REBOOTED_WITHIN) {
        return Err(format!("{} was acknowledged at {}, after the reboot", write.id, write.at));
    }
    let later = || evidence.strays_after(rebooted + REBOOTED_WITHIN).filter(|write| write.id.starts_with(POOL));
    let (refused, all) = (later().filter(|write| write.address.is_none()).count(), later().count());
    let seconds = rebooted.duration_since(closed).as_secs();
    ensure(
        refused > 0 && refused == all,
        format!(
            "{between} writes in the {seconds} s between the group and the reboot; {refused} of {all} refused since"
        ),
    )
}

fn rows(evidence: &Evidence) -> Result<&Rows, String> {
    evidence.rows.as_ref().ok_or_else(|| "no server was asked".to_owned())
}

fn servers_obeyed(evidence: &Evidence) -> Result<String, String> {
    let Rows { old, new, lags, trouble, .. } = rows(evidence)?;
    let told = |(at, seconds): &&(Timestamp, f64)| {
        *seconds >= 0.0 && evidence.outage_at.is_none_or(|outage| *at + MINUTE <= outage)
    };
    let (samples, greatest) =
        lags.iter().filter(told).fold((0, 0.0_f64), |(count, most), (_, seconds)| (count + 1, most.max(*seconds)));
    let lag = format!("{samples} samples of the lag before the outage, at most {greatest:.0} s");
    match trouble {
        Some(trouble) => Err(trouble.clone()),
        None => Ok(format!("{} rows in the old primary, {} in DR; {lag}", old.len(), new.len())),
    }
}

/// No acknowledged row vanished: what the survivor lacks is in a server that was given up. And after one failover it is counted without
/// the users: what the old primary has and DR has not must be the tail of what it was given, which is what asynchronous replication
/// loses, and the report's count of what users were told is written must be the same.
fn lost_rows_counted(evidence: &Evidence) -> Result<String, String> {
    let Rows { old, new, anywhere, .. } = rows(evidence)?;
    let lost = evidence.lost();
    if let Some(nowhere) = lost.iter().find(|write| !anywhere.contains(&write.id)) {
        return Err(format!("{} was acknowledged, and no server has it", nowhere.id));
    }
    if evidence.promotions().is_empty() || !evidence.homes.is_empty() {
        return Ok(format!("{} acknowledged rows lost, each of them in a server that was given up", lost.len()));
    }
    let in_dr: BTreeSet<&String> = new.iter().collect();
    let had = old.iter().take_while(|id| in_dr.contains(id)).count();
    if let Some(later) = old[had..].iter().find(|id| in_dr.contains(id)) {
        return Err(format!("DR has {later}, and lacks {} that was written before it", old[had]));
    }
    let lost_rows: BTreeSet<&String> = old[had..].iter().collect();
    let told = lost.iter().filter(|write| lost_rows.contains(&write.id)).count();
    let (rows, report) = (lost_rows.len(), lost.len());
    // What the old primary took as it went down, and could not say so any more, nobody was told.
    ensure(
        told == report,
        format!("{rows} rows only in the old primary, {told} of them acknowledged; the report says {report}"),
    )
}
