//! What all workloads share: two sites, one zone, one account.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ChangeAction, ResourceRecordSetFailover, RrType};
use lab::Lab;

use crate::stage::parameters::{
    CLOCK, NAME_SERVERS, endpoint_parameters, name_servers, one_stack_parameters, parameters_of,
};
use crate::stage::records::{change, create_endpoints, half, route53, value};
use crate::stage::workload::open_sites;
use crate::stage::{DR, DR_ADDRESS, PRIMARY_ADDRESS, SetupError, Workload, deploy};

const RECORD_TTL_SECONDS: i64 = 60;

/// The sites and the zone.
pub(super) struct Site {
    /// The zone's id.
    pub zone: String,
    /// What every stack is told of the sites and the zone.
    pub parameters: BTreeMap<String, String>,
    client: Client,
}

impl Site {
    pub async fn open(lab: &Arc<Lab>) -> Result<Self, SetupError> {
        let workload = Workload::usual();
        let port = open_sites(lab, &workload).await?;
        let zone = lab.route53.create_zone(lab.clock.now(), "example.com")?;
        let client = route53(lab);
        create_endpoints(&client, &zone, &workload.endpoints).await?;
        lab.functions.give_all(NAME_SERVERS, name_servers(lab));
        lab.functions.give_all(CLOCK, lab.waits.to_string());
        let mut parameters = endpoint_parameters(port, &workload.endpoints[0]);
        parameters.extend(one_stack_parameters(lab).await?);
        parameters.extend(parameters_of([
            ("HostedZoneId", zone.clone()),
            ("PrimaryProbeUrl", format!("http://{PRIMARY_ADDRESS}:{port}/health")),
            ("DrProbeUrl", format!("http://{DR_ADDRESS}:{port}/health")),
        ]));
        Ok(Self { zone, parameters, client })
    }

    /// Deploys a workload's stack; its outputs.
    pub fn deploy(
        &self,
        lab: &Arc<Lab>,
        functions: &Path,
        stack: &str,
        yaml: &str,
        own: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, SetupError> {
        let mut parameters = self.parameters.clone();
        parameters.extend(own.clone());
        deploy(lab, functions, DR, stack, yaml, &parameters)
    }

    /// Makes a name's failover pair.
    pub async fn create_pair(&self, name: &str, check: &str) -> Result<(), SetupError> {
        let (primary, secondary) = (ResourceRecordSetFailover::Primary, ResourceRecordSetFailover::Secondary);
        let set = |role, address| {
            let half = half(name, RrType::A, role, check);
            half.ttl(RECORD_TTL_SECONDS).resource_records(value(address))
        };
        let sets = [set(&primary, PRIMARY_ADDRESS), set(&secondary, DR_ADDRESS)];
        change(&self.client, &self.zone, ChangeAction::Create, sets).await
    }

    /// Puts a health check on each name's PRIMARY record, as infrastructure code does.
    pub async fn put_on_primaries(&self, checks: &[(String, String)]) -> Result<(), SetupError> {
        let set = |(name, check): &(String, String)| {
            let half = half(name, RrType::A, &ResourceRecordSetFailover::Primary, check);
            half.ttl(RECORD_TTL_SECONDS).resource_records(value(PRIMARY_ADDRESS))
        };
        change(&self.client, &self.zone, ChangeAction::Upsert, checks.iter().map(set)).await
    }
}
