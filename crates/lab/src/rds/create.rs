//! How clusters and instances come to be.

use jiff::{SignedDuration, Timestamp};

use super::database::{Database, Key};
use super::model::{
    Access, Cluster, Instance, Status, cluster_key, instance_exists, instance_key, key, no_cluster, no_instance,
};
use super::settings::Settings;
use super::state::{State, Step};
use crate::arn::arn;
use crate::wire::Refusal;

const CREATE_CLUSTER: SignedDuration = SignedDuration::from_mins(2);
const CREATE_INSTANCE: SignedDuration = SignedDuration::from_mins(5);
const SERVERLESS: &str = "db.serverless";

impl State {
    pub fn add_cluster(
        &mut self,
        region: &str,
        id: &str,
        settings: Settings,
        source: Option<&str>,
    ) -> Result<Key, Refusal> {
        let key = key(region, id);
        if self.clusters.contains_key(&key) || self.databases.contains_key(&key) {
            return Err(Refusal::bad_request("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
        }
        let database = match source {
            None => Database::default(),
            Some(arn) => {
                // "As a read replica of another DB cluster or … DB instance" (CreateDBCluster, ReplicationSourceIdentifier).
                let (from, of) = self.source(arn).ok_or_else(|| no_cluster(arn))?;
                must_have_key(of, &settings, from.0 == region)?;
                Database::replica_of(from)
            }
        };
        self.insert_database(key.clone(), database);
        let cluster = Cluster {
            arn: arn("rds", region, &format!("cluster:{id}")),
            settings,
            status: Status::Available,
            created: self.now,
            source: source.map(str::to_owned),
            members: Vec::new(),
            access: Access::default(),
        };
        self.clusters.insert(key.clone(), cluster);
        Ok(key)
    }

    /// Adds an instance to a cluster. "Once it is active, you then create a DB instance" (Aurora user guide, cross-Region
    /// replication).
    pub fn add_member(&mut self, region: &str, id: &str, class: &str, cluster: &str) -> Result<Key, Refusal> {
        let owner = self.clusters.get_mut(&key(region, cluster)).ok_or_else(|| no_cluster(cluster))?;
        if self.instances.contains_key(&key(region, id)) {
            return Err(instance_exists());
        }
        if matches!(owner.status, Status::Creating | Status::Deleting) {
            let why = format!("DB cluster {cluster} is {}.", owner.status.as_str());
            return Err(Refusal::bad_request("InvalidDBClusterStateFault", why));
        }
        // "You must set this attribute before you add a DB instance that uses the db.serverless DB instance class"
        // (CloudFormation, AWS::RDS::DBCluster, ServerlessV2ScalingConfiguration).
        if class == SERVERLESS && owner.settings.scaling.is_none() {
            let why = "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless \
                       v2 DB instance.";
            return Err(Refusal::bad_request("InvalidParameterValue", why));
        }
        owner.members.push(id.to_owned());
        let settings = owner.settings.clone();
        // What is the cluster's is told of its members too, but for these.
        let Settings { parameter_group, .. } = Settings::default_of(&settings.engine);
        let settings = Settings { parameter_group, deletion_protection: false, multi_az: false, ..settings };
        Ok(self.insert_instance(region, id, class, settings, Some(cluster.to_owned()), None))
    }

    /// Adds an instance outside a cluster; its source may be an instance or a cluster.
    pub fn add_instance(
        &mut self,
        region: &str,
        id: &str,
        class: &str,
        settings: Settings,
        source: Option<&str>,
    ) -> Result<Key, Refusal> {
        let key = key(region, id);
        if self.instances.contains_key(&key) || self.databases.contains_key(&key) {
            return Err(instance_exists());
        }
        let database = match source {
            None => Database::default(),
            Some(arn) => {
                let (from, of) = self.source(arn).ok_or_else(|| no_instance(arn))?;
                must_have_key(of, &settings, from.0 == region)?;
                may_be_source(self, &from, region)?;
                Database::replica_of(from)
            }
        };
        self.insert_database(key, database);
        Ok(self.insert_instance(region, id, class, settings, None, source.map(str::to_owned)))
    }

    fn insert_database(&mut self, key: Key, mut database: Database) {
        self.servers += 1;
        database.server = self.servers;
        self.databases.insert(key, database);
    }

    /// What an ARN names that can be replicated: an instance or a cluster, and its settings.
    pub fn source(&self, arn: &str) -> Option<(Key, &Settings)> {
        let instance = instance_key(arn).and_then(|key| Some((&self.instances.get(&key)?.settings, key)));
        let cluster = || cluster_key(arn).and_then(|key| Some((&self.clusters.get(&key)?.settings, key)));
        instance.or_else(cluster).map(|(settings, key)| (key, settings))
    }

    fn insert_instance(
        &mut self,
        region: &str,
        id: &str,
        class: &str,
        settings: Settings,
        cluster: Option<String>,
        source: Option<String>,
    ) -> Key {
        let instance = Instance {
            arn: arn("rds", region, &format!("db:{id}")),
            class: class.to_owned(),
            settings,
            status: Status::Available,
            created: self.now,
            cluster,
            source,
            access: Access::default(),
        };
        self.instances.insert(key(region, id), instance);
        key(region, id)
    }

    /// Lets a cluster that was just added take its time to become available.
    pub fn creating_cluster(&mut self, key: &Key, now: Timestamp) {
        self.set_cluster(key, Status::Creating);
        self.steps.push((now + CREATE_CLUSTER, key.clone(), Step::ClusterAvailable));
    }

    /// Lets an instance that was just added take its time to become available.
    pub fn creating_instance(&mut self, key: &Key, now: Timestamp) {
        self.set_instance(key, Status::Creating);
        self.steps.push((now + CREATE_INSTANCE, key.clone(), Step::InstanceAvailable));
    }

    /// Puts a copy of a database, that never was a replica, in its place: what a restored snapshot under its name is.
    pub fn restore(&mut self, key: &Key, now: Timestamp) {
        if let Some(database) = self.databases.get_mut(key) {
            database.cut();
        }
        if let Some(cluster) = self.clusters.get_mut(key) {
            (cluster.source, cluster.created) = (None, now);
        } else if let Some(instance) = self.instances.get_mut(key) {
            (instance.source, instance.created) = (None, now);
        }
    }
}

/// An instance replicates no Aurora cluster ("Amazon Aurora doesn't support this operation"), and no Multi-AZ DB cluster of another region ("The
/// source DB cluster must be in the same … Region as the read replica. Cross-Region replication isn't supported").
fn may_be_source(state: &State, from: &Key, region: &str) -> Result<(), Refusal> {
    let Some(cluster) = state.clusters.get(from) else { return Ok(()) };
    let why = match cluster.settings.engine.starts_with("aurora") {
        true => "Amazon Aurora clusters are no source of a DB instance read replica.",
        false if from.0 != region => "The source DB cluster must be in the same Region as the read replica.",
        false => return Ok(()),
    };
    Err(Refusal::bad_request("InvalidParameterCombination", why))
}

/// "If you create an encrypted read replica in a different … Region, then you must specify a KMS key identifier in that
/// Region": keys do not leave theirs.
fn must_have_key(source: &Settings, replica: &Settings, is_same_region: bool) -> Result<(), Refusal> {
    match source.kms_key.is_some() && replica.kms_key.is_none() && !is_same_region {
        true => {
            let why = "The source is encrypted: KmsKeyId must name a key of the replica's Region.";
            Err(Refusal::bad_request("InvalidParameterCombination", why))
        }
        false => Ok(()),
    }
}
