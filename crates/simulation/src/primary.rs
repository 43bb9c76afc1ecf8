//! The old writers in the primary region, as far as fencer reaches them.

use std::collections::{BTreeMap, BTreeSet};

use aws::CallError;
use aws::rds::{FenceWriter, OldWriterReader};
use failover::fence::{Membership, Note, OldWriter};
use failover::plan::{Plan, ReplicaId};
use jiff::{SignedDuration, Timestamp};

use crate::calls::Aws;
use crate::property::Property;
use crate::setup::start;
use crate::world::World;

/// The security group that lets nobody in.
pub const CLOSED: &str = "sg-closed";

/// A database that took writes before the outage, and may still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldDatabase {
    /// Its security groups.
    pub groups: BTreeSet<String>,
    /// What is on record of its fence.
    pub note: Option<Note>,
    /// Whether somebody is connected who was so before the fence.
    pub has_old_connections: bool,
}

/// Those that the plan fences, before the outage.
#[must_use]
pub fn old_writers(plan: &Plan) -> BTreeMap<ReplicaId, OldDatabase> {
    let groups: BTreeSet<String> = ["sg-app".to_owned(), "sg-reports".to_owned()].into();
    let ids = plan.fence.iter().flat_map(|fence| &fence.databases);
    let open = OldDatabase { groups, note: None, has_old_connections: true };
    ids.map(|id| (id.clone(), open.clone())).collect()
}

impl OldDatabase {
    /// True if nobody writes here any more, and what it takes to open it again is on record.
    #[must_use]
    pub fn is_fenced(&self, open: &Self) -> bool {
        let closed: BTreeSet<String> = [CLOSED.to_owned()].into();
        let keeps = self.note.as_ref().is_some_and(|note| note.original == open.groups);
        self.groups == closed && keeps && !self.has_old_connections
    }
}

fn api(id: &ReplicaId, cluster: &'static str, instance: &'static str) -> &'static str {
    match id {
        ReplicaId::AuroraCluster(_) | ReplicaId::GlobalMember { .. } => cluster,
        ReplicaId::RdsInstance(_) => instance,
    }
}

/// An instance of a cluster is called after it.
fn bare(id: &ReplicaId) -> &str {
    id.name()
}

fn created() -> Timestamp {
    start() - SignedDuration::from_hours(9_000)
}

impl OldWriterReader for Aws {
    async fn old_writer(&self, database: &ReplicaId) -> Result<OldWriter, CallError> {
        let id = database.clone();
        self.call(api(database, "DescribeDBClusters", "DescribeDBInstances"), move |world| {
            Ok(world.old_writers.get(&id).map_or(OldWriter::Missing, |old| OldWriter::Present {
                arn: bare(&id).to_owned(),
                created: Some(created()),
                status: "available".to_owned(),
                groups: old.groups.iter().map(|id| (id.clone(), Membership::Active)).collect(),
                writers: vec![bare(&id).to_owned()],
                note: old.note.clone(),
            }))
        })
        .await
    }
}

impl FenceWriter for Aws {
    async fn note(&self, arn: &str, note: &Note) -> Result<(), CallError> {
        let (arn, note) = (arn.to_owned(), note.clone());
        self.call("AddTagsToResource", move |world| {
            world.tell(|| format!("{arn}: a fence is on record as {:?}", note.stage));
            each_called(world, &arn, |old| old.note = Some(note.clone()));
            Ok(())
        })
        .await
    }

    async fn set_groups(&self, database: &ReplicaId, groups: &BTreeSet<String>) -> Result<(), CallError> {
        let (id, groups) = (database.clone(), groups.clone());
        self.call(api(database, "ModifyDBCluster", "ModifyDBInstance"), move |world| {
            world.fence(&id, &groups);
            Ok(())
        })
        .await
    }

    async fn reboot(&self, instance: &str) -> Result<(), CallError> {
        let instance = instance.to_owned();
        self.call("RebootDBInstance", move |world| {
            world.tell(|| format!("{instance} reboots"));
            let closed = CLOSED.to_owned();
            each_called(world, &instance, |old| old.has_old_connections &= !old.groups.contains(&closed));
            Ok(())
        })
        .await
    }
}

fn each_called(world: &mut World, id: &str, change: impl Fn(&mut OldDatabase)) {
    world.old_writers.iter_mut().filter(|(known, _)| bare(known) == id).for_each(|(_, old)| change(old));
}

impl World {
    fn fence(&mut self, id: &ReplicaId, groups: &BTreeSet<String>) {
        let Some(old) = self.old_writers.get_mut(id).filter(|old| old.groups != *groups) else { return };
        let is_on_record = old.note.as_ref().is_some_and(|note| note.original == old.groups);
        old.groups = groups.clone();
        self.tell(|| format!("{id} is in {groups:?} now"));
        let (now, is_held) = (self.now, self.watch.is_held_everywhere(&self.route53));
        if !is_held || !is_on_record {
            let what = format!("{id}: users held on DR: {is_held}; groups on record: {is_on_record}");
            self.watch.accuse(now, Property::FencedTooEarly, what);
        }
    }
}
