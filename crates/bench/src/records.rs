//! Failover pairs and registers, made with the AWS SDK as anybody would.

use aws_sdk_route53::Client;
use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType,
};
use failover::name::Name;
use failover::record::Target;
use failover::register::Register;
use lab::Lab;

use crate::Failure;

/// Where the PRIMARY records point.
pub const PRIMARY: &str = "192.0.2.1";
/// Where the SECONDARY records point.
pub const SECONDARY: &str = "198.51.100.1";
/// TTL of the pairs.
pub const TTL_SECONDS: i64 = 60;

/// Few enough that none of the quotas of a batch is met, even by registers written over (each value counts twice then).
const CHANGES_A_BATCH: usize = 300;

/// A client of the lab's Route 53.
#[must_use]
pub fn client(lab: &Lab) -> Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(lab.endpoint_url())
        .credentials_provider(Credentials::new("operator", "secret", None, None, "bench"))
        .build();
    Client::from_conf(config)
}

/// The PRIMARY or SECONDARY record of a name.
///
/// # Errors
/// Never with these fields.
pub fn half(name: &str, role: &ResourceRecordSetFailover, to: &str, check: &str) -> Result<ResourceRecordSet, Failure> {
    let is_primary = *role == ResourceRecordSetFailover::Primary;
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::A)
        .set_identifier(if is_primary { "primary" } else { "dr" })
        .failover(role.clone())
        .set_health_check_id(is_primary.then(|| check.to_owned()))
        .ttl(TTL_SECONDS)
        .resource_records(ResourceRecord::builder().value(to).build()?);
    Ok(set.build()?)
}

/// A name's register.
///
/// # Errors
/// If it does not fit.
pub fn register(name: &Name, register: &Register) -> Result<ResourceRecordSet, Failure> {
    let set = register.record_set(name)?;
    let Target::Values { ttl_seconds, values } = set.target else { return Err("a register has values".into()) };
    let mut record = ResourceRecordSet::builder().name(set.name.as_str()).r#type(RrType::Txt).ttl(ttl_seconds.into());
    for value in values {
        record = record.resource_records(ResourceRecord::builder().value(value).build()?);
    }
    Ok(record.build()?)
}

/// Writes record sets over whatever is there, in lab time that nobody measures.
///
/// # Errors
/// If Route 53 refuses.
pub async fn put(lab: &Lab, client: &Client, zone: &str, sets: Vec<ResourceRecordSet>) -> Result<(), Failure> {
    for sets in sets.chunks(CHANGES_A_BATCH) {
        let change = |set: &ResourceRecordSet| {
            Change::builder().action(ChangeAction::Upsert).resource_record_set(set.clone()).build()
        };
        let changes = sets.iter().map(change).collect::<Result<Vec<_>, _>>()?;
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build()?;
        client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await?;
        lab.clock.sleep(std::time::Duration::from_millis(250)).await;
    }
    Ok(())
}
