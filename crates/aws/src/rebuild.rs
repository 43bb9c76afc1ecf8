//! What a failback creates and renames: replicas in another region.

use aws_sdk_rds::Client;
use failover::plan::ReplicaId;
use failover::rebuild::Standing;

use crate::error::CallError;
use crate::rds::{client, is_absent, timestamp};
use crate::session::Session;

/// What a replica takes over from its source, and where it is put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The source's ARN.
    pub arn: String,
    /// Its engine, and its version.
    pub engine: (String, String),
    /// Its writer's instance class.
    pub class: String,
    /// Whether its storage is encrypted: then the replica needs a key of its own region.
    pub is_encrypted: bool,
}

/// What only people know of the region the replica is made in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Instance class, if not the source's.
    pub class: Option<String>,
    /// DB subnet group.
    pub subnet_group: Option<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Parameter group of the cluster, or of the instance: one with binlog on, or nothing can replicate from it later.
    pub parameter_group: Option<String>,
    /// KMS key of that region.
    pub kms_key: Option<String>,
}

/// Creates and renames databases in one region.
#[derive(Clone, Debug)]
pub struct Builder {
    client: Client,
}

impl Builder {
    /// For the session's region.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: client(session) }
    }

    /// What stands under an identifier.
    ///
    /// # Errors
    /// If RDS does not say.
    pub async fn standing(&self, database: &ReplicaId) -> Result<Standing, CallError> {
        match database {
            ReplicaId::AuroraCluster(id) => self.cluster_standing(id).await,
            ReplicaId::RdsInstance(id) => {
                let Some(instance) = self.instance(id).await? else { return Ok(Standing::Nothing) };
                let status = instance.db_instance_status().unwrap_or_default().to_owned();
                Ok(Standing::Database {
                    is_up: status == "available",
                    status,
                    source: instance.read_replica_source_db_instance_identifier().map(str::to_owned),
                    created: instance.instance_create_time().and_then(timestamp),
                    instances: vec![id.clone()],
                })
            }
        }
    }

    async fn cluster_standing(&self, id: &str) -> Result<Standing, CallError> {
        let Some(cluster) = self.cluster(id).await? else { return Ok(Standing::Nothing) };
        let members = cluster.db_cluster_members().iter();
        let instances: Vec<_> =
            members.filter_map(|member| member.db_instance_identifier().map(str::to_owned)).collect();
        let mut is_up = false;
        for instance in &instances {
            let found = self.instance(instance).await?;
            is_up |= found.is_some_and(|instance| instance.db_instance_status() == Some("available"));
        }
        Ok(Standing::Database {
            status: cluster.status().unwrap_or_default().to_owned(),
            source: cluster.replication_source_identifier().filter(|it| !it.is_empty()).map(str::to_owned),
            created: cluster.cluster_create_time().and_then(timestamp),
            instances,
            is_up,
        })
    }

    /// What a replica of this database takes over from it; `None` if there is no such database.
    ///
    /// # Errors
    /// If RDS does not say.
    pub async fn pattern(&self, database: &ReplicaId) -> Result<Option<Pattern>, CallError> {
        match database {
            ReplicaId::AuroraCluster(id) => {
                let Some(cluster) = self.cluster(id).await? else { return Ok(None) };
                let members = cluster.db_cluster_members().iter();
                let writer = members
                    .filter(|it| it.is_cluster_writer() == Some(true))
                    .find_map(|it| it.db_instance_identifier());
                let writer = match writer {
                    Some(id) => self.instance(id).await?,
                    None => None,
                };
                let class = writer.and_then(|writer| writer.db_instance_class().map(str::to_owned));
                Ok(Some(Pattern {
                    arn: cluster.db_cluster_arn().unwrap_or_default().to_owned(),
                    engine: engine(cluster.engine(), cluster.engine_version()),
                    class: class.unwrap_or_default(),
                    is_encrypted: cluster.storage_encrypted() == Some(true),
                }))
            }
            ReplicaId::RdsInstance(id) => Ok(self.instance(id).await?.map(|instance| Pattern {
                arn: instance.db_instance_arn().unwrap_or_default().to_owned(),
                engine: engine(instance.engine(), instance.engine_version()),
                class: instance.db_instance_class().unwrap_or_default().to_owned(),
                is_encrypted: instance.storage_encrypted() == Some(true),
            })),
        }
    }

    /// Creates a replica; a cluster still needs an instance.
    ///
    /// # Errors
    /// If RDS does not take it.
    pub async fn create(&self, id: &ReplicaId, of: &Pattern, placement: &Placement) -> Result<(), CallError> {
        let groups = Some(placement.security_groups.clone()).filter(|groups| !groups.is_empty());
        let Placement { subnet_group, parameter_group, kms_key, .. } = placement.clone();
        match id {
            ReplicaId::AuroraCluster(id) => {
                let call =
                    self.client.create_db_cluster().db_cluster_identifier(id).replication_source_identifier(&of.arn);
                let call = call.engine(&of.engine.0).set_engine_version(some(&of.engine.1));
                let call = call.set_db_subnet_group_name(subnet_group).set_vpc_security_group_ids(groups);
                let call = call.set_db_cluster_parameter_group_name(parameter_group).set_kms_key_id(kms_key);
                let sent = call.set_storage_encrypted(of.is_encrypted.then_some(true)).send().await;
                sent.map(drop).map_err(|error| CallError::of("CreateDBCluster", error))
            }
            ReplicaId::RdsInstance(id) => {
                let call = self.client.create_db_instance_read_replica().db_instance_identifier(id);
                let call = call.source_db_instance_identifier(&of.arn);
                let class = placement.class.clone().or_else(|| some(&of.class));
                let call = call.set_db_instance_class(class).set_db_subnet_group_name(subnet_group);
                let call = call.set_vpc_security_group_ids(groups).set_db_parameter_group_name(parameter_group);
                let sent = call.set_kms_key_id(kms_key).send().await;
                sent.map(drop).map_err(|error| CallError::of("CreateDBInstanceReadReplica", error))
            }
        }
    }

    /// Gives a cluster an instance.
    ///
    /// # Errors
    /// If RDS does not take it.
    pub async fn add_instance(
        &self,
        cluster: &str,
        id: &str,
        of: &Pattern,
        placement: &Placement,
    ) -> Result<(), CallError> {
        let call = self.client.create_db_instance().db_instance_identifier(id).db_cluster_identifier(cluster);
        let class = placement.class.clone().or_else(|| some(&of.class));
        let sent = call.engine(&of.engine.0).set_db_instance_class(class).send().await;
        sent.map(drop).map_err(|error| CallError::of("CreateDBInstance", error))
    }

    /// Gives a database another identifier.
    ///
    /// # Errors
    /// If RDS does not take it.
    pub async fn rename(&self, database: &ReplicaId, to: &str) -> Result<(), CallError> {
        match database {
            ReplicaId::AuroraCluster(id) => {
                let call = self.client.modify_db_cluster().db_cluster_identifier(id).new_db_cluster_identifier(to);
                let sent = call.apply_immediately(true).send().await;
                sent.map(drop).map_err(|error| CallError::of("ModifyDBCluster", error))
            }
            ReplicaId::RdsInstance(id) => {
                let call = self.client.modify_db_instance().db_instance_identifier(id).new_db_instance_identifier(to);
                let sent = call.apply_immediately(true).send().await;
                sent.map(drop).map_err(|error| CallError::of("ModifyDBInstance", error))
            }
        }
    }

    async fn cluster(&self, id: &str) -> Result<Option<aws_sdk_rds::types::DbCluster>, CallError> {
        match self.client.describe_db_clusters().db_cluster_identifier(id).send().await {
            Ok(answer) => Ok(answer.db_clusters.unwrap_or_default().into_iter().next()),
            Err(error) => absent_or(CallError::of("DescribeDBClusters", error), "DBClusterNotFoundFault"),
        }
    }

    async fn instance(&self, id: &str) -> Result<Option<aws_sdk_rds::types::DbInstance>, CallError> {
        match self.client.describe_db_instances().db_instance_identifier(id).send().await {
            Ok(answer) => Ok(answer.db_instances.unwrap_or_default().into_iter().next()),
            Err(error) => absent_or(CallError::of("DescribeDBInstances", error), "DBInstanceNotFound"),
        }
    }
}

fn engine(name: Option<&str>, version: Option<&str>) -> (String, String) {
    (name.unwrap_or_default().to_owned(), version.unwrap_or_default().to_owned())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn absent_or<T>(error: CallError, code: &str) -> Result<Option<T>, CallError> {
    if is_absent(&error, code) { Ok(None) } else { Err(error) }
}
