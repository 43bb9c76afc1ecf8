//! The parameters of the templates, as a stage gives them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use lab::Lab;
use lab::site::Sites;

use super::{
    CLOSED_GROUP, CLUSTER, DETECTOR, DR, DR_ADDRESS, ELSEWHERE, INSTANCE, Layout, NAMES, PRIMARY, PRIMARY_ADDRESS,
    SetupError, Workload,
};
use crate::plan::{Parameters, Plan};

const REFERENCE_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 30, 1));
const MAILBOX: &str = "oncall@example.com";

pub(crate) fn parameters_of<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Parameters {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Where an environment variable tells functions and command line what name servers to ask: the lab's zones are delegated from nowhere.
pub(crate) const NAME_SERVERS: &str = "HOLDFAST_NAME_SERVERS";

/// Where an environment variable tells functions who keeps time: while they wait, lab time runs.
pub(crate) const CLOCK: &str = "HOLDFAST_CLOCK";

/// All of the lab's, for that variable.
#[must_use]
pub fn name_servers(lab: &Lab) -> String {
    lab.name_servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(crate) fn endpoint_parameters(port: u16, domain: &str) -> Parameters {
    parameters_of([
        ("EndpointDomain", domain.to_owned()),
        ("EndpointPort", port.to_string()),
        ("EndpointType", "HTTP".to_owned()),
        ("EndpointPath", "/health/deep".to_owned()),
    ])
}

fn detector_parameters() -> Parameters {
    parameters_of([("OperatorEmail", MAILBOX.to_owned()), ("ResponderRegion", DR.to_owned())])
}

/// Opens the site of somebody who has nothing to do with the workload, too.
pub(crate) async fn one_stack_parameters(lab: &Arc<Lab>) -> Result<Parameters, SetupError> {
    let address = SocketAddr::new(REFERENCE_ADDRESS, 0);
    let reference = Sites::open(lab, ELSEWHERE, address, (ELSEWHERE, "none")).await?;
    Ok(parameters_of([
        ("Detection", "dr-region".to_owned()),
        ("DomainName", "example.com".to_owned()),
        ("ReferenceUrl", format!("http://{reference}/")),
    ]))
}

fn responder_parameters(port: u16, zones: &BTreeMap<String, String>) -> Parameters {
    parameters_of([
        ("HostedZoneId", zones["example.com"].clone()),
        ("RecordNames", NAMES[..4].join(",")),
        ("SecondHostedZoneId", zones["example.org"].clone()),
        ("SecondRecordNames", NAMES[4].to_owned()),
        ("AuroraClusters", CLUSTER.to_owned()),
        ("RdsInstances", INSTANCE.to_owned()),
        ("PrimaryProbeUrl", format!("http://{PRIMARY_ADDRESS}:{port}/health")),
        ("DrProbeUrl", format!("http://{DR_ADDRESS}:{port}/health")),
        ("OperatorEmail", MAILBOX.to_owned()),
    ])
}

/// What the stacks are deployed with.
pub(super) struct Stacks {
    pub responder: Parameters,
    /// None if there is one stack.
    pub detector: Option<Parameters>,
}

impl Stacks {
    /// The usual parameters and the layout's own, or those of the layout's plan.
    pub async fn of(
        lab: &Arc<Lab>,
        layout: &Layout,
        workload: &Workload,
        zones: &BTreeMap<String, String>,
        port: u16,
    ) -> Result<Self, SetupError> {
        let endpoint = endpoint_parameters(port, &workload.endpoints[0]);
        match layout.plan {
            None => Self::usual(lab, layout, endpoint, responder_parameters(port, zones)).await,
            Some(plan) => Self::planned(lab, plan, endpoint, port, zones).await,
        }
    }

    async fn usual(
        lab: &Arc<Lab>,
        layout: &Layout,
        mut endpoint: Parameters,
        mut responder: Parameters,
    ) -> Result<Self, SetupError> {
        let own =
            |pairs: &[(&str, &str)]| parameters_of(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())));
        endpoint.extend(own(layout.detector));
        let detector = if layout.one_stack {
            responder.extend(endpoint);
            responder.extend(one_stack_parameters(lab).await?);
            None
        } else {
            endpoint.extend(detector_parameters());
            Some(endpoint)
        };
        responder.extend(own(layout.responder));
        Ok(Self { responder, detector })
    }

    /// The plan's, with the lab's own in the place of what is on AWS. What the lab has nothing for is empty.
    async fn planned(
        lab: &Arc<Lab>,
        plan: &Plan,
        mut lab_own: Parameters,
        port: u16,
        zones: &BTreeMap<String, String>,
    ) -> Result<Self, SetupError> {
        lab_own.extend(one_stack_parameters(lab).await?);
        lab_own.extend(detector_parameters());
        let ids = ["HostedZoneId", "SecondHostedZoneId"].into_iter().zip(&plan.zones);
        lab_own.extend(parameters_of(ids.map(|(name, zone)| (name, zones[&zone.domain].clone()))));
        lab_own.extend(parameters_of([
            ("PrimaryProbeUrl", format!("http://{PRIMARY_ADDRESS}:{port}/health")),
            ("DrProbeUrl", format!("http://{DR_ADDRESS}:{port}/health")),
            ("FenceRegion", PRIMARY.to_owned()),
            ("FenceSecurityGroupId", CLOSED_GROUP.to_owned()),
            ("DetectorRegion", DETECTOR.to_owned()),
            // What it would look at stands behind no site of a plan.
            ("Readiness", "off".to_owned()),
        ]));
        let replaced = |given: &Parameters, own: Vec<&str>| {
            let own = own.into_iter().map(|name| (name, lab_own.get(name).cloned().unwrap_or_default()));
            let mut all = given.clone();
            all.extend(parameters_of(own));
            all
        };
        let mut responder = replaced(&plan.responder, plan.own_of_responder());
        // The detector's own, unless the plan has none: then it stays without.
        match plan.responder.get("FailoverHealthCheckId") {
            Some(id) if !id.is_empty() => drop(responder.remove("FailoverHealthCheckId")),
            _ => drop(responder.insert("FailoverHealthCheckId".to_owned(), String::new())),
        }
        let detector = plan.detector.as_ref().map(|given| replaced(given, plan.own_of_detector()));
        Ok(Self { responder, detector })
    }
}
