//! Secrets, parameters and buckets, and how far their copies in DR have come.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_ssm::types::ParameterStringFilter;
use failover::standby::copies::{Bucket, Kept, Parameter, Put, Replication, Secret};
use failover::standby::{Look, wanted};
use jiff::{SignedDuration, Timestamp};

use super::metrics::{Series, values};
use crate::error::CallError;
use crate::rds::timestamp;
use crate::session::Session;

/// A secret in DR, the session's region, and what the primary region says of its copy.
pub async fn secret(session: &Session, primary: &Look<String>, name: &str) -> Secret {
    let dr_region = session.region().to_owned();
    let dr = described(session, name).await;
    let replication = match primary {
        Err(why) => Err(why.clone()),
        Ok(region) => replication(&session.in_region(region), name, &dr_region).await,
    };
    let dr = dr.map(|found| found.map(|found| Kept { is_deleted: found.deleted_date().is_some() }));
    Secret { name: name.to_owned(), dr_region, dr, replication }
}

async fn replication(session: &Session, name: &str, dr_region: &str) -> Look<Option<Replication>> {
    let found = described(session, name).await?.ok_or("the primary region has no such secret")?;
    let copy = found.replication_status().iter().find(|copy| copy.region() == Some(dr_region));
    Ok(copy.map(|copy| Replication {
        status: copy.status().map(|status| status.as_str().to_owned()),
        message: copy.status_message().unwrap_or_default().to_owned(),
    }))
}

async fn described(session: &Session, name: &str) -> Look<Option<DescribeSecretOutput>> {
    let config = aws_sdk_secretsmanager::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = aws_sdk_secretsmanager::Client::from_conf(config.build());
    match client.describe_secret().secret_id(name).send().await.map_err(|error| CallError::of("DescribeSecret", error))
    {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_refused_with("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Every parameter of those names: what DR, the session's region, has of it, and what the primary region has.
pub async fn parameters(session: &Session, primary: &Look<String>, names: &BTreeSet<String>) -> Vec<Parameter> {
    let dr_region = session.region().to_owned();
    let (dr, primary) = tokio::join!(put(session, names), async {
        put(&session.in_region(primary.as_ref().map_err(Clone::clone)?), names).await
    });
    let parameter = |name: &String| Parameter {
        name: name.clone(),
        dr_region: dr_region.clone(),
        dr: of(&dr, name),
        primary: of(&primary, name),
    };
    names.iter().map(parameter).collect()
}

fn of(all: &Look<BTreeMap<String, Put>>, name: &str) -> Look<Option<Put>> {
    all.as_ref().map(|all| all.get(name).cloned()).map_err(Clone::clone)
}

/// "Array Members: … Maximum number of 50 items" (API reference, `ParameterStringFilter`).
const FILTERED_MAX: usize = 50;

/// Those of the parameters that are in the session's region. A page may be empty though another follows: what is on none is not there.
async fn put(session: &Session, names: &BTreeSet<String>) -> Look<BTreeMap<String, Put>> {
    let config = aws_sdk_ssm::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = aws_sdk_ssm::Client::from_conf(config.build());
    let refused = |error: &dyn std::error::Error| format!("DescribeParameters cannot be asked: {error}");
    let mut found = BTreeMap::new();
    for names in names.iter().collect::<Vec<_>>().chunks(FILTERED_MAX) {
        let names = names.iter().map(|name| (*name).clone()).collect();
        let filter = ParameterStringFilter::builder().key("Name").option("Equals").set_values(Some(names));
        let filter = filter.build().map_err(|error| refused(&error))?;
        let mut pages = client.describe_parameters().parameter_filters(filter).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of("DescribeParameters", error).to_string())?;
            found.extend(page.parameters().iter().filter_map(|one| {
                let put = Put {
                    kind: one.r#type().map(|kind| kind.as_str().to_owned()),
                    data_type: one.data_type().map(str::to_owned),
                    set_at: one.last_modified_date().and_then(timestamp),
                };
                Some((one.name()?.to_owned(), put))
            }));
        }
    }
    Ok(found)
}

/// How far DR's bucket is behind, by what S3 publishes for a rule.
///
/// Latency is "published in the Region of the destination bucket". Of failures that is not verified, so both regions are asked; what
/// either has counts.
pub async fn bucket(session: &Session, primary: &Look<String>, copied: &wanted::Bucket, now: Timestamp) -> Bucket {
    let wanted::Bucket { source, destination, rule } = copied;
    let dimensions = [("SourceBucket", source.as_str()), ("DestinationBucket", destination), ("RuleId", rule)];
    let series =
        |metric, stat, lookback| Series { namespace: "AWS/S3", metric, dimensions: &dimensions, stat, lookback };
    let latency = series("ReplicationLatency", "Maximum", SignedDuration::from_hours(1));
    let behind_seconds = values(session, &latency, now).await.map(|values| values.into_iter().max());
    let failures = series("OperationsFailedReplication", "Sum", SignedDuration::from_hours(24));
    let mut failed = values(session, &failures, now).await;
    if let Ok(region) = primary
        && failed.as_ref().is_ok_and(Vec::is_empty)
    {
        failed = values(&session.in_region(region), &failures, now).await;
    }
    let failed = failed.map(|values| (!values.is_empty()).then(|| values.iter().sum()));
    Bucket { source: source.clone(), destination: destination.clone(), behind_seconds, failed }
}
