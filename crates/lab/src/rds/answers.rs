//! RDS's answers in XML.

use jiff::Timestamp;
use serde::Serialize;

use super::database::Key;
use super::model::{Access, Cluster, Event, Instance};
use super::state::State;

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $member:literal, $of:ty) => {
        $(#[$doc])*
        #[derive(Debug, Serialize)]
        pub(super) struct $name {
            #[serde(rename = $member)]
            pub items: Vec<$of>,
        }
    };
}

list!(Clusters, "DBCluster", DbCluster);
list!(Instances, "DBInstance", DbInstance);
list!(Events, "Event", DbEvent);
list!(Members, "DBClusterMember", Member);
list!(ClusterReplicas, "ReadReplicaIdentifier", String);
list!(InstanceReplicas, "ReadReplicaDBInstanceIdentifier", String);
list!(Categories, "EventCategory", &'static str);
list!(Groups, "VpcSecurityGroupMembership", Group);
list!(Tags, "Tag", Tag);

/// The answer of calls that have nothing to say.
#[derive(Debug, Serialize)]
pub(super) struct Done {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Group {
    vpc_security_group_id: String,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

fn groups(access: &Access) -> Groups {
    let group = |id: &String| Group { vpc_security_group_id: id.clone(), status: "active" };
    Groups { items: access.groups.iter().map(group).collect() }
}

fn tags(access: &Access) -> Tags {
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Tags { items: access.tags.iter().map(tag).collect() }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribedClusters {
    #[serde(rename = "DBClusters")]
    pub clusters: Clusters,
}

#[derive(Debug, Serialize)]
pub(super) struct DescribedInstances {
    #[serde(rename = "DBInstances")]
    pub instances: Instances,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribedEvents {
    pub events: Events,
}

#[derive(Debug, Serialize)]
pub(super) struct OneCluster {
    #[serde(rename = "DBCluster")]
    pub cluster: DbCluster,
}

#[derive(Debug, Serialize)]
pub(super) struct OneInstance {
    #[serde(rename = "DBInstance")]
    pub instance: DbInstance,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DbCluster {
    #[serde(rename = "DBClusterIdentifier")]
    id: String,
    #[serde(rename = "DBClusterArn")]
    arn: String,
    status: &'static str,
    engine: String,
    cluster_create_time: String,
    endpoint: String,
    reader_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_source_identifier: Option<String>,
    read_replica_identifiers: ClusterReplicas,
    #[serde(rename = "DBClusterMembers")]
    members: Members,
    vpc_security_groups: Groups,
    tag_list: Tags,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Member {
    #[serde(rename = "DBInstanceIdentifier")]
    id: String,
    is_cluster_writer: bool,
    promotion_tier: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DbInstance {
    #[serde(rename = "DBInstanceIdentifier")]
    id: String,
    #[serde(rename = "DBInstanceArn")]
    arn: String,
    #[serde(rename = "DBInstanceClass")]
    class: String,
    #[serde(rename = "DBInstanceStatus")]
    status: &'static str,
    engine: String,
    instance_create_time: String,
    endpoint: Endpoint,
    #[serde(rename = "DBClusterIdentifier", skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    #[serde(rename = "ReadReplicaSourceDBInstanceIdentifier", skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(rename = "ReadReplicaDBInstanceIdentifiers")]
    replicas: InstanceReplicas,
    vpc_security_groups: Groups,
    tag_list: Tags,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    address: String,
    port: u16,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DbEvent {
    source_identifier: String,
    source_type: &'static str,
    message: &'static str,
    event_categories: Categories,
    date: String,
    source_arn: String,
}

fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

pub(super) fn cluster(state: &State, (region, id): &Key, cluster: &Cluster) -> DbCluster {
    let replicas = state.clusters.values().filter(|other| other.source.as_ref() == Some(&cluster.arn));
    let member = |(n, id): (usize, &String)| Member { id: id.clone(), is_cluster_writer: n == 0, promotion_tier: 1 };
    DbCluster {
        id: id.clone(),
        arn: cluster.arn.clone(),
        status: cluster.status.as_str(),
        engine: cluster.engine.clone(),
        cluster_create_time: date(cluster.created),
        endpoint: format!("{id}.cluster-lab.{region}.rds.amazonaws.com"),
        reader_endpoint: format!("{id}.cluster-ro-lab.{region}.rds.amazonaws.com"),
        replication_source_identifier: cluster.source.clone(),
        read_replica_identifiers: ClusterReplicas { items: replicas.map(|replica| replica.arn.clone()).collect() },
        members: Members { items: cluster.members.iter().enumerate().map(member).collect() },
        vpc_security_groups: groups(&cluster.access),
        tag_list: tags(&cluster.access),
    }
}

pub(super) fn instance(state: &State, (region, id): &Key, instance: &Instance) -> DbInstance {
    let replicas = state.instances.values().filter(|other| other.source.as_ref() == Some(&instance.arn));
    DbInstance {
        id: id.clone(),
        arn: instance.arn.clone(),
        class: instance.class.clone(),
        status: instance.status.as_str(),
        engine: instance.engine.clone(),
        instance_create_time: date(instance.created),
        endpoint: Endpoint { address: format!("{id}.lab.{region}.rds.amazonaws.com"), port: 3306 },
        cluster: instance.cluster.clone(),
        source: instance.source.clone(),
        replicas: InstanceReplicas { items: replicas.map(|replica| replica.arn.clone()).collect() },
        vpc_security_groups: groups(&instance.access),
        tag_list: tags(&instance.access),
    }
}

pub(super) fn event(event: &Event) -> DbEvent {
    DbEvent {
        source_identifier: event.id.clone(),
        source_type: event.source_type(),
        message: event.message,
        event_categories: Categories { items: vec![event.category] },
        date: date(event.at),
        source_arn: event.arn.clone(),
    }
}
