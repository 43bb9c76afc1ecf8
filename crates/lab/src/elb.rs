//! Elastic Load Balancing: which Application Load Balancers there are, what they show to clients, and what stands behind them.

mod answers;
pub mod listener;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::answers::{Attributes, Certificates, Listeners, LoadBalancers, TargetGroups, TargetHealth};
use crate::api::{Call, Reply};
use crate::route53::DnsName;
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};
use crate::{ACCOUNT, Lab};

/// What stands behind load balancers, by their own DNS names.
#[derive(Debug, Default)]
pub struct Elb(Mutex<BTreeMap<String, Behind>>);

/// What a load balancer is set to, and what stands behind it.
#[derive(Clone, Debug)]
pub struct Behind {
    /// AWS's word for its state.
    pub state: String,
    /// "The default is 3600 seconds" (API reference, `LoadBalancerAttribute`).
    pub keep_alive_seconds: u64,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// The target groups that they lead to.
    pub groups: Vec<TargetGroup>,
}

/// A listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// Its protocol.
    pub protocol: &'static str,
    /// ARNs of its certificates, the default one first.
    pub certificates: Vec<String>,
}

/// A target group.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// Its targets, each with AWS's word for its health.
    pub targets: Vec<(String, String)>,
}

impl Default for Behind {
    fn default() -> Self {
        let (listeners, groups) = (Vec::new(), Vec::new());
        Self { state: "active".to_owned(), keep_alive_seconds: 3_600, listeners, groups }
    }
}

impl Elb {
    /// Changes what stands behind the load balancer of that DNS name, as people do.
    pub fn change(&self, dns_name: &str, change: impl FnOnce(&mut Behind)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(dns_name.to_owned()).or_default());
    }

    fn behind(&self, dns_name: &str) -> Behind {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(dns_name).cloned().unwrap_or_default()
    }
}

/// A load balancer's names.
#[derive(Clone, Debug)]
struct Balancer {
    region: String,
    name: String,
    id: String,
    dns_name: String,
}

impl Balancer {
    /// The load balancer of that name: `NAME-ID.REGION.elb.amazonaws.com`.
    fn named(name: &DnsName) -> Option<Self> {
        let labels: Vec<&str> = name.labels().iter().map(String::as_str).collect();
        let [own, region, "elb", "amazonaws", "com"] = labels.strip_prefix(&["dualstack"]).unwrap_or(&labels) else {
            return None;
        };
        let (called, id) = own.rsplit_once('-')?;
        let dns_name = format!("{own}.{region}.elb.amazonaws.com");
        Some(Self { region: (*region).to_owned(), name: called.to_owned(), id: id.to_owned(), dns_name })
    }

    fn arn(&self) -> String {
        let Self { region, name, id, .. } = self;
        format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/{name}/{id}")
    }

    fn listener_arn(&self, listener: &Listener) -> String {
        format!("{}/{}", self.arn().replace(":loadbalancer/", ":listener/"), listener.port)
    }
}

/// The ARN of a target group.
pub fn group_arn(region: &str, name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:targetgroup/{name}/0123456789abcdef")
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    let region = call.region.as_str();
    match action.as_str() {
        "DescribeLoadBalancers" => reply(&action, form.finish().map(|()| (String::new(), balancers(lab, region)))),
        "DescribeLoadBalancerAttributes" => reply(&action, attributes(lab, region, form)),
        "DescribeListeners" => reply(&action, listeners(lab, region, form)),
        "DescribeListenerCertificates" => reply(&action, certificates(lab, region, form)),
        "DescribeTargetGroups" => reply(&action, groups(lab, region, form)),
        "DescribeTargetHealth" => reply(&action, health(lab, region, form)),
        other => reply::<()>(other, Err(Refusal::unsupported(format!("the Elastic Load Balancing action {other}")))),
    }
}

fn all(lab: &Lab, region: &str) -> Vec<(Balancer, Behind)> {
    let names = lab.route53.balancers();
    let here = names.iter().filter_map(Balancer::named).filter(|balancer| balancer.region == region);
    here.map(|balancer| (balancer.clone(), lab.elb.behind(&balancer.dns_name))).collect()
}

fn balancers(lab: &Lab, region: &str) -> LoadBalancers {
    LoadBalancers::of(&all(lab, region))
}

/// The load balancer that a call is about.
fn asked(lab: &Lab, region: &str, form: &mut Form) -> Result<(Balancer, Behind), Refusal> {
    let arn = form.required("LoadBalancerArn")?;
    let found = all(lab, region).into_iter().find(|(balancer, _)| balancer.arn() == arn);
    found.ok_or_else(|| Refusal::bad_request("LoadBalancerNotFound", format!("Load balancer '{arn}' not found")))
}

fn attributes(lab: &Lab, region: &str, mut form: Form) -> Result<(String, Attributes), Refusal> {
    let (balancer, behind) = asked(lab, region, &mut form)?;
    form.finish()?;
    Ok((balancer.arn(), Attributes::of(&behind)))
}

fn listeners(lab: &Lab, region: &str, mut form: Form) -> Result<(String, Listeners), Refusal> {
    let (balancer, behind) = asked(lab, region, &mut form)?;
    form.finish()?;
    Ok((balancer.arn(), Listeners::of(&balancer, &behind)))
}

fn certificates(lab: &Lab, region: &str, mut form: Form) -> Result<(String, Certificates), Refusal> {
    let arn = form.required("ListenerArn")?;
    form.finish()?;
    let all = all(lab, region);
    let found = all
        .iter()
        .find_map(|(balancer, behind)| behind.listeners.iter().find(|listener| balancer.listener_arn(listener) == arn));
    match found {
        Some(listener) => Ok((arn, Certificates::of(listener))),
        None => Err(Refusal::bad_request("ListenerNotFound", format!("Listener '{arn}' not found"))),
    }
}

fn groups(lab: &Lab, region: &str, mut form: Form) -> Result<(String, TargetGroups), Refusal> {
    let (balancer, behind) = asked(lab, region, &mut form)?;
    form.finish()?;
    Ok((balancer.arn(), TargetGroups::of(&balancer, &behind)))
}

fn health(lab: &Lab, region: &str, mut form: Form) -> Result<(String, TargetHealth), Refusal> {
    let arn = form.required("TargetGroupArn")?;
    form.finish()?;
    let found = all(lab, region)
        .into_iter()
        .flat_map(|(_, behind)| behind.groups)
        .find(|group| group_arn(region, &group.name) == arn);
    match found {
        Some(group) => Ok((arn, TargetHealth::of(&group))),
        None => Err(Refusal::bad_request("TargetGroupNotFound", format!("Target groups '{arn}' not found"))),
    }
}
