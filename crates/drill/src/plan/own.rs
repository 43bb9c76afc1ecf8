//! Which parameters must be the lab's own: what they name is on AWS, and the lab has its own in its place.

use super::{Parameters, Plan};

/// Replaced wherever the plan gives them.
const IF_GIVEN: [&str; 14] = [
    "SecondHostedZoneId",
    "HostedZoneRoleArn",
    "EndpointIpAddress",
    "PrimaryProbeUrl",
    "DrProbeUrl",
    "ReferenceUrl",
    "FailoverHealthCheckId",
    "PagerUrl",
    "KmsKeyArn",
    "PermissionsBoundaryArn",
    "FenceRegion",
    "FenceSecurityGroupId",
    "DetectorRegion",
    "Readiness",
];

/// What the stack is given that watches the primary's endpoint.
const ENDPOINT: [&str; 4] = ["EndpointDomain", "EndpointPort", "EndpointType", "EndpointPath"];

/// Some are the lab's in any case, some where the user gave any; and a mailbox there must be, since a check reads it.
fn own(given: &Parameters, always: &[&'static str]) -> Vec<&'static str> {
    let has = |name: &str| given.get(name).is_some_and(|value| !value.is_empty());
    let mailbox = (!has("OperatorEmail")).then_some("OperatorEmail");
    let replaced = IF_GIVEN.into_iter().filter(|name| has(name) && !always.contains(name));
    always.iter().copied().chain(replaced).chain(mailbox).collect()
}

impl Plan {
    /// Those of template.yaml.
    #[must_use]
    pub fn own_of_responder(&self) -> Vec<&'static str> {
        match self.detector {
            Some(_) => own(&self.responder, &["HostedZoneId"]),
            None => own(&self.responder, &[&["HostedZoneId", "ReferenceUrl"][..], &ENDPOINT].concat()),
        }
    }

    /// Those of detector.yaml; none if there is one stack.
    #[must_use]
    pub fn own_of_detector(&self) -> Vec<&'static str> {
        let always = [&["ResponderRegion"][..], &ENDPOINT].concat();
        self.detector.as_ref().map(|given| own(given, &always)).unwrap_or_default()
    }
}
