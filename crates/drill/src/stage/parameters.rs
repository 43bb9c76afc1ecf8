//! The parameters of the templates, as a stage gives them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use lab::Lab;
use lab::site::Sites;

use super::{CLUSTER, DR, DR_ADDRESS, ELSEWHERE, INSTANCE, NAMES, PRIMARY_ADDRESS, SetupError};

const REFERENCE_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 30, 1));
const MAILBOX: &str = "oncall@example.com";

pub(crate) fn parameters_of<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Where an environment variable tells functions and command line what name servers to ask: the lab's zones are delegated from nowhere.
pub(crate) const NAME_SERVERS: &str = "HOLDFAST_NAME_SERVERS";

/// All of the lab's, for that variable.
#[must_use]
pub fn name_servers(lab: &Lab) -> String {
    lab.name_servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(crate) fn endpoint_parameters(port: u16) -> BTreeMap<String, String> {
    parameters_of([
        ("EndpointDomain", "primary.example.com".to_owned()),
        ("EndpointPort", port.to_string()),
        ("EndpointType", "HTTP".to_owned()),
        ("EndpointPath", "/health/deep".to_owned()),
    ])
}

pub(crate) fn detector_parameters() -> BTreeMap<String, String> {
    parameters_of([("OperatorEmail", MAILBOX.to_owned()), ("ResponderRegion", DR.to_owned())])
}

/// Opens the site of somebody who has nothing to do with the workload, too.
pub(crate) async fn one_stack_parameters(lab: &Arc<Lab>) -> Result<BTreeMap<String, String>, SetupError> {
    let address = SocketAddr::new(REFERENCE_ADDRESS, 0);
    let reference = Sites::open(lab, ELSEWHERE, address, (ELSEWHERE, "none")).await?;
    Ok(parameters_of([
        ("Detection", "dr-region".to_owned()),
        ("DomainName", "example.com".to_owned()),
        ("ReferenceUrl", format!("http://{reference}/")),
    ]))
}

pub(crate) fn responder_parameters(port: u16, zones: &BTreeMap<&str, String>) -> BTreeMap<String, String> {
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
