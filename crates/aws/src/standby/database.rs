//! A replica and its source, as RDS and KMS describe them.

use std::collections::BTreeMap;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbCluster, DbInstance, Filter, Parameter};
use failover::plan::{ReplicaId, arn_database};
use failover::promotion::Source;
use failover::standby::Look;
use failover::standby::database::{Instance, Key, Replica, Server};

use crate::error::CallError;
use crate::rds::{Reader, client, cluster_source, instance_source, is_absent};
use crate::session::Session;

/// What people set, of all that a parameter group has.
const BY_PEOPLE: &str = "user";

/// A replica of the plan in the session's region, and its source, wherever that is.
pub async fn replica(session: &Session, id: &ReplicaId) -> Replica {
    let found = described(session, id).await.map_err(|error| error.to_string());
    let (dr, source) = match found {
        Err(why) => (Err(why.clone()), Err(why)),
        Ok(None) => (Ok(None), Err("there is no replica that would name it".to_owned())),
        Ok(Some(Described { server, source, key: of_storage })) => {
            // Only DR's must work: the source's is the primary region's own concern.
            let key = key(session, of_storage.as_deref()).await;
            (Ok(Some(Server { key, ..server })), source_of(session, id, &source).await)
        }
    };
    Replica { id: id.clone(), dr, source }
}

async fn source_of(session: &Session, id: &ReplicaId, source: &Source) -> Look<Server> {
    let arn = match (id, source) {
        (ReplicaId::GlobalMember { global, .. }, _) => {
            let writer = Reader::new(session).global_writer(global).await.map_err(|error| error.to_string())?;
            writer.ok_or_else(|| format!("no cluster of the global database {global} is said to be its primary"))?
        }
        (_, Source::ReplicaOf(arn)) => arn.clone(),
        (_, source) => return Err(format!("the database is {source}, so that nothing names its source")),
    };
    let (region, id) = arn_database(&arn).ok_or_else(|| format!("its source {arn} is in DR itself"))?;
    let found = described(&session.in_region(region), &id).await.map_err(|error| error.to_string())?;
    found.map(|found| found.server).ok_or_else(|| format!("RDS knows no {arn}"))
}

/// What RDS says of a cluster or an instance.
struct Described {
    /// All of it but the state of its key.
    server: Server,
    source: Source,
    key: Option<String>,
}

async fn described(session: &Session, id: &ReplicaId) -> Result<Option<Described>, CallError> {
    let client = client(session);
    match id {
        ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
            let found = client.describe_db_clusters().db_cluster_identifier(id).send().await;
            let cluster = match found.map_err(|error| CallError::of("DescribeDBClusters", error)) {
                Ok(answer) => answer.db_clusters.unwrap_or_default().into_iter().next(),
                Err(error) if is_absent(&error, "DBClusterNotFoundFault") => None,
                Err(error) => return Err(error),
            };
            let Some(cluster) = cluster else { return Ok(None) };
            let server = of_cluster(&client, id, &cluster).await?;
            Ok(Some(Described { server, source: cluster_source(&cluster), key: cluster.kms_key_id }))
        }
        ReplicaId::RdsInstance(id) => {
            let found = client.describe_db_instances().db_instance_identifier(id).send().await;
            let instance = match found.map_err(|error| CallError::of("DescribeDBInstances", error)) {
                Ok(answer) => answer.db_instances.unwrap_or_default().into_iter().next(),
                Err(error) if is_absent(&error, "DBInstanceNotFound") => None,
                Err(error) => return Err(error),
            };
            let Some(instance) = instance else { return Ok(None) };
            let server = of_instance(&client, &instance).await;
            Ok(Some(Described { server, source: instance_source(&instance), key: instance.kms_key_id }))
        }
    }
}

async fn of_cluster(client: &Client, id: &str, cluster: &DbCluster) -> Result<Server, CallError> {
    let filter = Filter::builder().name("db-cluster-id").values(id).build();
    let members = client.describe_db_instances().filters(filter).send().await;
    let members = members.map_err(|error| CallError::of("DescribeDBInstances", error))?;
    let is_writer = |instance: &DbInstance| {
        let of_it = |member: &&aws_sdk_rds::types::DbClusterMember| {
            member.db_instance_identifier() == instance.db_instance_identifier()
        };
        cluster.db_cluster_members().iter().find(of_it).and_then(|member| member.is_cluster_writer()) == Some(true)
    };
    let instances = members.db_instances().iter().map(|instance| Instance {
        id: instance.db_instance_identifier().unwrap_or_default().to_owned(),
        class: instance.db_instance_class().map(str::to_owned),
        is_writer: is_writer(instance),
    });
    let group = cluster.db_cluster_parameter_group();
    Ok(Server {
        status: cluster.status().map(str::to_owned),
        engine: cluster.engine().map(str::to_owned),
        version: cluster.engine_version().map(str::to_owned),
        instances: instances.collect(),
        acu_max: cluster.serverless_v2_scaling_configuration().and_then(|scaling| scaling.max_capacity()),
        parameter_group: group.map(str::to_owned),
        parameters: cluster_parameters(client, group).await,
        backup_days: cluster.backup_retention_period(),
        is_encrypted: cluster.storage_encrypted(),
        key: Err(NOT_ASKED.to_owned()),
    })
}

async fn of_instance(client: &Client, instance: &DbInstance) -> Server {
    let group = instance.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name());
    Server {
        status: instance.db_instance_status().map(str::to_owned),
        engine: instance.engine().map(str::to_owned),
        version: instance.engine_version().map(str::to_owned),
        instances: vec![Instance {
            id: instance.db_instance_identifier().unwrap_or_default().to_owned(),
            class: instance.db_instance_class().map(str::to_owned),
            is_writer: true,
        }],
        acu_max: None,
        parameter_group: group.map(str::to_owned),
        parameters: instance_parameters(client, group).await,
        backup_days: instance.backup_retention_period(),
        is_encrypted: instance.storage_encrypted(),
        key: Err(NOT_ASKED.to_owned()),
    }
}

const NOT_ASKED: &str = "KMS was not asked about the key";
const NO_GROUP: &str = "RDS names no parameter group";

async fn cluster_parameters(client: &Client, group: Option<&str>) -> Look<BTreeMap<String, String>> {
    let call = client.describe_db_cluster_parameters().db_cluster_parameter_group_name(group.ok_or(NO_GROUP)?);
    let found: Result<Vec<_>, _> = call.source(BY_PEOPLE).into_paginator().items().send().collect().await;
    found.map(set).map_err(|error| CallError::of("DescribeDBClusterParameters", error).to_string())
}

async fn instance_parameters(client: &Client, group: Option<&str>) -> Look<BTreeMap<String, String>> {
    let call = client.describe_db_parameters().db_parameter_group_name(group.ok_or(NO_GROUP)?);
    let found: Result<Vec<_>, _> = call.source(BY_PEOPLE).into_paginator().items().send().collect().await;
    found.map(set).map_err(|error| CallError::of("DescribeDBParameters", error).to_string())
}

fn set(parameters: Vec<Parameter>) -> BTreeMap<String, String> {
    let set = parameters
        .into_iter()
        .map(|it| (it.parameter_name.unwrap_or_default(), it.parameter_value.unwrap_or_default()));
    set.collect()
}

async fn key(session: &Session, id: Option<&str>) -> Look<Key> {
    let id = id.ok_or("RDS names no key")?;
    let config = aws_sdk_kms::config::Builder::from(session.config()).retry_partition(session.retries());
    let found = aws_sdk_kms::Client::from_conf(config.build()).describe_key().key_id(id).send().await;
    let found = found.map_err(|error| CallError::of("DescribeKey", error).to_string())?;
    let state = found.key_metadata().and_then(|key| key.key_state());
    Ok(Key { arn: id.to_owned(), state: state.map(|state| state.as_str().to_owned()) })
}
