//! Load balancers: what an alias to a name of AWS's own answers with, and whether its targets are healthy.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{DnsName, Kind, Refusal};
use crate::Lab;
use crate::health::{CheckType, HealthCheckConfig};

/// "The TTL for load balancers" (API reference, `ResourceRecordSet.TTL`), seconds.
pub const TTL: u32 = 60;
/// The hosted zone of every load balancer of the lab; AWS's for its Application Load Balancers in us-east-1.
pub const ZONE: &str = "Z35SXDOTRQ7X7K";

/// A load balancer before one target.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Its address.
    pub address: std::net::IpAddr,
    /// The check of its target group, which is none of Route 53's.
    pub check: String,
}

impl Balancer {
    /// Its value of this type.
    pub fn value(&self, kind: Kind) -> Option<String> {
        let is_of_family = if self.address.is_ipv4() { kind == Kind::A } else { kind == Kind::Aaaa };
        is_of_family.then(|| self.address.to_string())
    }
}

/// All load balancers, by name.
#[derive(Debug, Default)]
pub struct Balancers(BTreeMap<DnsName, Balancer>);

impl Balancers {
    /// The load balancer of this name. `dualstack.` before it means the same.
    pub fn get(&self, name: &DnsName) -> Option<&Balancer> {
        let bare = || name.parent().filter(|_| name.labels().first().is_some_and(|label| label == "dualstack"));
        self.0.get(name).or_else(|| self.0.get(&bare()?))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &DnsName> {
        self.0.keys()
    }

    pub(crate) fn insert(&mut self, name: DnsName, balancer: Balancer) {
        self.0.insert(name, balancer);
    }
}

/// Puts a load balancer before a site: aliases to its name, in the hosted zone [`ZONE`], answer with the site's address, and
/// its one target is asked for `path` every ten seconds. "If any target group contains only unhealthy targets, the load
/// balancer is considered unhealthy" (API reference, `AliasTarget.EvaluateTargetHealth`), after three failures.
///
/// # Errors
/// If the name is no DNS name, or the address no loopback address.
pub fn open(lab: &Lab, name: &str, target: SocketAddr, path: &str) -> Result<(), Refusal> {
    let config = HealthCheckConfig {
        name: Some(format!("targets of {name}")),
        ip_address: Some(target.ip()),
        port: Some(target.port()),
        resource_path: Some(path.to_owned()),
        request_interval: Some(10),
        is_of_aws: true,
        ..HealthCheckConfig::new(CheckType::Http)
    };
    let name = DnsName::parse(name)?;
    let check = lab.route53.create_health_check(lab, config)?;
    lab.route53.add_balancer(name, Balancer { address: target.ip(), check });
    Ok(())
}
