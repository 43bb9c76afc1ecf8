//! Asks AWS for every row. What does not answer is not known, and keeps nothing else from being told.

use aws::route53::{RecordReader as _, protected_names};
use aws::{Session, standby};
use failover::plan::ReplicaId;
use failover::standby::capacity::Capacity;
use failover::standby::traffic::Entrance;
use failover::standby::{Finding, Look, Subject as _};
use futures_util::future::join_all;
use jiff::Timestamp;

use super::entrance::{Place, places, primary_region};
use super::file::File;
use crate::failure::Failure;
use crate::workload::Workload;

/// Every row about everything that the plan, the records and the file name.
pub async fn look(workload: &Workload, file: &File) -> Result<Vec<Finding>, Failure> {
    let Workload { plan, session, records, .. } = workload;
    let names = protected_names(plan, records).await?;
    let now = records.now();
    let places = places(&names, file, now);
    let region = primary_region(file, &places, plan.fence.as_ref().map(|fence| fence.region.as_str()));
    let drain_seconds = plan.limits.drain_seconds;
    let (replicas, entrances, secrets, buckets) = tokio::join!(
        join_all(plan.replicas.iter().map(|id: &ReplicaId| standby::replica(session, id))),
        join_all(places.into_iter().map(|place| entrance(session, place, drain_seconds, now))),
        join_all(file.secrets.iter().map(|name| standby::secret(session, &region, name))),
        join_all(file.buckets.iter().map(|bucket| {
            standby::bucket(session, &region, [&bucket.source, &bucket.destination, &bucket.rule], now)
        })),
    );
    let limits = &file.limits;
    let mut findings: Vec<Finding> = replicas.iter().flat_map(|replica| replica.judge(limits)).collect();
    for (entrance, capacity) in &entrances {
        findings.extend(entrance.judge(limits).into_iter().chain(capacity.judge(limits)));
    }
    findings.extend(secrets.iter().flat_map(|secret| secret.judge(limits)));
    findings.extend(buckets.iter().flat_map(|bucket| bucket.judge(limits)));
    Ok(findings)
}

/// What users of a place meet in DR: load balancer and instances.
async fn entrance(session: &Session, place: Place, drain_seconds: u32, now: Timestamp) -> (Entrance, Capacity) {
    let Place { target, names, kept_seconds, dr, primary } = place;
    let of_primary = || -> Look<(Session, &str)> {
        let name = primary.as_deref().map_err(Clone::clone)?;
        let region = standby::region_of(name).ok_or_else(|| format!("{name} names no region"))?;
        Ok((session.in_region(region), name))
    };
    let (balancer, listeners, groups, most) = tokio::join!(
        async { standby::balancer(session, dr.as_deref().map_err(Clone::clone)?).await },
        async {
            let (session, name) = of_primary()?;
            standby::listeners(&session, name).await
        },
        async { standby::groups(session, dr.as_deref().map_err(Clone::clone)?).await },
        async {
            let (session, name) = of_primary()?;
            standby::most_needed(&session, name, now).await
        },
    );
    let waits_seconds = u64::from(kept_seconds) + u64::from(drain_seconds);
    let capacity = Capacity { target: target.clone(), dr: groups, primary_most: most };
    (Entrance { target, names, waits_seconds, dr: balancer, primary: listeners, now }, capacity)
}
