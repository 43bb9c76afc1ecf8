//! Asks AWS for every row. What does not answer is not known, and keeps nothing else from being told.

use failover::observation::NameView;
use failover::plan::{Plan, ReplicaId};
use failover::standby::capacity::Capacity;
use failover::standby::image::Image;
use failover::standby::places::{Place, places, primary_region, region_of};
use failover::standby::traffic::Entrance;
use failover::standby::wanted::Wanted;
use failover::standby::{Finding, Look, Subject as _};
use futures_util::future::join_all;
use jiff::Timestamp;

use super::{capacity, copies, database, pipeline, quota, traffic};
use crate::session::Session;

/// Every row about everything that the plan, the records and people name.
pub async fn look(session: &Session, plan: &Plan, wanted: &Wanted, names: &[NameView], now: Timestamp) -> Vec<Finding> {
    let places = places(names, wanted, now);
    let region = primary_region(wanted, &places, plan.fence.as_ref().map(|fence| fence.region.as_str()));
    let drain_seconds = plan.limits.drain_seconds;
    let (replicas, entrances, secrets, parameters, buckets, pipelines) = tokio::join!(
        join_all(plan.replicas.iter().map(|id: &ReplicaId| database::replica(session, id))),
        join_all(places.into_iter().map(|place| entrance(session, place, drain_seconds, now))),
        join_all(wanted.secrets.iter().map(|name| copies::secret(session, &region, name))),
        copies::parameters(session, &region, &wanted.parameters),
        join_all(wanted.buckets.iter().map(|bucket| copies::bucket(session, &region, bucket, now))),
        join_all(wanted.pipelines.iter().map(|names| pipeline::pair(session, &region, names))),
    );
    let limits = &wanted.limits;
    let mut findings: Vec<Finding> = replicas.iter().flat_map(|replica| replica.judge(limits)).collect();
    for (entrance, capacity) in &entrances {
        findings.extend(entrance.judge(limits).into_iter().chain(capacity.judge(limits)));
    }
    if entrances.iter().any(|(_, capacity)| capacity.may_be_of_instances()) {
        findings.extend(quota::quota(session, &region, now).await.judge(limits));
    }
    findings.extend(secrets.iter().flat_map(|secret| secret.judge(limits)));
    findings.extend(parameters.iter().flat_map(|parameter| parameter.judge(limits)));
    findings.extend(parameters.iter().filter_map(Image::of).flat_map(|image| image.judge(limits)));
    findings.extend(buckets.iter().flat_map(|bucket| bucket.judge(limits)));
    findings.extend(pipelines.iter().flat_map(|pair| pair.judge(limits)));
    findings
}

/// What users of a place meet in DR: load balancer and instances.
async fn entrance(session: &Session, place: Place, drain_seconds: u32, now: Timestamp) -> (Entrance, Capacity) {
    let Place { target, names, kept_seconds, dr, primary } = place;
    let of_primary = || -> Look<(Session, &str)> {
        let name = primary.as_deref().map_err(Clone::clone)?;
        let region = region_of(name).ok_or_else(|| format!("{name} names no region"))?;
        Ok((session.in_region(region), name))
    };
    let (balancer, listeners, groups, most) = tokio::join!(
        async { traffic::balancer(session, dr.as_deref().map_err(Clone::clone)?).await },
        async {
            let (session, name) = of_primary()?;
            traffic::listeners(&session, name).await
        },
        async { capacity::groups(session, dr.as_deref().map_err(Clone::clone)?).await },
        async {
            let (session, name) = of_primary()?;
            capacity::most_needed(&session, name, now).await
        },
    );
    let waits_seconds = u64::from(kept_seconds) + u64::from(drain_seconds);
    let capacity = Capacity { target: target.clone(), dr: groups, primary_most: most };
    (Entrance { target, names, waits_seconds, dr: balancer, primary: listeners, now }, capacity)
}
