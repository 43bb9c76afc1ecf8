//! A load balancer, with what it shows to clients and what stands behind it.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::Builder;
use aws_sdk_elasticloadbalancingv2::types::{
    Listener as Described, LoadBalancer, ProtocolEnum, TargetHealthDescription,
};
use failover::standby::Look;
use failover::standby::traffic::{Balancer, Certificate, Listener, TargetGroup};

use crate::balancer::{bare, keep_alive};
use crate::error::CallError;
use crate::rds::timestamp;
use crate::session::Session;

fn client(session: &Session) -> Client {
    Client::from_conf(Builder::from(session.config()).retry_partition(session.retries()).build())
}

/// The load balancer of that DNS name in the session's region; none if the account has none there.
///
/// # Errors
/// If Elastic Load Balancing does not say, in words. What of it is not told is said where it is looked for.
pub async fn balancer(session: &Session, dns_name: &str) -> Look<Option<Balancer>> {
    let client = client(session);
    let Some(found) = named(&client, dns_name).await? else { return Ok(None) };
    let arn = found.load_balancer_arn().ok_or("DescribeLoadBalancers names no ARN")?.to_owned();
    let listeners = match described(&client, &arn).await {
        Ok(all) => Ok(with_certificates(session, &client, all).await),
        Err(why) => Err(why),
    };
    Ok(Some(Balancer {
        state: found.state().and_then(|state| state.code()).map(|code| code.as_str().to_owned()),
        groups: groups(&client, &arn).await,
        keep_alive_seconds: keep_alive(&client, &arn).await.map_err(|error| error.to_string()),
        listeners,
        arn,
    }))
}

/// The listeners of the load balancer of that DNS name, without their certificates.
///
/// # Errors
/// If Elastic Load Balancing does not say, or knows no such load balancer, in words.
pub async fn listeners(session: &Session, dns_name: &str) -> Look<Vec<Listener>> {
    let client = client(session);
    let found =
        named(&client, dns_name).await?.ok_or_else(|| format!("no load balancer there is called {dns_name}"))?;
    let all = described(&client, found.load_balancer_arn().unwrap_or_default()).await?;
    Ok(all.iter().map(|listener| of(listener, Err("they were not asked for".to_owned()))).collect())
}

/// The target groups of the load balancer of that DNS name, by ARN, and the load balancer's own.
pub(super) async fn groups_of(session: &Session, dns_name: &str) -> Look<(String, Vec<String>)> {
    let client = client(session);
    let found =
        named(&client, dns_name).await?.ok_or_else(|| format!("no load balancer there is called {dns_name}"))?;
    let arn = found.load_balancer_arn().ok_or("DescribeLoadBalancers names no ARN")?;
    Ok((arn.to_owned(), group_arns(&client, arn).await?))
}

async fn named(client: &Client, dns_name: &str) -> Look<Option<LoadBalancer>> {
    let wanted = bare(dns_name);
    let mut pages = client.describe_load_balancers().into_paginator().items().send();
    while let Some(found) = pages.next().await {
        let found = found.map_err(|error| CallError::of("DescribeLoadBalancers", error).to_string())?;
        if found.dns_name().is_some_and(|name| bare(name) == wanted) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn described(client: &Client, arn: &str) -> Look<Vec<Described>> {
    let all: Result<Vec<_>, _> =
        client.describe_listeners().load_balancer_arn(arn).into_paginator().items().send().collect().await;
    all.map_err(|error| CallError::of("DescribeListeners", error).to_string())
}

fn of(listener: &Described, certificates: Look<Vec<(String, Look<Certificate>)>>) -> Listener {
    Listener {
        port: listener.port(),
        protocol: listener.protocol().map(|protocol| protocol.as_str().to_owned()),
        certificates,
    }
}

async fn with_certificates(session: &Session, client: &Client, all: Vec<Described>) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for listener in &all {
        let certificates = match listener.protocol() {
            Some(ProtocolEnum::Https | ProtocolEnum::Tls) => certificates(session, client, listener).await,
            _ => Ok(Vec::new()),
        };
        listeners.push(of(listener, certificates));
    }
    listeners
}

/// "The default certificate and the certificate list" of a listener (DescribeListenerCertificates).
async fn certificates(session: &Session, client: &Client, of: &Described) -> Look<Vec<(String, Look<Certificate>)>> {
    let call = client.describe_listener_certificates().listener_arn(of.listener_arn().unwrap_or_default());
    let shown: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
    let shown = shown.map_err(|error| CallError::of("DescribeListenerCertificates", error).to_string())?;
    let mut arns: Vec<String> = shown.iter().filter_map(|it| it.certificate_arn().map(str::to_owned)).collect();
    arns.sort();
    // The default certificate may be in the list too.
    arns.dedup();
    let mut found = Vec::new();
    for arn in arns {
        let certificate = certificate(session, &arn).await;
        found.push((arn, certificate));
    }
    Ok(found)
}

async fn certificate(session: &Session, arn: &str) -> Look<Certificate> {
    if !arn.contains(":acm:") {
        return Err(format!("{arn} is none of ACM's, and Holdfast looks at no others"));
    }
    let config = aws_sdk_acm::config::Builder::from(session.config()).retry_partition(session.retries());
    let found = aws_sdk_acm::Client::from_conf(config.build()).describe_certificate().certificate_arn(arn).send().await;
    let found = found.map_err(|error| CallError::of("DescribeCertificate", error).to_string())?;
    let found = found.certificate().ok_or("DescribeCertificate describes nothing")?;
    let names = found.subject_alternative_names().iter().cloned().chain(found.domain_name().map(str::to_owned));
    Ok(Certificate {
        status: found.status().map(|status| status.as_str().to_owned()),
        not_after: found.not_after().and_then(timestamp),
        names: names.collect(),
    })
}

async fn group_arns(client: &Client, balancer: &str) -> Look<Vec<String>> {
    let call = client.describe_target_groups().load_balancer_arn(balancer);
    let all: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
    let all = all.map_err(|error| CallError::of("DescribeTargetGroups", error).to_string())?;
    Ok(all.iter().filter_map(|group| group.target_group_arn().map(str::to_owned)).collect())
}

async fn groups(client: &Client, balancer: &str) -> Look<Vec<TargetGroup>> {
    let mut groups = Vec::new();
    for arn in group_arns(client, balancer).await? {
        let found = client.describe_target_health().target_group_arn(&arn).send().await;
        let found = found.map_err(|error| CallError::of("DescribeTargetHealth", error).to_string());
        let targets = found.map(|found| found.target_health_descriptions().iter().map(target).collect());
        groups.push(TargetGroup { arn, targets });
    }
    Ok(groups)
}

fn target(described: &TargetHealthDescription) -> (String, Option<String>) {
    let id = described.target().and_then(|target| target.id()).unwrap_or_default();
    let state = described.target_health().and_then(|health| health.state());
    (id.to_owned(), state.map(|state| state.as_str().to_owned()))
}
