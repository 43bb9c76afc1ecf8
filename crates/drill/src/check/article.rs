//! Checks of the article's workload, from its users' side.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::SignedDuration;

use super::reality::noted_at;
use super::{ANSWER_ON_ITS_WAY, Check, ensure};
use crate::evidence::{Evidence, site};
use crate::moment::{ADDED_IN_DR, PICTURE};
use crate::stage::shop::{Facts, KEEP_ALIVE_SECONDS};
use crate::stage::{DR_ADDRESS, PRIMARY_ADDRESS};

/// "If the website remains unavailable for 30 minutes".
pub const THIRTY_MINUTES: Check =
    Check { name: "nobody is sent to DR before the site was down for thirty minutes", run: thirty_minutes };
/// "Traffic is not routed back again to the now available primary".
pub const STAYED_UNTIL_CALLED_HOME: Check = Check {
    name: "the primary's return changes nothing: until the failback no name leads there, no record changes, nothing is promoted",
    run: stayed_until_called_home,
};
/// What the outage cost, by name.
pub const LOST_ORDERS_LISTED: Check =
    Check { name: "the orders lost are those that the old primary alone has, one by one", run: lost_orders_listed };
/// Replication, both ways.
pub const ASSETS_ALIKE: Check =
    Check { name: "both buckets have the same objects at the end, those put into DR's among them", run: assets_alike };
/// "Site assets will be served from the secondary bucket".
pub const ASSETS_OF_OWN_REGION: Check = Check {
    name: "each site serves its pictures from its own region's bucket, DR's in the outage, and the right ones",
    run: assets_of_own_region,
};
/// `client_keep_alive`.
pub const KEPT_CONNECTIONS_END: Check = Check {
    name: "no kept connection outlives the load balancer's keep-alive, so that its user follows DNS, out and home",
    run: kept_connections_end,
};

fn facts(evidence: &Evidence) -> Result<&Facts, String> {
    evidence.shop.as_ref().ok_or_else(|| "nobody looked at the application".to_owned())
}

fn thirty_minutes(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let mut answers = evidence.answers_after(outage);
    let first = answers.find(|answer| answer.address == Some(DR_ADDRESS)).ok_or("nobody was sent to DR")?;
    let minutes = first.at.duration_since(outage).as_secs_f64() / 60.0;
    ensure((30.0..45.0).contains(&minutes), format!("the first after {minutes:.1} minutes"))
}

fn stayed_until_called_home(evidence: &Evidence) -> Result<String, String> {
    let healed = evidence.healed_at.ok_or("the primary never returned")?;
    let called = noted_at(evidence, "somebody runs holdfast failback rebuild --successor app-dr=eu-west-1/app")?;
    let between = |at: jiff::Timestamp| at > healed && at < called;
    let answers: Vec<_> = evidence.answers_after(healed).filter(|answer| answer.at < called).collect();
    let back = answers.iter().filter(|answer| answer.address != Some(DR_ADDRESS)).count();
    let changed = evidence.pins().iter().filter(|pin| between(pin.requested_at)).count();
    let promoted = evidence.promotions().iter().filter(|(at, _)| between(*at)).count();
    let minutes = called.duration_since(healed).as_mins();
    ensure(
        back == 0 && changed == 0 && promoted == 0 && minutes >= 30 && !answers.is_empty(),
        format!(
            "in {minutes} minutes {back} of {} answers with the primary, {changed} changes, {promoted} promotions",
            answers.len()
        ),
    )
}

fn lost_orders_listed(evidence: &Evidence) -> Result<String, String> {
    let Facts { old, new, .. } = facts(evidence)?;
    let heard_by = evidence.outage_at.ok_or("there was no outage")? + ANSWER_ON_ITS_WAY;
    let alone: BTreeSet<&String> = old.difference(new).collect();
    let told = evidence.acknowledged().filter(|write| write.at <= heard_by && !new.contains(&write.id));
    let lost: BTreeSet<&String> = told.map(|write| &write.id).collect();
    let untold: BTreeSet<&String> =
        evidence.seen.writes.iter().filter(|write| !write.acknowledged).map(|write| &write.id).collect();
    // What it took as it went down, and could not say so any more, nobody was told.
    if let Some(unknown) = alone.iter().find(|id| !lost.contains(*id) && !untold.contains(*id)) {
        return Err(format!("the old primary alone has {unknown}, and no user knows of it"));
    }
    if let Some(nowhere) = lost.iter().find(|id| !alone.contains(*id)) {
        return Err(format!("{nowhere} was acknowledged, and neither database has it"));
    }
    let list = lost.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let in_doubt = alone.len() - lost.len();
    ensure(
        !old.is_empty(),
        format!("{} of {} in the old primary: {list}; {in_doubt} more of which nobody was told", lost.len(), old.len()),
    )
}

fn assets_alike(evidence: &Evidence) -> Result<String, String> {
    let [primary, dr] = &facts(evidence)?.objects;
    let keys = primary.keys().map(String::as_str).collect::<Vec<_>>();
    let has_both = [PICTURE, ADDED_IN_DR].iter().all(|key| keys.contains(key));
    ensure(primary == dr && has_both, format!("{} in the primary region's, {} in DR's", keys.join(", "), dr.len()))
}

fn assets_of_own_region(evidence: &Evidence) -> Result<String, String> {
    let Facts { objects, reads, .. } = facts(evidence)?;
    let right = objects[0].get(PICTURE).ok_or("the picture is gone")?;
    let visits = &evidence.seen.visits;
    if let Some(wrong) = visits.iter().find(|visit| visit.picture.as_ref().is_some_and(|picture| picture != right)) {
        return Err(format!("{} served something else at {}", site(wrong.address), wrong.at));
    }
    let served = |address: IpAddr| {
        visits.iter().filter(|visit| visit.address == Some(address) && visit.picture.is_some()).count()
    };
    let served = [served(PRIMARY_ADDRESS), served(DR_ADDRESS)];
    // One may be read and lost with the region that was about to answer.
    let is_own = |nth: usize| served[nth] > 0 && (served[nth]..=served[nth] + 1).contains(&reads[nth]);
    let last = visits.last().is_some_and(|visit| visit.picture.is_some());
    ensure(is_own(0) && is_own(1) && last, format!("served by the primary and DR: {served:?}; read there: {reads:?}"))
}

fn kept_connections_end(evidence: &Evidence) -> Result<String, String> {
    // The first request after the keep-alive is the last; a user makes one every ten seconds.
    let age_max = SignedDuration::from_secs(KEEP_ALIVE_SECONDS.cast_signed() + 12);
    let kept = &evidence.seen.kept;
    if let Some(old) = kept.iter().find(|answer| answer.at.duration_since(answer.opened_at) > age_max) {
        return Err(format!("one of {} to {} is answered at {}", old.opened_at, site(Some(old.address)), old.at));
    }
    let home = *evidence.homes.first().ok_or("nobody came home")?;
    let healed = evidence.healed_at.ok_or("the primary never returned")?;
    let called = noted_at(evidence, "writes stop in DR")?;
    let left = home + evidence.ttl();
    let stays = |from, to, address| kept.iter().any(|it| it.at > from && it.at < to && it.address == address);
    let strays = stays(healed, called, PRIMARY_ADDRESS) || stays(left, evidence.ended_at, DR_ADDRESS);
    let connections: BTreeSet<_> = kept.iter().map(|answer| answer.opened_at).collect();
    let oldest = kept.iter().map(|answer| answer.at.duration_since(answer.opened_at)).max().unwrap_or_default();
    let is_kept = oldest >= SignedDuration::from_secs(KEEP_ALIVE_SECONDS.cast_signed());
    ensure(
        !strays && is_kept && connections.len() > 10,
        format!("{} requests on {} connections, none older than {} s", kept.len(), connections.len(), oldest.as_secs()),
    )
}
