//! DR's load balancer: whether users who come to it are let in, by a certificate that their browsers take, to a target that answers.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Judgement, Limits, Look, Row, Subject, not_ready, of_all, ready, told};

/// The protocols of listeners that show a certificate.
const WITH_CERTIFICATE: [&str; 2] = ["HTTPS", "TLS"];

/// Where names lead in DR, and in the primary region.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrance {
    /// What the SECONDARY records say.
    pub target: String,
    /// The failover names that lead there.
    pub names: Vec<String>,
    /// For how long clients keep DNS's answer and are waited for, in seconds: TTL and DrainSeconds.
    pub waits_seconds: u64,
    /// DR's load balancer; nothing if the account has none of that name.
    pub dr: Look<Option<Balancer>>,
    /// The listeners of the primary's.
    pub primary: Look<Vec<Listener>>,
    /// When all this was seen.
    pub now: Timestamp,
}

/// A load balancer. What AWS leaves out is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Balancer {
    /// Its ARN.
    pub arn: String,
    /// AWS's word for its state.
    pub state: Option<String>,
    /// Its listeners.
    pub listeners: Look<Vec<Listener>>,
    /// The target groups that its listeners and their rules lead to.
    pub groups: Look<Vec<TargetGroup>>,
    /// For how long it lets a client keep a connection; nothing if it has no such limit.
    pub keep_alive_seconds: Look<Option<u64>>,
}

/// A listener.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Its port.
    pub port: Option<i32>,
    /// Its protocol.
    pub protocol: Option<String>,
    /// The certificates that it shows: the default one, and those for a name.
    pub certificates: Look<Vec<(String, Look<Certificate>)>>,
}

/// A certificate in ACM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// ACM's word for its state.
    pub status: Option<String>,
    /// Until when it is valid.
    pub not_after: Option<Timestamp>,
    /// The names it is for.
    pub names: Vec<String>,
}

/// A target group.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its targets, each with AWS's word for its state.
    pub targets: Look<Vec<(String, Option<String>)>>,
}

impl Entrance {
    fn dr(&self) -> Look<&Balancer> {
        let there = self.dr.as_ref().map_err(Clone::clone)?.as_ref();
        there.ok_or_else(|| "no Application or Network Load Balancer of this account in DR has that name".to_owned())
    }

    fn listeners(&self) -> Look<&[Listener]> {
        Ok(self.dr()?.listeners.as_ref().map_err(Clone::clone)?)
    }

    /// What shows a certificate.
    fn with_certificate(&self) -> Look<Vec<&Listener>> {
        let shows = |listener: &Listener| -> Look<bool> {
            Ok(WITH_CERTIFICATE.contains(&told(listener.protocol.as_ref(), "a listener's protocol")?.as_str()))
        };
        let mut found = Vec::new();
        for listener in self.listeners()? {
            if shows(listener)? {
                found.push(listener);
            }
        }
        match found.is_empty() {
            true => Err("no listener of it shows a certificate: by HTTPS nobody gets in".to_owned()),
            false => Ok(found),
        }
    }
}

const NAME_IT: &str = "name DR's load balancer in the file of --workload (dr_load_balancer), and let Holdfast read Elastic Load Balancing in DR \
                       (docs/policies/readiness.json)";

const READ_CERTIFICATES: &str = "let Holdfast read Elastic Load Balancing and ACM in DR (docs/policies/readiness.json); what is not ACM's is yours to \
                                 watch";

impl Subject for Entrance {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            id: "load-balancer",
            must_be: "what the SECONDARY record leads to is a load balancer of this account in DR, and active",
            how: "elbv2 DescribeLoadBalancers in DR",
            otherwise: NAME_IT,
            judge: |it, _| balancer(it),
        },
        Row {
            id: "listeners",
            must_be: "DR's load balancer listens at every port that the primary's listens at, by the same protocol",
            how: "elbv2 DescribeListeners in both regions",
            otherwise: "name both load balancers in the file of --workload (primary_load_balancer, dr_load_balancer); while the primary region is \
                        silent this stays unknown",
            judge: |it, _| listeners(it),
        },
        Row {
            id: "targets",
            must_be: "each target group has a healthy target, and none that is unhealthy",
            how: "elbv2 DescribeTargetGroups and DescribeTargetHealth in DR",
            otherwise: NAME_IT,
            judge: |it, _| targets(it),
        },
        Row {
            id: "certificate-names",
            must_be: "at each HTTPS or TLS listener a certificate is for each failover name, itself or by a wildcard",
            how: "elbv2 DescribeListeners and DescribeListenerCertificates, acm DescribeCertificate in DR",
            otherwise: READ_CERTIFICATES,
            judge: |it, _| certificate_names(it),
        },
        Row {
            id: "certificate-expiry",
            must_be: "each certificate of such a listener is issued, and valid for certificate_days_min (30) days more",
            how: "acm DescribeCertificate in DR",
            otherwise: READ_CERTIFICATES,
            judge: certificate_expiry,
        },
        Row {
            id: "keep-alive",
            must_be: "a client may keep its connection to DR no longer than TTL and DrainSeconds, or a failback leaves it there",
            how: "elbv2 DescribeLoadBalancerAttributes in DR, client_keep_alive.seconds",
            otherwise: "ask the load balancer's owners; a Network Load Balancer ends no connection that is used (docs/dns-clients.md)",
            judge: |it, _| keep_alive(it),
        },
    ];

    fn about(&self) -> String {
        self.target.clone()
    }
}

fn balancer(it: &Entrance) -> Judgement {
    let state = told(it.dr()?.state.as_ref(), "its state")?;
    match state.as_str() {
        "active" => ready("active"),
        state => not_ready(
            format!("its state is {state}"),
            "see why: aws elbv2 describe-load-balancers; make it anew if it failed",
        ),
    }
}

fn listeners(it: &Entrance) -> Judgement {
    let of = |listeners: &[Listener]| -> Look<BTreeSet<String>> {
        let one = |listener: &Listener| -> Look<String> {
            let protocol = told(listener.protocol.as_ref(), "a listener's protocol")?;
            Ok(format!("{protocol} {}", told(listener.port.as_ref(), "a listener's port")?))
        };
        listeners.iter().map(one).collect()
    };
    let primary = it.primary.as_ref().map_err(|why| format!("the primary's load balancer is not known: {why}"))?;
    let (dr, primary) = (of(it.listeners()?)?, of(primary)?);
    if primary.is_empty() {
        return Err("the primary's load balancer has no listener".to_owned());
    }
    let missing: Vec<_> = primary.difference(&dr).cloned().collect();
    match missing.is_empty() {
        true => ready(dr.into_iter().collect::<Vec<_>>().join(", ")),
        false => not_ready(
            format!("the primary's listens at {}, and DR's does not", missing.join(", ")),
            "deploy DR's load balancer from the primary's template, or aws elbv2 create-listener",
        ),
    }
}

fn targets(it: &Entrance) -> Judgement {
    let groups = it.dr()?.groups.as_ref().map_err(Clone::clone)?;
    if groups.is_empty() {
        return not_ready(
            "no listener leads to a target group",
            "aws elbv2 modify-listener: forward to the targets of DR",
        );
    }
    of_all(groups.iter().map(healthy))
}

fn healthy(group: &TargetGroup) -> Judgement {
    let name = group.arn.split('/').nth(1).unwrap_or(&group.arn);
    let targets = group.targets.as_ref().map_err(Clone::clone)?;
    let with = |wanted: &str| targets.iter().filter(|(_, state)| state.as_deref() == Some(wanted)).count();
    let (all, healthy, unhealthy) = (targets.len(), with("healthy"), with("unhealthy"));
    let remedy = || format!("see why: aws elbv2 describe-target-health --target-group-arn {}", group.arn);
    if unhealthy > 0 {
        return not_ready(format!("{unhealthy} of {all} targets of {name} are unhealthy"), remedy());
    }
    if healthy == 0 {
        // "unavailable: Target health is unavailable", and whatever word comes next year, tells nothing of users.
        let waits =
            targets.iter().all(|(_, state)| matches!(state.as_deref(), Some("initial" | "draining" | "unused")));
        return match waits {
            true => not_ready(format!("none of {all} targets of {name} is healthy"), remedy()),
            false => Err(format!("AWS does not say whether a target of {name} is healthy")),
        };
    }
    ready(format!("{healthy} of {all} targets of {name} are healthy"))
}

/// A wildcard stands for one label, the first (RFC 6125, section 6.4.3); a protected name may be a wildcard itself.
fn covers(certificate: &str, name: &str) -> bool {
    let (certificate, name) = (certificate.to_lowercase(), name.to_lowercase());
    certificate == name
        || certificate.strip_prefix("*.").is_some_and(|rest| name.split_once('.').is_some_and(|(_, of)| of == rest))
}

fn certificate_names(it: &Entrance) -> Judgement {
    let of_listener = |listener: &&Listener| -> Judgement {
        let port = told(listener.port.as_ref(), "a listener's port")?;
        let certificates = listener.certificates.as_ref().map_err(Clone::clone)?;
        let known = certificates.iter().filter_map(|(_, certificate)| certificate.as_ref().ok());
        let names: Vec<_> = known.flat_map(|certificate| &certificate.names).collect();
        let missing: Vec<_> = it
            .names
            .iter()
            .filter(|name| !names.iter().any(|certificate| covers(certificate, name)))
            .cloned()
            .collect();
        let unknown = certificates.iter().find_map(|(_, certificate)| certificate.as_ref().err());
        match (missing.is_empty(), unknown) {
            (true, _) => ready(format!("port {port}: {}", it.names.join(", "))),
            (false, Some(why)) => Err(why.clone()),
            (false, None) => not_ready(
                format!("port {port}: no certificate is for {}", missing.join(", ")),
                format!(
                    "aws acm request-certificate --validation-method DNS --domain-name {}, then aws elbv2 add-listener-certificates",
                    missing[0]
                ),
            ),
        }
    };
    of_all(it.with_certificate()?.iter().map(of_listener))
}

fn certificate_expiry(it: &Entrance, limits: &Limits) -> Judgement {
    let of_certificate = |(arn, certificate): &(String, Look<Certificate>)| -> Judgement {
        let certificate = certificate.as_ref().map_err(Clone::clone)?;
        let status = told(certificate.status.as_ref(), "a certificate's status")?;
        let ends = *told(certificate.not_after.as_ref(), "until when a certificate is valid")?;
        let days = ends.duration_since(it.now).as_hours().div_euclid(24);
        let remedy = || {
            format!(
                "see why: aws acm describe-certificate --certificate-arn {arn}; renew its validation record, or import a new one"
            )
        };
        if status != "ISSUED" {
            return not_ready(format!("{arn} is {status}"), remedy());
        }
        match ends < it.now + SignedDuration::from_hours(24 * limits.certificate_days_min) {
            true => not_ready(format!("{arn} is valid for {days} days more"), remedy()),
            false => ready(format!("valid for {days} days more")),
        }
    };
    let mut all = Vec::new();
    for listener in it.with_certificate()? {
        match listener.certificates.as_ref().map_err(Clone::clone)?.as_slice() {
            [] => return Err("AWS names no certificate of a listener that must have one".to_owned()),
            certificates => all.extend(certificates),
        }
    }
    of_all(all.into_iter().map(of_certificate))
}

fn keep_alive(it: &Entrance) -> Judgement {
    let balancer = it.dr()?;
    let seconds = balancer.keep_alive_seconds.as_ref().map_err(Clone::clone)?;
    let seconds = seconds.ok_or("it has no limit for how long a client may keep its connection")?;
    let seen = format!("{seconds} s; TTL and DrainSeconds are {} s", it.waits_seconds);
    match seconds > it.waits_seconds {
        true => not_ready(
            seen,
            format!(
                "aws elbv2 modify-load-balancer-attributes --attributes Key=client_keep_alive.seconds,Value={} --load-balancer-arn {}",
                it.waits_seconds, balancer.arn
            ),
        ),
        false => ready(seen),
    }
}

#[cfg(test)]
mod tests;
