//! RDS's answers in XML.

use jiff::Timestamp;
use serde::Serialize;

use super::database::Key;
use super::model::{Access, Cluster, Event, Instance, cluster_key, instance_key};
use super::settings::Settings;
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
list!(ParameterGroups, "DBParameterGroup", ParameterGroup);
list!(OptionGroups, "OptionGroupMembership", OptionGroup);
list!(StatusInfos, "DBInstanceStatusInfo", StatusInfo);

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
pub(super) struct ParameterGroup {
    #[serde(rename = "DBParameterGroupName")]
    name: String,
    parameter_apply_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptionGroup {
    option_group_name: String,
    status: &'static str,
}

/// "The status of a read replica. If the DB instance isn't a read replica, the value is blank."
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StatusInfo {
    status_type: &'static str,
    normal: bool,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubnetGroup {
    #[serde(rename = "DBSubnetGroupName")]
    name: String,
    subnet_group_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Scaling {
    min_capacity: f64,
    max_capacity: f64,
}

/// What both describes tell of the settings alike.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Common {
    engine: String,
    engine_version: String,
    master_username: &'static str,
    #[serde(rename = "IAMDatabaseAuthenticationEnabled")]
    iam_authentication: bool,
    deletion_protection: bool,
    #[serde(rename = "MultiAZ")]
    multi_az: bool,
    backup_retention_period: u32,
    storage_encrypted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
}

impl Common {
    fn of(settings: &Settings, region: &str) -> Self {
        // A describe gives the key's ARN, whatever it was called by.
        let key = settings.kms_key.as_ref().map(|key| match key.starts_with("arn:") {
            true => key.clone(),
            false => {
                crate::arn::arn("kms", region, &format!("key/{}", key.trim_start_matches("alias/").replace('/', "-")))
            }
        });
        Self {
            engine: settings.engine.clone(),
            engine_version: settings.engine_version.clone(),
            master_username: "master",
            iam_authentication: settings.iam_authentication,
            deletion_protection: settings.deletion_protection,
            multi_az: settings.multi_az,
            backup_retention_period: settings.backup_retention_days,
            storage_encrypted: key.is_some(),
            kms_key_id: key,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

fn groups(access: &Access) -> Groups {
    let groups = access.groups.iter();
    let group = groups.map(|group| Group { vpc_security_group_id: group.id.clone(), status: group.status.as_str() });
    Groups { items: group.collect() }
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
    #[serde(flatten)]
    common: Common,
    engine_mode: &'static str,
    port: u16,
    #[serde(rename = "DBClusterParameterGroup")]
    parameter_group: String,
    #[serde(rename = "DBSubnetGroup")]
    subnet_group: String,
    #[serde(rename = "ServerlessV2ScalingConfiguration", skip_serializing_if = "Option::is_none")]
    scaling: Option<Scaling>,
    cluster_create_time: String,
    endpoint: String,
    reader_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_source_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    global_cluster_identifier: Option<String>,
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
    #[serde(flatten)]
    common: Common,
    #[serde(rename = "DBParameterGroups")]
    parameter_groups: ParameterGroups,
    option_group_memberships: OptionGroups,
    #[serde(rename = "DBSubnetGroup")]
    subnet_group: SubnetGroup,
    status_infos: StatusInfos,
    instance_create_time: String,
    endpoint: Endpoint,
    #[serde(rename = "DBClusterIdentifier", skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    #[serde(rename = "ReadReplicaSourceDBInstanceIdentifier", skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(rename = "ReadReplicaSourceDBClusterIdentifier", skip_serializing_if = "Option::is_none")]
    source_cluster: Option<String>,
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

pub(super) fn cluster(state: &State, key: &Key, cluster: &Cluster) -> DbCluster {
    let (region, id) = key;
    let replicas = state.clusters.values().filter(|other| other.source.as_ref() == Some(&cluster.arn));
    // A secondary cluster of a global database has none; what a replica cluster says of its first is not documented.
    let has_writer = state.global_of(key).is_none_or(|(_, global)| global.writer == *key);
    let member = |(n, id): (usize, &String)| Member {
        id: id.clone(),
        is_cluster_writer: n == 0 && has_writer,
        promotion_tier: 1,
    };
    let settings = &cluster.settings;
    DbCluster {
        id: id.clone(),
        arn: cluster.arn.clone(),
        status: cluster.status.as_str(),
        common: Common::of(settings, region),
        engine_mode: "provisioned",
        port: settings.port,
        parameter_group: settings.parameter_group.clone(),
        subnet_group: settings.subnet_group.clone(),
        scaling: settings.scaling.map(|given| Scaling { min_capacity: given.min, max_capacity: given.max }),
        cluster_create_time: date(cluster.created),
        endpoint: state.host(key, "cluster-lab"),
        reader_endpoint: state.host(key, "cluster-ro-lab"),
        replication_source_identifier: cluster.source.clone(),
        global_cluster_identifier: state.global_of(key).map(|(global, _)| global.clone()),
        read_replica_identifiers: ClusterReplicas { items: replicas.map(|replica| replica.arn.clone()).collect() },
        members: Members { items: cluster.members.iter().enumerate().map(member).collect() },
        vpc_security_groups: groups(&cluster.access),
        tag_list: tags(&cluster.access),
    }
}

pub(super) fn instance(state: &State, key: &Key, instance: &Instance) -> DbInstance {
    let (region, id) = key;
    // A real server is the whole cluster; its members are names.
    let of_cluster = instance.cluster.as_ref().map(|cluster| (region.clone(), cluster.clone()));
    let on_server = of_cluster.filter(|cluster| state.is_on_server(cluster));
    let address = state.host(on_server.as_ref().unwrap_or(key), "lab");
    let replicas = state.instances.values().filter(|other| other.source.as_ref() == Some(&instance.arn));
    let settings = &instance.settings;
    let parameters = ParameterGroup { name: settings.parameter_group.clone(), parameter_apply_status: "in-sync" };
    let options = OptionGroup { option_group_name: settings.option_group.clone(), status: "in-sync" };
    let (source, source_cluster) = match instance.source.as_deref() {
        Some(source) if cluster_key(source).is_some() => (None, Some(as_told(source, region))),
        source => (source.map(|source| as_told(source, region)), None),
    };
    DbInstance {
        id: id.clone(),
        arn: instance.arn.clone(),
        class: instance.class.clone(),
        status: instance.status.as_str(),
        common: Common::of(settings, region),
        parameter_groups: ParameterGroups { items: vec![parameters] },
        option_group_memberships: OptionGroups { items: vec![options] },
        subnet_group: SubnetGroup { name: settings.subnet_group.clone(), subnet_group_status: "Complete" },
        status_infos: StatusInfos { items: status_info(state, id, region, instance).into_iter().collect() },
        instance_create_time: date(instance.created),
        endpoint: Endpoint { address, port: settings.port },
        cluster: instance.cluster.clone(),
        source,
        source_cluster,
        replicas: InstanceReplicas { items: replicas.map(|replica| as_told(&replica.arn, region)).collect() },
        vpc_security_groups: groups(&instance.access),
        tag_list: tags(&instance.access),
    }
}

/// A source or a replica: its ARN where it is in another region, its bare identifier in the same.
fn as_told(arn: &str, region: &str) -> String {
    match instance_key(arn).or_else(|| cluster_key(arn)) {
        Some((of, id)) if of == region => id,
        _ => arn.to_owned(),
    }
}

/// "Status: … replicating, … error, stopped, or terminated" (DBInstanceStatusInfo). It ends with its source.
fn status_info(state: &State, id: &str, region: &str, instance: &Instance) -> Option<StatusInfo> {
    instance.source.as_ref()?;
    let database = state.databases.get(&(region.to_owned(), id.to_owned()))?;
    let (normal, status) = match &database.replication {
        None => (false, "terminated"),
        Some(replication) if replication.is_stopped => (false, "stopped"),
        Some(replication) if replication.connected() => (true, "replicating"),
        Some(_) => (false, "error"),
    };
    Some(StatusInfo { status_type: "read replication", normal, status })
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
