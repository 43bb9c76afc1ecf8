//! Asks AWS what readiness is judged by. What does not answer is not known, and no reason to say nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::watch::{self, Mute};
use aws::{CallError, Session, balancer, detector, zone};
use failover::incident::AlarmState;
use failover::pin::Observation;
use failover::plan::{alarm_name, arn_region, latch_alarm};
use futures_util::future::{join_all, try_join_all};
use jiff::SignedDuration;

use super::clients::KeepAlive;
use super::own::Own;
use super::zones::Zone;
use super::{Around, LOOKBACK_MINUTES, clients, switch};
use crate::look::not_replicating;
use crate::workload::Workload;

/// Somebody waits for the screen.
const BALANCER_SECONDS_MAX: Duration = Duration::from_secs(5);

/// Everything that readiness is judged by.
pub async fn look(workload: &Workload, seen: &Observation) -> Around {
    let (plan, session) = (&workload.plan, &workload.session);
    let check = plan.failover_health_check.as_deref();
    let detectors = plan.alarms.iter().map(async |arn| (arn.clone(), detector::look(session, arn, check).await));
    let zones = plan.zones.iter().map(async |zone| Zone {
        id: zone.id.clone(),
        protections: zone::protections(session, &zone.id).await,
        features: zone::features(session, &zone.id).await,
    });
    let (detectors, zones) = (join_all(detectors).await, join_all(zones).await);
    let (switch, own) = (switch::look(session, plan).await, own(workload, seen).await);
    let idle = not_replicating(workload).await.map_err(|error| error.to_string());
    // The balancers are in the primary region: in an outage nobody should wait for it, nor care.
    let calm = seen.alarms.iter().flatten().all(|alarm| alarm.state != AlarmState::Alarm);
    let balancers = if calm { clients::balancers(&seen.names) } else { Vec::new() };
    let keep_alives = keep_alives(session, balancers).await;
    let (names, probes, now) = (seen.names.clone(), seen.probes, seen.now);
    Around { names, detectors, zones, probes, switch, own, keep_alives, idle, now }
}

/// For how long each of these load balancers lets clients keep a connection.
pub async fn keep_alives(session: &Session, balancers: Vec<String>) -> Vec<KeepAlive> {
    let each = balancers.into_iter().map(async |name| {
        let seconds = tokio::time::timeout(BALANCER_SECONDS_MAX, balancer::keep_alive_seconds(session, &name)).await;
        let silent = || CallError::Unknown { call: "DescribeLoadBalancers", why: "no answer came in time".to_owned() };
        (name, seconds.unwrap_or_else(|_| Err(silent())))
    });
    join_all(each).await
}

async fn own(workload: &Workload, seen: &Observation) -> Own {
    let Workload { plan, session, bus, .. } = workload;
    let alarms = watch::own_alarms(session, bus).await;
    let topics: BTreeSet<_> = alarms.iter().flatten().flat_map(|alarm| alarm.topics.clone()).collect();
    let topics = topics.into_iter().map(async |topic| {
        let subscriptions = watch::subscriptions(session, &topic).await;
        (topic, subscriptions)
    });
    let topics = join_all(topics).await;
    let mutes = mutes(workload, alarms.iter().flatten().map(|alarm| alarm.name.clone()).collect()).await;
    let is_observed = plan.alarms.iter().filter_map(|arn| alarm_name(arn)).any(watch::is_observed);
    // Where there is nothing to fence there is no fencer, without steps no preparer, and where another stack watches the primary no observer.
    let others = [
        plan.fence.as_ref().map(|_| "fencer"),
        plan.has_steps.then_some("preparer"),
        is_observed.then_some("observer"),
    ];
    let functions = ["alarm-handler", "replica-promoter"].into_iter().chain(others.into_iter().flatten());
    let functions = functions.map(|function| format!("{bus}-{function}"));
    let lookback = SignedDuration::from_mins(LOOKBACK_MINUTES);
    let runs = functions.map(async |function| {
        let runs = watch::runs(session, &function, seen.now, lookback).await;
        (function, runs)
    });
    let latched = plan.hold_alarm.as_deref().map(latch_alarm).filter(|_| seen.latch.closed().is_some());
    let has_to_ring = latched.as_deref().and_then(alarm_name).map(str::to_owned);
    Own { alarms, topics, mutes, runs: join_all(runs).await, has_to_ring }
}

/// Whatever mutes one of Holdfast's own alarms, or one of the detectors'.
async fn mutes(workload: &Workload, own: Vec<String>) -> Result<Vec<(String, Mute)>, CallError> {
    let session = &workload.session;
    let mut watched: Vec<(Option<&str>, String)> = own.into_iter().map(|name| (None, name)).collect();
    for arn in &workload.plan.alarms {
        let (region, name) = (arn_region(arn), alarm_name(arn).unwrap_or_default());
        match (watch::detector_of(name), region) {
            // One of our own, which are there already but for what they say of the site.
            (Some(_), _) if watch::is_observed(name) => watched.push((region, name.to_owned())),
            (Some(detector), Some(region)) => {
                let of_detector = watch::own_alarms(&session.in_region(region), detector).await?;
                watched.extend(of_detector.into_iter().map(|alarm| (Some(region), alarm.name)));
            }
            _ => watched.push((region, name.to_owned())),
        }
    }
    let asked = watched.into_iter().map(async |(region, alarm)| {
        let mutes = watch::mutes(session, region, &alarm).await?;
        Ok::<_, CallError>(mutes.into_iter().map(|mute| (alarm.clone(), mute)).collect::<Vec<_>>())
    });
    Ok(try_join_all(asked).await?.concat())
}
