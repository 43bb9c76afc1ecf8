//! What a failback creates and renames: replicas in another region.

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{
    DbCluster, DbInstance, MasterUserSecret, ServerlessV2ScalingConfiguration, Tag, VpcSecurityGroupMembership,
};
use failover::fence::{Note, Stage};
use failover::plan::ReplicaId;
use failover::promotion::Source;
use failover::rebuild::{Settings, Standing};

use crate::error::CallError;
use crate::rds::{client, cluster_source, instance_source, is_absent, tags, timestamp};
use crate::session::Session;

/// What a replica takes over from its source, and where it is put.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pattern {
    /// The source's ARN.
    pub arn: String,
    /// Its engine, and its version.
    pub engine: (String, String),
    /// Its writer's instance class.
    pub class: String,
    /// Whether its storage is encrypted: then the replica needs a key of its own region.
    pub is_encrypted: bool,
    /// Where clients connect.
    pub endpoint: String,
    /// Its master user, if RDS says.
    pub user: Option<String>,
    /// The secret in which RDS keeps that user's password, if it manages it.
    pub secret: Option<String>,
    /// What it is set to.
    pub settings: Settings,
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
    /// DB capacity reservation there.
    pub capacity_reservation: Option<String>,
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
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                self.cluster_standing(id).await
            }
            ReplicaId::RdsInstance(id) => {
                let Some(instance) = self.instance(id).await? else { return Ok(Standing::Nothing) };
                let status = instance.db_instance_status().unwrap_or_default().to_owned();
                Ok(Standing::Database {
                    is_up: status == "available",
                    status,
                    source: replicated(instance_source(&instance)),
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
            source: replicated(cluster_source(&cluster)),
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
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                let Some(cluster) = self.cluster(id).await? else { return Ok(None) };
                let members = cluster.db_cluster_members().iter();
                let writer = members
                    .filter(|it| it.is_cluster_writer() == Some(true))
                    .find_map(|it| it.db_instance_identifier());
                let writer = match writer {
                    Some(id) => self.instance(id).await?,
                    None => None,
                };
                let class = writer.as_ref().and_then(|writer| writer.db_instance_class().map(str::to_owned));
                Ok(Some(Pattern {
                    arn: cluster.db_cluster_arn().unwrap_or_default().to_owned(),
                    engine: engine(cluster.engine(), cluster.engine_version()),
                    class: class.unwrap_or_default(),
                    is_encrypted: cluster.storage_encrypted() == Some(true),
                    endpoint: cluster.endpoint().unwrap_or_default().to_owned(),
                    user: cluster.master_username().map(str::to_owned),
                    secret: cluster.master_user_secret().and_then(managed),
                    settings: of_cluster(&cluster, writer.as_ref()),
                }))
            }
            ReplicaId::RdsInstance(id) => Ok(self.instance(id).await?.map(|instance| Pattern {
                arn: instance.db_instance_arn().unwrap_or_default().to_owned(),
                engine: engine(instance.engine(), instance.engine_version()),
                class: instance.db_instance_class().unwrap_or_default().to_owned(),
                is_encrypted: instance.storage_encrypted() == Some(true),
                endpoint: instance.endpoint().and_then(|it| it.address()).unwrap_or_default().to_owned(),
                user: instance.master_username().map(str::to_owned),
                secret: instance.master_user_secret().and_then(managed),
                settings: of_instance(&instance),
            })),
        }
    }

    /// Creates a replica, set up as the old database was; a cluster still needs an instance.
    ///
    /// # Errors
    /// If RDS does not take it.
    pub async fn create(
        &self,
        id: &ReplicaId,
        of: &Pattern,
        as_was: &Settings,
        placement: &Placement,
    ) -> Result<(), CallError> {
        let groups =
            [&placement.security_groups, &as_was.security_groups].into_iter().find(|groups| !groups.is_empty());
        let groups = groups.cloned();
        let subnet_group = placement.subnet_group.clone().or_else(|| as_was.subnet_group.clone());
        let parameter_group = placement.parameter_group.clone().or_else(|| as_was.parameter_group.clone());
        let kms_key = placement.kms_key.clone().or_else(|| as_was.kms_key.clone()).filter(|_| of.is_encrypted);
        match id {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                let call =
                    self.client.create_db_cluster().db_cluster_identifier(id).replication_source_identifier(&of.arn);
                let call = call.engine(&of.engine.0).set_engine_version(some(&of.engine.1));
                let call = call.set_db_subnet_group_name(subnet_group).set_vpc_security_group_ids(groups);
                let call = call.set_db_cluster_parameter_group_name(parameter_group).set_kms_key_id(kms_key);
                let call = call.set_port(as_was.port).set_deletion_protection(as_was.deletion_protection);
                let call = call.set_enable_iam_database_authentication(as_was.iam_authentication);
                let call = call.set_backup_retention_period(as_was.backup_days);
                // "You must set this attribute before you add a DB instance that uses the db.serverless DB instance class".
                let call = call.set_serverless_v2_scaling_configuration(as_was.serverless.map(|(least, most)| {
                    ServerlessV2ScalingConfiguration::builder().min_capacity(least).max_capacity(most).build()
                }));
                let sent = call.set_storage_encrypted(of.is_encrypted.then_some(true)).send().await;
                sent.map(drop).map_err(|error| CallError::of("CreateDBCluster", error))
            }
            ReplicaId::RdsInstance(id) => {
                let call = self.client.create_db_instance_read_replica().db_instance_identifier(id);
                let call = call.source_db_instance_identifier(&of.arn);
                let class = placement.class.clone().or_else(|| some(&of.class));
                let call = call.set_db_instance_class(class).set_db_subnet_group_name(subnet_group);
                let call = call.set_vpc_security_group_ids(groups).set_db_parameter_group_name(parameter_group);
                let call = call.set_port(as_was.port).set_deletion_protection(as_was.deletion_protection);
                let call = call.set_enable_iam_database_authentication(as_was.iam_authentication);
                let call = call.set_multi_az(as_was.multi_az).set_option_group_name(as_was.option_group.clone());
                let call = call.set_db_capacity_reservation_identifier(placement.capacity_reservation.clone());
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
        as_was: &Settings,
        placement: &Placement,
    ) -> Result<(), CallError> {
        let call = self.client.create_db_instance().db_instance_identifier(id).db_cluster_identifier(cluster);
        let class = placement.class.clone().or_else(|| some(&of.class));
        let call = call.engine(&of.engine.0).set_db_instance_class(class);
        let call = call.set_db_parameter_group_name(as_was.writer_parameter_group.clone());
        let call = call.set_db_capacity_reservation_identifier(placement.capacity_reservation.clone());
        call.send().await.map(drop).map_err(|error| CallError::of("CreateDBInstance", error))
    }

    /// Gives a database another identifier.
    ///
    /// # Errors
    /// If RDS does not take it.
    pub async fn rename(&self, database: &ReplicaId, to: &str) -> Result<(), CallError> {
        match database {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
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

    async fn cluster(&self, id: &str) -> Result<Option<DbCluster>, CallError> {
        match self.client.describe_db_clusters().db_cluster_identifier(id).send().await {
            Ok(answer) => Ok(answer.db_clusters.unwrap_or_default().into_iter().next()),
            Err(error) => absent_or(CallError::of("DescribeDBClusters", error), "DBClusterNotFoundFault"),
        }
    }

    async fn instance(&self, id: &str) -> Result<Option<DbInstance>, CallError> {
        match self.client.describe_db_instances().db_instance_identifier(id).send().await {
            Ok(answer) => Ok(answer.db_instances.unwrap_or_default().into_iter().next()),
            Err(error) => absent_or(CallError::of("DescribeDBInstances", error), "DBInstanceNotFound"),
        }
    }
}

fn of_cluster(cluster: &DbCluster, writer: Option<&DbInstance>) -> Settings {
    let serverless = cluster.serverless_v2_scaling_configuration();
    Settings {
        port: cluster.port(),
        iam_authentication: cluster.iam_database_authentication_enabled(),
        deletion_protection: cluster.deletion_protection(),
        multi_az: None,
        backup_days: cluster.backup_retention_period(),
        subnet_group: cluster.db_subnet_group().map(str::to_owned),
        parameter_group: cluster.db_cluster_parameter_group().map(str::to_owned),
        writer_parameter_group: writer.and_then(parameter_group),
        option_group: None,
        security_groups: security_groups(cluster.vpc_security_groups(), cluster.tag_list()),
        kms_key: cluster.kms_key_id().map(str::to_owned),
        serverless: serverless.and_then(|it| Some((it.min_capacity()?, it.max_capacity()?))),
        log_exports: cluster.enabled_cloudwatch_logs_exports().to_vec(),
        performance_insights: writer.and_then(DbInstance::performance_insights_enabled),
        monitoring_seconds: writer.and_then(DbInstance::monitoring_interval),
        instances: cluster.db_cluster_members().len(),
    }
}

fn of_instance(instance: &DbInstance) -> Settings {
    Settings {
        port: instance.endpoint().and_then(|endpoint| endpoint.port()),
        iam_authentication: instance.iam_database_authentication_enabled(),
        deletion_protection: instance.deletion_protection(),
        multi_az: instance.multi_az(),
        backup_days: instance.backup_retention_period(),
        subnet_group: instance.db_subnet_group().and_then(|group| group.db_subnet_group_name()).map(str::to_owned),
        parameter_group: parameter_group(instance),
        writer_parameter_group: None,
        option_group: instance
            .option_group_memberships()
            .first()
            .and_then(|it| it.option_group_name())
            .map(str::to_owned),
        security_groups: security_groups(instance.vpc_security_groups(), instance.tag_list()),
        kms_key: instance.kms_key_id().map(str::to_owned),
        serverless: None,
        log_exports: instance.enabled_cloudwatch_logs_exports().to_vec(),
        performance_insights: instance.performance_insights_enabled(),
        monitoring_seconds: instance.monitoring_interval(),
        instances: 1,
    }
}

/// Of what stands behind a fence, those that the fence's note keeps.
fn security_groups(memberships: &[VpcSecurityGroupMembership], tag_list: &[Tag]) -> Vec<String> {
    let note = Note::of_tags(&tags(tag_list)).filter(|note| note.stage != Stage::Lifted);
    let now = memberships.iter().filter_map(|group| group.vpc_security_group_id().map(str::to_owned));
    note.map_or_else(|| now.collect(), |note| note.original.into_iter().collect())
}

fn parameter_group(instance: &DbInstance) -> Option<String> {
    instance.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name()).map(str::to_owned)
}

fn managed(secret: &MasterUserSecret) -> Option<String> {
    secret.secret_arn().map(str::to_owned)
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

/// What a database replicates, in RDS's words or, where only a part of something larger does, in ours: no identifier is that.
fn replicated(source: Source) -> Option<String> {
    match source {
        Source::NoneNamed => None,
        Source::ReplicaOf(source) => Some(source),
        Source::Global(global) | Source::NotInGlobal(global) => Some(format!("the global cluster {global}")),
        Source::InGlobal(place) => Some(format!("the global cluster {}", place.global)),
        Source::MemberOf(cluster) => Some(format!("its own cluster {cluster}")),
    }
}
