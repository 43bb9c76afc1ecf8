//! RDS: the state of replicas, and their promotion.

mod global;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbCluster, DbClusterMember, DbInstance, Filter, Tag, VpcSecurityGroupMembership};
use aws_smithy_types::DateTime;
use failover::fence::{Groups, Membership, Note, OldWriter};
use failover::plan::ReplicaId;
use failover::promotion::{Allows, Database, Instances, PromotionCall, ReplicaState, Source};
use jiff::Timestamp;

use crate::error::CallError;
use crate::session::Session;

/// Someone who can look at databases.
pub trait ReplicaReader {
    /// What RDS says of a replica now.
    async fn state(&self, replica: &ReplicaId) -> Result<ReplicaState, CallError>;
}

/// Someone who can promote databases.
pub trait ReplicaWriter {
    /// Asks RDS to promote a replica. RDS refuses what is no replica, or not available; it never promotes twice.
    async fn promote(&self, call: &PromotionCall) -> Result<(), CallError>;
}

/// Someone who can look at the writers in the primary region.
pub trait OldWriterReader {
    /// What RDS says of one now.
    async fn old_writer(&self, database: &ReplicaId) -> Result<OldWriter, CallError>;
}

/// Someone who can cut databases off.
pub trait FenceWriter {
    /// Puts a note on record, as tags.
    async fn note(&self, arn: &str, note: &Note) -> Result<(), CallError>;
    /// Gives a database these security groups, and no others.
    async fn set_groups(&self, database: &ReplicaId, groups: &BTreeSet<String>) -> Result<(), CallError>;
    /// Reboots an instance.
    async fn reboot(&self, instance: &str) -> Result<(), CallError>;
}

/// Looks at databases and holds nothing that can write.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
}

/// Promotes databases.
#[derive(Clone, Debug)]
pub struct Writer {
    client: Client,
}

/// A client with the session's settings.
pub(crate) fn client(session: &Session) -> Client {
    let config = aws_sdk_rds::config::Builder::from(session.config())
        .retry_partition(session.retries())
        .interceptor(session.clock().clone());
    Client::from_conf(config.build())
}

impl Reader {
    /// A reader with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: client(session) }
    }

    /// A cluster; with `global` by its place in that global database.
    async fn cluster(&self, id: &str, global: Option<&str>) -> Result<ReplicaState, CallError> {
        let answer = match self.client.describe_db_clusters().db_cluster_identifier(id).send().await {
            Ok(answer) => answer,
            Err(error) => return missing_or(CallError::of("DescribeDBClusters", error), "DBClusterNotFoundFault"),
        };
        let Some(cluster) = answer.db_clusters().first() else { return Ok(ReplicaState::Missing) };
        let source = match global {
            Some(global) => self.place(global, cluster.db_cluster_arn().unwrap_or_default()).await?,
            None => cluster_source(cluster),
        };
        let named_writers: Vec<_> = members(cluster, |member| member.is_cluster_writer() == Some(true));
        let instances = self.instances(id, &named_writers).await?;
        // A replica cluster's writer alone reports its binlog lag, if RDS says which that is.
        let members = if named_writers.is_empty() { members(cluster, |_| true) } else { named_writers };
        Ok(ReplicaState::Present(Database {
            status: cluster.status().unwrap_or_default().to_owned(),
            source,
            instances,
            created: cluster.cluster_create_time().and_then(timestamp),
            engine: cluster.engine().unwrap_or_default().to_owned(),
            members,
        }))
    }

    /// Which of a cluster's instances work, since its own status does not say.
    async fn instances(&self, cluster: &str, writers: &[String]) -> Result<Instances, CallError> {
        let filter = Filter::builder().name("db-cluster-id").values(cluster).build();
        let answer = self
            .client
            .describe_db_instances()
            .filters(filter)
            .send()
            .await
            .map_err(|error| CallError::of("DescribeDBInstances", error))?;
        let working = answer.db_instances().iter().filter(|instance| works(instance));
        let rank = |instance: &DbInstance| match instance.db_instance_identifier() {
            Some(id) if writers.iter().any(|writer| writer == id) => Instances::Writer,
            _ => Instances::Reader,
        };
        Ok(working.map(rank).max().unwrap_or(Instances::None))
    }

    async fn instance(&self, id: &str) -> Result<ReplicaState, CallError> {
        let answer = match self.client.describe_db_instances().db_instance_identifier(id).send().await {
            Ok(answer) => answer,
            Err(error) => return missing_or(CallError::of("DescribeDBInstances", error), "DBInstanceNotFound"),
        };
        let Some(instance) = answer.db_instances().first() else { return Ok(ReplicaState::Missing) };
        Ok(ReplicaState::Present(Database {
            status: instance.db_instance_status().unwrap_or_default().to_owned(),
            source: instance_source(instance),
            instances: if works(instance) { Instances::Writer } else { Instances::None },
            created: instance.instance_create_time().and_then(timestamp),
            engine: instance.engine().unwrap_or_default().to_owned(),
            members: Vec::new(),
        }))
    }
}

fn works(instance: &DbInstance) -> bool {
    Allows::of(instance.db_instance_status().unwrap_or_default()).takes_writes()
}

fn members(cluster: &DbCluster, which: impl Fn(&DbClusterMember) -> bool) -> Vec<String> {
    let members = cluster.db_cluster_members().iter().filter(|member| which(member));
    members.filter_map(|member| member.db_instance_identifier().map(str::to_owned)).collect()
}

/// A secondary cluster of a global database names no binlog source.
pub(crate) fn cluster_source(cluster: &DbCluster) -> Source {
    match (named(cluster.global_cluster_identifier()), named(cluster.replication_source_identifier())) {
        (Some(global), _) => Source::Global(global),
        (None, Some(source)) => Source::ReplicaOf(source),
        (None, None) => Source::NoneNamed,
    }
}

/// An instance may be a replica of another instance, or of a Multi-AZ DB cluster; a cluster's own instances name neither.
pub(crate) fn instance_source(instance: &DbInstance) -> Source {
    let source = named(instance.read_replica_source_db_instance_identifier())
        .or_else(|| named(instance.read_replica_source_db_cluster_identifier()));
    match (named(instance.db_cluster_identifier()), source) {
        (Some(cluster), _) => Source::MemberOf(cluster),
        (None, Some(source)) => Source::ReplicaOf(source),
        (None, None) => Source::NoneNamed,
    }
}

impl Reader {
    /// When a database was created; `None` if there is no such database.
    ///
    /// # Errors
    /// If RDS does not say.
    pub async fn created(&self, database: &ReplicaId) -> Result<Option<Timestamp>, CallError> {
        let (answer, code) = match database {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                let answer = self.client.describe_db_clusters().db_cluster_identifier(id).send().await;
                let answer = answer.map_err(|error| CallError::of("DescribeDBClusters", error));
                let created =
                    answer.map(|it| it.db_clusters().first().and_then(|one| one.cluster_create_time().copied()));
                (created, "DBClusterNotFoundFault")
            }
            ReplicaId::RdsInstance(id) => {
                let answer = self.client.describe_db_instances().db_instance_identifier(id).send().await;
                let answer = answer.map_err(|error| CallError::of("DescribeDBInstances", error));
                let created =
                    answer.map(|it| it.db_instances().first().and_then(|one| one.instance_create_time().copied()));
                (created, "DBInstanceNotFound")
            }
        };
        match answer {
            Ok(created) => Ok(created.as_ref().and_then(timestamp)),
            Err(error) => missing_or(error, code).map(|_| None),
        }
    }
}

impl ReplicaReader for Reader {
    async fn state(&self, replica: &ReplicaId) -> Result<ReplicaState, CallError> {
        match replica {
            ReplicaId::AuroraCluster(id) => self.cluster(id, None).await,
            ReplicaId::GlobalMember { global, cluster } => self.cluster(cluster, Some(global)).await,
            ReplicaId::RdsInstance(id) => self.instance(id).await,
        }
    }
}

impl Writer {
    /// A writer with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: client(session) }
    }
}

impl ReplicaWriter for Writer {
    async fn promote(&self, call: &PromotionCall) -> Result<(), CallError> {
        match call {
            PromotionCall::Cluster(id) => {
                let call = self.client.promote_read_replica_db_cluster().db_cluster_identifier(id);
                call.send().await.map(drop).map_err(|error| CallError::of("PromoteReadReplicaDBCluster", error))
            }
            PromotionCall::Global { global, arn, .. } => self.fail_over_global(global, arn).await,
            PromotionCall::Instance(id) => {
                let call = self.client.promote_read_replica().db_instance_identifier(id);
                call.send().await.map(drop).map_err(|error| CallError::of("PromoteReadReplica", error))
            }
        }
    }
}

impl OldWriterReader for Reader {
    async fn old_writer(&self, database: &ReplicaId) -> Result<OldWriter, CallError> {
        match database {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => self.old_cluster(id).await,
            ReplicaId::RdsInstance(id) => self.old_instance(id).await,
        }
    }
}

impl Reader {
    async fn old_cluster(&self, id: &str) -> Result<OldWriter, CallError> {
        let answer = match self.client.describe_db_clusters().db_cluster_identifier(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = CallError::of("DescribeDBClusters", error);
                return missing_or(error, "DBClusterNotFoundFault").map(|_| OldWriter::Missing);
            }
        };
        let Some(cluster) = answer.db_clusters().first() else { return Ok(OldWriter::Missing) };
        if let Some(global) = named(cluster.global_cluster_identifier()) {
            return Ok(OldWriter::InGlobal(global));
        }
        let members = cluster.db_cluster_members().iter();
        let writers = members.filter(|member| member.is_cluster_writer() == Some(true));
        Ok(OldWriter::Present {
            arn: cluster.db_cluster_arn().unwrap_or_default().to_owned(),
            created: cluster.cluster_create_time().and_then(timestamp),
            status: cluster.status().unwrap_or_default().to_owned(),
            groups: groups(cluster.vpc_security_groups()),
            writers: writers.filter_map(|member| member.db_instance_identifier().map(str::to_owned)).collect(),
            note: Note::of_tags(&tags(cluster.tag_list())),
        })
    }

    async fn old_instance(&self, id: &str) -> Result<OldWriter, CallError> {
        let answer = match self.client.describe_db_instances().db_instance_identifier(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = CallError::of("DescribeDBInstances", error);
                return missing_or(error, "DBInstanceNotFound").map(|_| OldWriter::Missing);
            }
        };
        let Some(instance) = answer.db_instances().first() else { return Ok(OldWriter::Missing) };
        Ok(OldWriter::Present {
            arn: instance.db_instance_arn().unwrap_or_default().to_owned(),
            created: instance.instance_create_time().and_then(timestamp),
            status: instance.db_instance_status().unwrap_or_default().to_owned(),
            groups: groups(instance.vpc_security_groups()),
            writers: vec![id.to_owned()],
            note: Note::of_tags(&tags(instance.tag_list())),
        })
    }
}

/// Without a status nobody knows that a group decides anything.
fn groups(memberships: &[VpcSecurityGroupMembership]) -> Groups {
    let group = |group: &VpcSecurityGroupMembership| {
        let id = group.vpc_security_group_id()?.to_owned();
        Some((id, Membership::of(group.status().unwrap_or_default())))
    };
    memberships.iter().filter_map(group).collect()
}

pub(crate) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect()
}

impl FenceWriter for Writer {
    async fn note(&self, arn: &str, note: &Note) -> Result<(), CallError> {
        let tags = note.tags().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self.client.add_tags_to_resource().resource_name(arn).set_tags(Some(tags));
        call.send().await.map(drop).map_err(|error| CallError::of("AddTagsToResource", error))
    }

    async fn set_groups(&self, database: &ReplicaId, groups: &BTreeSet<String>) -> Result<(), CallError> {
        let groups = Some(groups.iter().cloned().collect());
        match database {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                let call = self.client.modify_db_cluster().db_cluster_identifier(id).set_vpc_security_group_ids(groups);
                let sent = call.apply_immediately(true).send().await;
                sent.map(drop).map_err(|error| CallError::of("ModifyDBCluster", error))
            }
            ReplicaId::RdsInstance(id) => {
                let call =
                    self.client.modify_db_instance().db_instance_identifier(id).set_vpc_security_group_ids(groups);
                let sent = call.apply_immediately(true).send().await;
                sent.map(drop).map_err(|error| CallError::of("ModifyDBInstance", error))
            }
        }
    }

    async fn reboot(&self, instance: &str) -> Result<(), CallError> {
        let sent = self.client.reboot_db_instance().db_instance_identifier(instance).send().await;
        sent.map(drop).map_err(|error| CallError::of("RebootDBInstance", error))
    }
}

fn named(source: Option<&str>) -> Option<String> {
    source.filter(|source| !source.is_empty()).map(str::to_owned)
}

fn missing_or(error: CallError, code: &str) -> Result<ReplicaState, CallError> {
    if is_absent(&error, code) { Ok(ReplicaState::Missing) } else { Err(error) }
}

/// Both spellings are on the wire: the code of the instance fault has no "Fault".
pub(crate) fn is_absent(error: &CallError, code: &str) -> bool {
    error.is_refused_with(code) || error.is_refused_with(code.trim_end_matches("Fault"))
}

/// RDS's times, to the second.
pub(crate) fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_names_a_source_of_an_instance_is_read() {
        let instance = || DbInstance::builder().db_instance_identifier("orders-dr").db_instance_status("available");
        let replica = |of: &str| Source::ReplicaOf(of.to_owned());
        let cases = [
            (instance(), Source::NoneNamed),
            (instance().read_replica_source_db_instance_identifier(""), Source::NoneNamed),
            (instance().read_replica_source_db_instance_identifier("orders"), replica("orders")),
            (instance().read_replica_source_db_cluster_identifier("arn:of:cluster"), replica("arn:of:cluster")),
            (instance().db_cluster_identifier("app"), Source::MemberOf("app".to_owned())),
        ];
        for (instance, source) in cases {
            assert_eq!(instance_source(&instance.build()), source);
        }
    }

    #[test]
    fn a_cluster_of_a_global_database_is_no_binlog_replica() {
        let cluster = DbCluster::builder;
        let cases = [
            (cluster(), Source::NoneNamed),
            (cluster().replication_source_identifier("arn"), Source::ReplicaOf("arn".to_owned())),
            (cluster().global_cluster_identifier("world"), Source::Global("world".to_owned())),
        ];
        for (cluster, source) in cases {
            assert_eq!(cluster_source(&cluster.build()), source);
        }
    }
}
