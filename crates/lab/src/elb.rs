//! Elastic Load Balancing: which Application Load Balancers there are, and for how long they let clients keep a connection.

use std::sync::Arc;

use serde::Serialize;

use crate::api::{Call, Reply};
use crate::dns::balancer::ZONE;
use crate::route53::DnsName;
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};
use crate::{ACCOUNT, Lab};

/// Attributes as they come: "The default is 3600 seconds" and "The default is 60 seconds" (API reference, `LoadBalancerAttribute`).
const ATTRIBUTES: [(&str, &str); 2] = [("client_keep_alive.seconds", "3600"), ("idle_timeout.timeout_seconds", "60")];

#[derive(Serialize)]
struct Members<T> {
    member: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoadBalancers {
    load_balancers: Members<LoadBalancer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoadBalancer {
    load_balancer_arn: String,
    #[serde(rename = "DNSName")]
    dns_name: String,
    canonical_hosted_zone_id: &'static str,
    load_balancer_name: String,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    attributes: Members<Attribute>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    key: &'static str,
    value: &'static str,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    match action.as_str() {
        "DescribeLoadBalancers" => reply(&action, form.finish().map(|()| (String::new(), all(lab, &call.region)))),
        "DescribeLoadBalancerAttributes" => reply(&action, attributes(lab, &call.region, form)),
        other => reply::<()>(other, Err(Refusal::unsupported(format!("the Elastic Load Balancing action {other}")))),
    }
}

fn all(lab: &Lab, region: &str) -> LoadBalancers {
    let here = lab.route53.balancers().into_iter().filter_map(|name| described(&name, region));
    LoadBalancers { load_balancers: Members { member: here.collect() } }
}

/// The load balancer of that name, if it is one of the region: `NAME-ID.REGION.elb.amazonaws.com`.
fn described(name: &DnsName, region: &str) -> Option<LoadBalancer> {
    let labels: Vec<&str> = name.labels().iter().map(String::as_str).collect();
    let [own, of_region, "elb", "amazonaws", "com"] = labels.strip_prefix(&["dualstack"]).unwrap_or(&labels) else {
        return None;
    };
    let (called, id) = own.rsplit_once('-')?;
    (*of_region == region).then(|| LoadBalancer {
        load_balancer_arn: format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/{called}/{id}"),
        dns_name: format!("{own}.{region}.elb.amazonaws.com"),
        canonical_hosted_zone_id: ZONE,
        load_balancer_name: called.to_owned(),
        r#type: "application",
    })
}

fn attributes(lab: &Lab, region: &str, mut form: Form) -> Result<(String, Attributes), Refusal> {
    let arn = form.required("LoadBalancerArn")?;
    form.finish()?;
    if !all(lab, region).load_balancers.member.iter().any(|found| found.load_balancer_arn == arn) {
        return Err(Refusal::bad_request("LoadBalancerNotFound", format!("Load balancer '{arn}' not found")));
    }
    let member = ATTRIBUTES.map(|(key, value)| Attribute { key, value }).into();
    Ok((arn, Attributes { attributes: Members { member } }))
}
