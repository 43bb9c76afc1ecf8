//! How long an Application Load Balancer lets clients keep a connection: until then they ask no DNS.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::Builder;
use failover::standby::places::region_of_application;

use crate::error::CallError;
use crate::session::Session;

/// "The client keepalive value, in seconds" (API reference, `LoadBalancerAttribute`).
const KEEP_ALIVE: &str = "client_keep_alive.seconds";

/// Seconds for which the load balancer of that name lets a client keep its connection; none if the account has no such load balancer
/// there, or it has no such limit.
///
/// # Errors
/// If Elastic Load Balancing does not say.
pub async fn keep_alive_seconds(session: &Session, dns_name: &str) -> Result<Option<u64>, CallError> {
    let Some(region) = region_of_application(dns_name) else { return Ok(None) };
    let config = Builder::from(session.in_region(region).config()).retry_partition(session.retries());
    let client = Client::from_conf(config.build());
    let wanted = bare(dns_name);
    let mut pages = client.describe_load_balancers().into_paginator().items().send();
    let arn = loop {
        let Some(found) = pages.next().await else { return Ok(None) };
        let found = found.map_err(|error| CallError::of("DescribeLoadBalancers", error))?;
        if found.dns_name().is_some_and(|name| bare(name) == wanted) {
            break found.load_balancer_arn().unwrap_or_default().to_owned();
        }
    };
    keep_alive(&client, &arn).await
}

/// The same of the load balancer of that ARN.
pub(crate) async fn keep_alive(client: &Client, arn: &str) -> Result<Option<u64>, CallError> {
    let answer = client.describe_load_balancer_attributes().load_balancer_arn(arn).send().await;
    let answer = answer.map_err(|error| CallError::of("DescribeLoadBalancerAttributes", error))?;
    let attribute = answer.attributes().iter().find(|attribute| attribute.key() == Some(KEEP_ALIVE));
    Ok(attribute.and_then(|attribute| attribute.value()?.parse().ok()))
}

/// The name without what Route 53's console puts before it, in one spelling.
#[must_use]
pub fn bare(dns_name: &str) -> String {
    let name = dns_name.trim_end_matches('.').to_lowercase();
    name.strip_prefix("dualstack.").map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_balancers_name_has_one_spelling() {
        assert_eq!(bare("DualStack.Shop-1.eu-west-1.elb.amazonaws.com."), "shop-1.eu-west-1.elb.amazonaws.com");
    }
}
