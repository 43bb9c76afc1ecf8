//! What would not work, by the rules themselves and by readiness; and what these do not know of, since it is of the time before a stack.

use aws::survey::Listed;
use failover::observation::{NameView, Probe, Probes, Targets};
use failover::plan::Plan;
use failover::promotion::{self, ReplicaState, ReplicaView};
use failover::rule::Rule;

use super::parameters::{DRAIN_SECONDS, NAMES_MAX, takes_all};
use super::seen::{Seen, Wishes};
use super::{databases, names, pair};
use crate::readiness::{self, Responder, Shortcoming, Weight};

/// What the one stack makes with DnsMoves=by-holdfast: health checks, and record sets of its own (TXT pairs).
pub const CHECKS_OF_STACK: u64 = 6;
/// See [`CHECKS_OF_STACK`].
pub const RECORDS_OF_STACK: u64 = 8;
/// Longer than this, the records' TTL is worth a word.
const TTL_SECONDS_MAX: u32 = 60;

/// Everything, the gravest first.
#[must_use]
pub fn all(seen: &Seen, wishes: &Wishes, plan: &Plan, views: &[NameView], batches: &[pair::Batch]) -> Vec<Shortcoming> {
    let [primary, dr] = wishes.probes.each_ref().map(|tried| match tried.to_set() {
        Some(_) => tried.heard,
        None => Probe::NotAsked,
    });
    let (names, probes, keep_alives) =
        (views.to_vec(), Probes { primary, dr, targets: Targets::NotAsked }, seen.keep_alives.clone());
    let zones =
        std::iter::once(&seen.guards).chain(seen.second.as_ref().map(|second| &second.guards)).cloned().collect();
    let around = readiness::before(names, zones, probes, keep_alives, seen.now);
    let here = Responder { region: &seen.dr_region, bus: &wishes.bus };
    let mut found = readiness::judge(plan, here, &around).shortcomings;
    found.extend(of_names(seen, wishes, views));
    batches.iter().for_each(|batch| say_what_is_missing(&mut found, seen, batch));
    found.extend(of_databases(seen, plan));
    found.extend(of_account(seen, wishes));
    say_what_was_tried(&mut found, wishes);
    found.sort_by_key(|one| match one.weight {
        Weight::Keeps => 0,
        Weight::Unknown => 1,
        Weight::Advises => 2,
    });
    found
}

fn weighed(
    weight: Weight,
    about: impl Into<String>,
    seen: impl Into<String>,
    remedy: impl Into<String>,
) -> Shortcoming {
    Shortcoming { about: about.into(), seen: seen.into(), remedy: remedy.into(), weight }
}

fn keeps(about: impl Into<String>, seen: impl Into<String>, remedy: impl Into<String>) -> Shortcoming {
    weighed(Weight::Keeps, about, seen, remedy)
}

fn advises(about: impl Into<String>, seen: impl Into<String>, remedy: impl Into<String>) -> Shortcoming {
    weighed(Weight::Advises, about, seen, remedy)
}

fn unknown(about: impl Into<String>, seen: impl Into<String>, remedy: impl Into<String>) -> Shortcoming {
    weighed(Weight::Unknown, about, seen, remedy)
}

fn of_names(seen: &Seen, wishes: &Wishes, views: &[NameView]) -> Vec<Shortcoming> {
    let mut found = Vec::new();
    if wishes.names.len() > NAMES_MAX && !takes_all(wishes) {
        let said = format!("are {}, and a function's environment holds some {NAMES_MAX}", wishes.names.len());
        found.push(keeps("RecordNames", said, "RecordNames=ALL protects every pair of the zone; or name fewer"));
    }
    let of_second = || seen.second.iter().flat_map(|second| second.names.iter().map(move |name| (name, &second.sets)));
    let listed = wishes.names.iter().filter(|_| !takes_all(wishes)).chain(of_second().map(|(name, _)| name));
    for name in listed.filter(|name| !names::fits_record_names(name)) {
        let remedy = "leave it out, or protect every pair of the zone with RecordNames=ALL";
        found.push(keeps(name.to_string(), "has characters that the template's RecordNames does not take", remedy));
    }
    for (name, sets) in wishes.names.iter().map(|name| (name, &seen.sets)).chain(of_second()) {
        if let Some(mark) = names::external_dns(name, sets) {
            let said = format!(
                "belongs to external-dns (TXT record {}), which writes its records anew: it would undo a pin",
                mark.name
            );
            let remedy =
                "let external-dns manage the sites' own names, and not the name that fails over (docs/deploying.md)";
            found.push(keeps(name.to_string(), said, remedy));
        }
    }
    let slow = views.iter().filter(|view| view.ttl_seconds() > TTL_SECONDS_MAX);
    if let Some(slowest) = slow.max_by_key(|view| view.ttl_seconds()) {
        let said = format!("may be kept by resolvers for {} s, and promotion waits as long", slowest.ttl_seconds());
        found.push(advises(slowest.name.to_string(), said, format!("set the TTL to {TTL_SECONDS_MAX} s")));
    }
    found
}

/// Where the rules say that a name is no pair: how its simple records become one.
fn say_what_is_missing(found: &mut Vec<Shortcoming>, seen: &Seen, batch: &pair::Batch) {
    let (name, kinds) = (batch.name.to_string(), batch.without_target.join(", "));
    if kinds.is_empty() {
        return;
    }
    let remedy = match kinds.as_str() {
        "CNAME" => format!("--dr-target {name}=NAME: the name that it is to lead to in DR"),
        _ => format!("--dr-target {name}=TARGET: addresses, or the name of a load balancer in {}", seen.dr_region),
    };
    let said = match batch.targets.as_slice() {
        [] => format!("has a simple {kinds} record, and where its users go in DR was not said"),
        given => format!("has a simple {kinds} record, and {} is no target for it in DR", given.join(", ")),
    };
    match found.iter_mut().find(|one| one.about == name && one.weight == Weight::Keeps) {
        Some(one) => (one.seen, one.remedy) = (format!("{}: it {said}", one.seen), remedy),
        None => found.push(keeps(name, said, remedy)),
    }
}

/// A cluster that is as well as can be: what the rules say of its kind.
fn as_available(listed: &Listed) -> ReplicaView {
    let database = promotion::Database {
        status: "available".to_owned(),
        source: listed.source.clone(),
        instances: promotion::Instances::Writer,
        created: None,
        engine: listed.engine.clone(),
        members: Vec::new(),
    };
    ReplicaView { id: listed.id.clone(), state: ReplicaState::Present(database), lags: Vec::new() }
}

fn of_databases(seen: &Seen, plan: &Plan) -> Vec<Shortcoming> {
    let mut found = Vec::new();
    let in_dr = match &seen.dr_databases {
        Ok(in_dr) => in_dr.as_slice(),
        Err(error) => {
            let said = format!("could not be looked at: {error}");
            let remedy = "rds:DescribeDBClusters and rds:DescribeDBInstances in that region, or AuroraClusters and RdsInstances by hand";
            found.push(unknown(format!("databases in {}", seen.dr_region), said, remedy));
            &[]
        }
    };
    let global = databases::global(in_dr).map(as_available);
    let views: Vec<_> = seen.replicas.iter().cloned().chain(global).collect();
    for one in promotion::shortcomings(plan, seen.now, &views) {
        let facts: Vec<_> = one.facts.iter().map(|fact| fact.seen.clone()).collect();
        let said = format!("{} ({})", one.row.condition, facts.join("; "));
        if let (Rule::R07, Some((_, error))) = (one.row.id.rule, seen.lag_unknown.iter().find(|(id, _)| *id == one.id))
        {
            let said = format!("its lag is not known: {error}");
            found.push(unknown(one.id.to_string(), said, "the command line needs cloudwatch:GetMetricData"));
            continue;
        }
        let is_silent = views.iter().any(|view| view.id == one.id && matches!(view.state, ReplicaState::Unanswered(_)));
        let weight = if is_silent { Weight::Unknown } else { Weight::Keeps };
        found.push(weighed(weight, one.id.to_string(), said, one.row.next));
    }
    let Some((region, _)) = &seen.primary else {
        let said =
            "is not known: neither a replica in DR nor a PRIMARY record says it, so no database of it was looked at";
        found.push(unknown("the primary region", said, "--primary-region REGION"));
        return found;
    };
    match &seen.primary_databases {
        Some(Ok(in_primary)) if seen.dr_databases.is_ok() => {
            for one in databases::without_replica(in_primary, in_dr) {
                let said = format!(
                    "in {region} has no replica in {}: after a failover nothing of it is there",
                    seen.dr_region
                );
                let remedy = "make a cross-region replica of it, if the workload needs it";
                found.push(advises(one.id.to_string(), said, remedy));
            }
        }
        Some(Err(error)) => {
            let said = format!("could not be looked at, so what has no replica is not known: {error}");
            let remedy = "rds:DescribeDBClusters and rds:DescribeDBInstances in that region";
            found.push(unknown(format!("databases in {region}"), said, remedy));
        }
        _ => {}
    }
    found
}

fn of_quotas(seen: &Seen, wishes: &Wishes) -> Vec<Shortcoming> {
    let mut found = Vec::new();
    let names = u64::try_from(wishes.names.len()).unwrap_or(u64::MAX);
    let quotas = [
        ("health checks", &seen.check_quota, CHECKS_OF_STACK, "route53:GetAccountLimit"),
        (
            "records of the zone",
            &seen.record_quota,
            RECORDS_OF_STACK.saturating_add(names),
            "route53:GetHostedZoneLimit",
        ),
    ];
    for (what, quota, needed, right) in quotas {
        match quota {
            Ok(quota) if matches!(seen.deployed, Ok(Some(_))) || quota.used.saturating_add(needed) <= quota.most => {}
            Ok(quota) => {
                let said =
                    format!("are {} of {} that may be, and Holdfast needs {needed} more", quota.used, quota.most);
                found.push(keeps(what, said, "ask AWS for a higher quota (Service Quotas, Route 53, in us-east-1)"));
            }
            Err(error) => found.push(unknown(
                what,
                format!("the quota is not known: {error}"),
                format!("the command line needs {right}"),
            )),
        }
    }
    found
}

fn of_account(seen: &Seen, wishes: &Wishes) -> Vec<Shortcoming> {
    let mut found = Vec::new();
    if seen.zone.is_private {
        let said = "is private: the observer and Holdfast ask its name servers over the internet, and these do not answer for it";
        found.push(keeps(format!("zone {}", seen.zone.id), said, "protect the names in the public zone"));
    }
    found.extend(of_quotas(seen, wishes));
    if let Err(error) = &seen.checks {
        let said = format!("could not be looked at, so the endpoint is not derived from them: {error}");
        found.push(unknown("health checks", said, "the command line needs route53:ListHealthChecks"));
    }
    if let Err(error) = &seen.dr_balancers {
        let said = format!("could not be looked at, so no alias to them can be written: {error}");
        let remedy = "the command line needs elasticloadbalancing:DescribeLoadBalancers in that region";
        found.push(unknown(format!("load balancers in {}", seen.dr_region), said, remedy));
    }
    if let Ok(Some(_)) = &seen.deployed {
        let said = format!("is that of a stack in {}: deploying this changes it", seen.dr_region);
        found.push(advises(
            format!("the bus {}", wishes.bus),
            said,
            "nothing, if that is meant and stack_name is its name; else --bus NAME for another workload",
        ));
    }
    found.extend(of_bus(seen, wishes));
    found
}

/// Whether the stack's name is free.
fn of_bus(seen: &Seen, wishes: &Wishes) -> Vec<Shortcoming> {
    let mut found = Vec::new();
    match (&seen.alarms, &seen.deployed) {
        (Ok(alarms), Ok(None)) if !alarms.is_empty() => {
            let said = format!("is in use: there are alarms called so, as {} is", alarms[0].name);
            found.push(advises(
                format!("the name {}", wishes.bus),
                said,
                "give this workload's stack another: --bus NAME",
            ));
        }
        (Err(error), _) => {
            let said = format!("could not be looked at, so whether the name is in use is not known: {error}");
            found.push(unknown(
                format!("alarms called {}-…", wishes.bus),
                said,
                "the command line needs cloudwatch:DescribeAlarms",
            ));
        }
        _ => {}
    }
    if let Err(error) = &seen.deployed {
        let said = format!("is not known: {error}");
        found.push(unknown(
            "whether a stack is there already",
            said,
            "the command line needs lambda:GetFunctionConfiguration",
        ));
    }
    found
}

/// Where readiness says that there is no probe: what was tried, and what was heard.
fn say_what_was_tried(found: &mut [Shortcoming], wishes: &Wishes) {
    let flags = [("PrimaryProbeUrl", "--primary-probe"), ("DrProbeUrl", "--dr-probe")];
    for ((parameter, flag), tried) in flags.into_iter().zip(&wishes.probes) {
        let Some(one) = found.iter_mut().find(|one| one.about == parameter && tried.to_set().is_none()) else {
            continue;
        };
        if let Some(url) = &tried.url {
            one.seen = format!("{} ({url} was tried from here: {})", one.seen, tried.heard);
        }
        one.remedy = format!("{flag} URL: {}", one.remedy);
    }
}

/// How long an outage lasts for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Estimate {
    /// Minutes without a break before the alarm rings.
    pub outage_minutes: u32,
    /// How long resolvers keep the records; none while a name is no pair.
    pub ttl_seconds: Option<u32>,
    /// What is added for clients with caches of their own.
    pub drain_seconds: u32,
    /// From the beginning of an outage to the alarm, by which DNS is moved.
    pub dns_seconds: u32,
    /// Whether databases are promoted.
    pub promotes: bool,
    /// From the beginning of an outage to the request for promotion; what RDS takes comes on top. None where nothing is promoted, or
    /// the TTL is not known.
    pub promotion_seconds: Option<u32>,
    /// Whether something must be mended first.
    pub after_remedies: bool,
}

/// The estimate, by readiness's own reckoning.
#[must_use]
pub fn estimate(plan: &Plan, views: &[NameView], found: &[Shortcoming]) -> Estimate {
    let (outage_minutes, promotes) = (super::parameters::OUTAGE_MINUTES, !plan.replicas.is_empty());
    let dns_seconds = outage_minutes * 60;
    let known = !views.is_empty() && views.iter().all(|view| view.pairs.is_ok());
    let ttl_seconds = views.iter().map(NameView::ttl_seconds).max().filter(|_| known);
    let promotion_seconds = ttl_seconds.map(|ttl| readiness::until_promotion(dns_seconds, ttl, DRAIN_SECONDS));
    Estimate {
        outage_minutes,
        ttl_seconds,
        drain_seconds: DRAIN_SECONDS,
        dns_seconds,
        promotes,
        promotion_seconds: promotion_seconds.filter(|_| promotes),
        after_remedies: found.iter().any(|one| one.weight == Weight::Keeps),
    }
}
