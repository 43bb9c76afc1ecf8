//! Route 53's health checkers: they look at endpoints and at alarms' metrics, and tell what came of it.

mod probe;
mod tls;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use self::probe::Get;
use self::tls::Tls;
use crate::Lab;
use crate::clock::next_minute;
use crate::cloudwatch::SETTLING;
use crate::health::{Check, CheckType, Due};
use crate::message::Message;
use crate::route53::{self, DnsName, Kind};

/// "Route 53 sends its metrics to CloudWatch in the US East (N. Virginia) Region only" (Developer Guide).
const METRICS_REGION: &str = "us-east-1";
const NAMESPACE: &str = "AWS/Route53";
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Probes and evaluates every health check for as long as the lab lives.
pub async fn run(lab: Arc<Lab>) {
    tokio::join!(probe_endpoints(&lab), every_minute(&lab));
}

async fn probe_endpoints(lab: &Arc<Lab>) {
    loop {
        let changed = lab.route53.checks_changed();
        let (due, next) = lab.route53.checks(|checks| checks.due(lab.clock.now()));
        for due in due {
            tokio::spawn(look(lab.clone(), due));
        }
        let wait = async {
            match next {
                Some(next) => lab.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wait => {}
            () = changed => {}
        }
    }
}

async fn look(lab: Arc<Lab>, due: Due) {
    let result = match endpoint(&lab, &due) {
        Ok((address, get)) => probe::probe(&lab.clock, address, get.as_ref()).await,
        Err(reason) => Err(reason),
    };
    let now = lab.clock.now();
    lab.route53.checks(|checks| {
        if let Some(check) = checks.get_mut(&due.check) {
            check.observe(due.checker, now, result);
        }
    });
    route53::tell_turns(&lab);
}

/// Where to look: "if you specify a value for IPAddress, Route 53 sends health check requests to the specified IPv4 or
/// IPv6 address"; otherwise it resolves the name at each interval, "using IPv4" (API reference).
fn endpoint(lab: &Lab, due: &Due) -> Result<(SocketAddr, Option<Get>), String> {
    let config = &due.config;
    let name = config.fully_qualified_domain_name.as_deref();
    let literal = || name.and_then(|name| name.parse::<IpAddr>().ok());
    let address = match config.ip_address.or_else(literal) {
        Some(address) => address,
        None => IpAddr::V4(resolve(lab, name.unwrap_or_default())?),
    };
    if !address.is_loopback() {
        return Err(format!("the lab probes only this machine's loopback addresses, not {address}"));
    }
    let port = config.port.unwrap_or(80);
    let host = name.map_or_else(|| address.to_string(), str::to_owned);
    let tls = (config.kind == CheckType::Https).then(|| Tls::new(config));
    let usual_port = if config.kind == CheckType::Https { 443 } else { 80 };
    let get = matches!(config.kind, CheckType::Http | CheckType::Https).then(|| Get {
        tls,
        // "If you specify another value for Port, Route 53 passes FullyQualifiedDomainName:Port in the Host header."
        host: if port == usual_port { host } else { format!("{host}:{port}") },
        check: due.check.clone(),
        path: config.resource_path.clone().unwrap_or_else(|| "/".to_owned()),
    });
    Ok((SocketAddr::new(address, port), get))
}

fn resolve(lab: &Lab, name: &str) -> Result<Ipv4Addr, String> {
    let asked = DnsName::parse(name).map_err(|bad| bad.to_string())?;
    let answer = lab.route53.resolve(&asked, Some(Kind::A));
    let address =
        answer.answers.iter().filter(|record| record.kind == Kind::A).find_map(|record| record.value.parse().ok());
    address.ok_or_else(|| format!("DNS resolution failed: the lab's zones have no address for {name}"))
}

async fn every_minute(lab: &Arc<Lab>) {
    let mut minute = next_minute(lab.clock.now());
    loop {
        lab.clock.sleep_until(minute).await;
        publish(lab, minute - MINUTE);
        lab.clock.sleep_until(minute + SETTLING).await;
        judge_metrics(lab, minute);
        minute += MINUTE;
    }
}

/// Puts the metrics of the minute just over into CloudWatch, unless CloudWatch is silent there.
fn publish(lab: &Arc<Lab>, minute: Timestamp) {
    if lab.faults.is_silent(METRICS_REGION) {
        return;
    }
    let metrics: Vec<_> = lab.route53.checks(|checks| {
        let of_check = |check: &Check| {
            let status = f64::from(u8::from(checks.healthy(&check.id) == Some(true)));
            let detail = match check.config.kind {
                CheckType::Http | CheckType::Https | CheckType::Tcp => {
                    Some(("HealthCheckPercentageHealthy", check.percent_healthy()))
                }
                CheckType::Calculated => Some(("ChildHealthCheckHealthyCount", checks.healthy_children(check) as f64)),
                CheckType::CloudwatchMetric => None,
            };
            let values = std::iter::once(("HealthCheckStatus", status)).chain(detail);
            values.map(|(name, value)| (check.id.clone(), name, value)).collect::<Vec<_>>()
        };
        checks.iter().filter(|check| !check.config.is_of_aws).flat_map(of_check).collect()
    });
    for (id, metric, value) in metrics {
        lab.carry(Message::Datum {
            region: METRICS_REGION,
            namespace: NAMESPACE,
            metric,
            dimensions: &[("HealthCheckId", &id)],
            value,
            at: minute,
        });
    }
}

/// "Route 53 monitors the data stream, not the state of the alarm" (Developer Guide), by its own copy of the settings.
fn judge_metrics(lab: &Lab, minute: Timestamp) {
    let watched: Vec<_> = lab.route53.checks(|checks| {
        let settings = checks.iter().filter_map(|check| {
            let region = check.config.alarm_identifier.as_ref()?.region.clone();
            Some((check.id.clone(), region, check.alarm.clone()?))
        });
        settings.collect()
    });
    for (id, region, alarm) in watched {
        let verdict = lab.cloudwatch.judge(&region, &alarm, minute);
        lab.route53.checks(|checks| {
            if let Some(check) = checks.get_mut(&id) {
                check.observe_metric(verdict);
            }
        });
    }
    route53::tell_turns(lab);
}
