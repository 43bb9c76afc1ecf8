//! What an account has that a failover may be made of, and how much more of it it may have. Nothing here can write.

use aws_sdk_elasticloadbalancingv2::Client as Balancing;
use aws_sdk_route53::types::{AccountLimitType, HealthCheckConfig, HealthCheckType, HostedZoneLimitType};
use failover::plan::ReplicaId;
use failover::promotion::Source;
use serde::Serialize;

use crate::error::CallError;
use crate::session::Session;
use crate::{rds, route53};

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostedZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its domain, without trailing dot.
    pub domain: String,
    /// Whether it is a private zone.
    pub is_private: bool,
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Its id.
    pub id: String,
    /// AWS's word for its type, as in `HTTPS` or `CLOUDWATCH_METRIC`.
    pub kind: String,
    /// What it asks; none if it asks nobody.
    pub endpoint: Option<Asked>,
}

/// What a health check asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Host name; none if it asks an address without one.
    pub host: Option<String>,
    /// Address; none if it looks the host up.
    pub address: Option<String>,
    /// Port.
    pub port: u16,
    /// Path, as in `/health`.
    pub path: String,
    /// Whether by HTTPS. What asks neither by HTTP nor by HTTPS asks for no path, and is left out.
    pub is_https: bool,
}

/// How much there is, and how much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// How much there is.
    pub used: u64,
    /// How much there may be.
    pub most: u64,
}

/// A cluster, or an instance outside of clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its identifier.
    pub id: ReplicaId,
    /// Its ARN.
    pub arn: String,
    /// RDS's word for its engine.
    pub engine: String,
    /// What it takes its data from.
    pub source: Source,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// Its own DNS name.
    pub dns_name: String,
    /// The hosted zone of that name, which an alias to it must say.
    pub zone: String,
}

/// Every hosted zone of the account.
///
/// # Errors
/// If Route 53 does not say.
pub async fn hosted_zones(session: &Session) -> Result<Vec<HostedZone>, CallError> {
    let mut pages = route53::client(session, session.zone_config()).list_hosted_zones().into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::of("ListHostedZones", error))?;
        found.extend(page.hosted_zones().iter().map(|zone| HostedZone {
            id: zone.id().trim_start_matches("/hostedzone/").to_owned(),
            domain: zone.name().trim_end_matches('.').to_owned(),
            is_private: zone.config().is_some_and(|config| config.private_zone()),
        }));
    }
    Ok(found)
}

/// Every health check of the account.
///
/// # Errors
/// If Route 53 does not say.
pub async fn health_checks(session: &Session) -> Result<Vec<HealthCheck>, CallError> {
    let mut pages = route53::client(session, session.config()).list_health_checks().into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::of("ListHealthChecks", error))?;
        found.extend(page.health_checks().iter().map(|check| HealthCheck {
            id: check.id().to_owned(),
            kind: check.health_check_config().map(|config| config.r#type().as_str().to_owned()).unwrap_or_default(),
            endpoint: check.health_check_config().and_then(asked),
        }));
    }
    Ok(found)
}

fn asked(config: &HealthCheckConfig) -> Option<Asked> {
    let is_https = match config.r#type() {
        HealthCheckType::Http | HealthCheckType::HttpStrMatch => false,
        HealthCheckType::Https | HealthCheckType::HttpsStrMatch => true,
        _ => return None,
    };
    let default = if is_https { 443 } else { 80 };
    Some(Asked {
        host: config.fully_qualified_domain_name().map(|host| host.trim_end_matches('.').to_owned()),
        address: config.ip_address().map(str::to_owned),
        port: config.port().and_then(|port| u16::try_from(port).ok()).unwrap_or(default),
        path: config.resource_path().filter(|path| !path.is_empty()).unwrap_or("/").to_owned(),
        is_https,
    })
}

/// How many health checks there are, and may be.
///
/// # Errors
/// If Route 53 does not say.
pub async fn health_check_quota(session: &Session) -> Result<Quota, CallError> {
    const CALL: &str = "GetAccountLimit";
    let client = route53::client(session, session.config());
    let answer = client.get_account_limit().r#type(AccountLimitType::MaxHealthChecksByOwner).send().await;
    let answer = answer.map_err(|error| CallError::of(CALL, error))?;
    quota(CALL, answer.count(), answer.limit().map(|limit| limit.value()))
}

/// How many record sets a zone has, and may have.
///
/// # Errors
/// If Route 53 does not say.
pub async fn record_quota(session: &Session, zone: &str) -> Result<Quota, CallError> {
    const CALL: &str = "GetHostedZoneLimit";
    let client = route53::client(session, session.zone_config());
    let call = client.get_hosted_zone_limit().hosted_zone_id(zone).r#type(HostedZoneLimitType::MaxRrsetsByZone);
    let answer = call.send().await.map_err(|error| CallError::of(CALL, error))?;
    quota(CALL, answer.count(), answer.limit().map(|limit| limit.value()))
}

fn quota(call: &'static str, used: i64, most: Option<i64>) -> Result<Quota, CallError> {
    match (u64::try_from(used), most.map(u64::try_from)) {
        (Ok(used), Some(Ok(most))) => Ok(Quota { used, most }),
        _ => Err(CallError::Unknown { call, why: "the answer names no limit".to_owned() }),
    }
}

/// Every cluster of a region, and every instance outside of clusters.
///
/// # Errors
/// If RDS does not say.
pub async fn databases(session: &Session, region: &str) -> Result<Vec<Listed>, CallError> {
    let session = session.in_region(region);
    let (client, reader) = (rds::client(&session), rds::Reader::new(&session));
    let mut found = Vec::new();
    let mut clusters = client.describe_db_clusters().into_paginator().items().send();
    while let Some(cluster) = clusters.next().await {
        let cluster = cluster.map_err(|error| CallError::of("DescribeDBClusters", error))?;
        let (id, arn) = (cluster.db_cluster_identifier().unwrap_or_default().to_owned(), cluster.db_cluster_arn());
        let arn = arn.unwrap_or_default().to_owned();
        let (id, source) = match rds::cluster_source(&cluster) {
            // Whoever may not ask about it learns at least that it is in one.
            Source::Global(global) => match reader.place(&global, &arn).await {
                Ok(place) => (ReplicaId::GlobalMember { global, cluster: id }, place),
                Err(_) => (ReplicaId::AuroraCluster(id), Source::Global(global)),
            },
            source => (ReplicaId::AuroraCluster(id), source),
        };
        found.push(Listed { id, arn, engine: cluster.engine().unwrap_or_default().to_owned(), source });
    }
    let mut instances = client.describe_db_instances().into_paginator().items().send();
    while let Some(instance) = instances.next().await {
        let instance = instance.map_err(|error| CallError::of("DescribeDBInstances", error))?;
        let source = rds::instance_source(&instance);
        if matches!(source, Source::MemberOf(_)) {
            continue;
        }
        found.push(Listed {
            id: ReplicaId::RdsInstance(instance.db_instance_identifier().unwrap_or_default().to_owned()),
            arn: instance.db_instance_arn().unwrap_or_default().to_owned(),
            engine: instance.engine().unwrap_or_default().to_owned(),
            source,
        });
    }
    Ok(found)
}

/// Every load balancer of a region but Classic ones, which have another API.
///
/// # Errors
/// If Elastic Load Balancing does not say.
pub async fn balancers(session: &Session, region: &str) -> Result<Vec<Balancer>, CallError> {
    let session = session.in_region(region);
    let config = aws_sdk_elasticloadbalancingv2::config::Builder::from(session.config());
    let client = Balancing::from_conf(config.retry_partition(session.retries()).build());
    let mut all = client.describe_load_balancers().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(balancer) = all.next().await {
        let balancer = balancer.map_err(|error| CallError::of("DescribeLoadBalancers", error))?;
        if let (Some(name), Some(zone)) = (balancer.dns_name(), balancer.canonical_hosted_zone_id()) {
            found.push(Balancer { dns_name: name.to_owned(), zone: zone.to_owned() });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_health_check_asks_is_read_with_the_defaults_of_its_protocol() {
        let config = |kind: HealthCheckType| HealthCheckConfig::builder().r#type(kind);
        let of = |builder: aws_sdk_route53::types::builders::HealthCheckConfigBuilder| asked(&builder.build().unwrap());
        let https = of(config(HealthCheckType::Https).fully_qualified_domain_name("p.example.com.")).unwrap();
        assert_eq!((https.host.as_deref(), https.port, &*https.path), (Some("p.example.com"), 443, "/"));
        let http = of(config(HealthCheckType::HttpStrMatch).ip_address("192.0.2.1").resource_path("/up")).unwrap();
        assert_eq!((http.host, http.port, &*http.path, http.is_https), (None, 80, "/up", false));
        assert_eq!(of(config(HealthCheckType::Calculated)), None);
        assert_eq!(of(config(HealthCheckType::Tcp).ip_address("192.0.2.1").port(22)), None, "it asks for no path");
    }

    #[test]
    fn a_limit_that_is_not_told_is_none() {
        assert_eq!(quota("X", 3, Some(200)), Ok(Quota { used: 3, most: 200 }));
        assert!(quota("X", 3, None).is_err() && quota("X", -1, Some(200)).is_err());
    }
}
