//! What tests, drills and people do to databases beside the API.

use std::time::Duration;

use jiff::SignedDuration;

use super::database::{LostLink, Replication};
use super::model::{Group, GroupStatus, Status, key};
use super::settings::Settings;
use super::state::State;
use super::{current, real, record};
use crate::Lab;
use crate::arn::arn;
use crate::wire::Refusal;

const INSTANCE_CLASS: &str = "db.r6g.large";

/// Adds an Aurora MySQL cluster that is available at once, its members with it, the first being the writer; with a source
/// it is that cluster's replica. Returns its ARN.
///
/// # Errors
/// If the identifier is taken or there is no such source.
pub fn create_cluster(
    lab: &Lab,
    region: &str,
    id: &str,
    source: Option<(&str, &str)>,
    members: &[&str],
) -> Result<String, Refusal> {
    let source = source.map(|(region, id)| arn("rds", region, &format!("cluster:{id}")));
    let mut state = current(lab);
    let key = state.add_cluster(region, id, Settings::default_of("aurora-mysql"), source.as_deref())?;
    for member in members {
        state.add_member(region, member, INSTANCE_CLASS, id)?;
    }
    drop(state);
    // The replica connects to its source.
    drop(current(lab));
    record(lab, &key);
    Ok(arn("rds", region, &format!("cluster:{id}")))
}

/// Adds a Multi-AZ DB cluster (`mysql`, `postgres`) that is available at once, with "a writer DB instance and two reader DB instances" (RDS user
/// guide); with a source it is a replica of that instance. Returns its ARN.
///
/// # Errors
/// If the identifier is taken or there is no such source.
pub fn create_multi_az_cluster(
    lab: &Lab,
    region: &str,
    id: &str,
    engine: &str,
    source: Option<(&str, &str)>,
) -> Result<String, Refusal> {
    let source = source.map(|(region, id)| arn("rds", region, &format!("db:{id}")));
    let mut state = current(lab);
    let key = state.add_cluster(region, id, Settings::default_of(engine), source.as_deref())?;
    for nth in 1..=3 {
        state.add_member(region, &format!("{id}-instance-{nth}"), INSTANCE_CLASS, id)?;
    }
    drop(state);
    drop(current(lab));
    record(lab, &key);
    Ok(arn("rds", region, &format!("cluster:{id}")))
}

/// Makes a cluster the primary of a new global database, with a secondary cluster that is available at once, its members with it.
///
/// # Errors
/// If the identifier is taken, there is no such cluster, or real servers stand behind the lab's databases.
pub fn create_global(
    lab: &Lab,
    id: &str,
    (region, primary): (&str, &str),
    (secondary_region, secondary): (&str, &str),
    members: &[&str],
) -> Result<(), Refusal> {
    if lab.rds.real.get().is_some() {
        return Err(Refusal::unsupported("a global database on real servers".to_owned()));
    }
    let mut state = current(lab);
    let home = key(region, primary);
    state.create_global(id, home.clone())?;
    let settings = state.clusters.get(&home).map(|cluster| cluster.settings.clone());
    let settings = settings.unwrap_or_else(|| Settings::default_of("aurora-mysql"));
    let dr = state.add_secondary(id, secondary_region, secondary, settings)?;
    for member in members {
        state.add_member(secondary_region, member, INSTANCE_CLASS, secondary)?;
    }
    drop(state);
    // The secondary connects to its primary.
    drop(current(lab));
    record(lab, &dr);
    Ok(())
}

/// Lets the next failover of a global database fail half-way.
pub fn fail_next_global_failover(lab: &Lab, id: &str) {
    if let Some(global) = current(lab).globals.get_mut(id) {
        global.is_to_fail = true;
    }
}

/// What an instance replicates, by region and identifier.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// An instance.
    Instance(&'a str, &'a str),
    /// A cluster: Aurora, or a Multi-AZ DB cluster.
    Cluster(&'a str, &'a str),
}

/// Adds an RDS for MySQL instance that is available at once; with a source it is that instance's replica. Returns its ARN.
///
/// # Errors
/// If the identifier is taken or there is no such source.
pub fn create_instance(lab: &Lab, region: &str, id: &str, source: Option<(&str, &str)>) -> Result<String, Refusal> {
    create_instance_of(lab, region, id, "mysql", source.map(|(region, id)| Source::Instance(region, id)))
}

/// Adds an instance of an engine (`mysql`, `mariadb`, `postgres`) that is available at once; with a source it is its
/// replica. Returns its ARN.
///
/// # Errors
/// If the identifier is taken or there is no such source.
pub fn create_instance_of(
    lab: &Lab,
    region: &str,
    id: &str,
    engine: &str,
    source: Option<Source<'_>>,
) -> Result<String, Refusal> {
    let source = source.map(|source| match source {
        Source::Instance(region, id) => arn("rds", region, &format!("db:{id}")),
        Source::Cluster(region, id) => arn("rds", region, &format!("cluster:{id}")),
    });
    let settings = Settings::default_of(engine);
    let key = current(lab).add_instance(region, id, INSTANCE_CLASS, settings, source.as_deref())?;
    drop(current(lab));
    record(lab, &key);
    Ok(arn("rds", region, &format!("db:{id}")))
}

/// Puts a database restored from a snapshot in the place of one: it has what that had, and never was a replica.
pub fn restore_from_snapshot(lab: &Lab, region: &str, id: &str) {
    current(lab).restore(&key(region, id), lab.clock.now());
    record(lab, &key(region, id));
}

/// Removes a database as a person does who has no more use for it: a cluster with its members, or an instance.
pub fn delete(lab: &Lab, region: &str, id: &str) {
    current(lab).remove(&key(region, id));
    real::touch(lab);
}

/// Gives a database a status that the lab's own course of things does not know, such as `storage-full`.
pub fn set_status(lab: &Lab, region: &str, id: &str, status: &'static str) {
    let key = key(region, id);
    let status = if status == "available" { Status::Available } else { Status::Other(status) };
    let mut state = current(lab);
    state.set_cluster(&key, status);
    state.set_instance(&key, status);
    drop(state);
    record(lab, &key);
}

/// Gives an instance another class.
pub fn set_class(lab: &Lab, region: &str, id: &str, class: &str) {
    if let Some(instance) = current(lab).instances.get_mut(&key(region, id)) {
        class.clone_into(&mut instance.class);
    }
}

/// Upgrades a cluster or an instance, or one was upgraded by AWS.
pub fn set_engine_version(lab: &Lab, region: &str, id: &str, version: &str) {
    change_settings(lab, region, id, |settings| version.clone_into(&mut settings.engine_version));
}

/// Sets for how many days backups are kept.
pub fn set_backup_days(lab: &Lab, region: &str, id: &str, days: u32) {
    change_settings(lab, region, id, |settings| settings.backup_retention_days = days);
}

/// Puts a database in the place of one whose storage is encrypted with this key, or with none.
pub fn set_key(lab: &Lab, region: &str, id: &str, kms_key: Option<&str>) {
    change_settings(lab, region, id, |settings| settings.kms_key = kms_key.map(str::to_owned));
}

fn change_settings(lab: &Lab, region: &str, id: &str, change: impl FnOnce(&mut Settings)) {
    let (mut state, key) = (current(lab), key(region, id));
    let State { clusters, instances, .. } = &mut *state;
    let of_cluster = clusters.get_mut(&key).map(|cluster| &mut cluster.settings);
    if let Some(settings) = of_cluster.or_else(|| instances.get_mut(&key).map(|instance| &mut instance.settings)) {
        change(settings);
    }
}

/// Declares a security group that lets nobody in: what it is attached to takes no new connections.
pub fn close_group(lab: &Lab, group: &str) {
    current(lab).closed_groups.insert(group.to_owned());
}

/// Sets how long a change of security groups is `adding` or `removing` before it holds.
pub fn set_time_for_groups(lab: &Lab, takes: Duration) {
    current(lab).groups_take = SignedDuration::try_from(takes).ok();
}

/// The security groups that a database has or is being given; none if there is no such database.
pub fn groups(lab: &Lab, region: &str, id: &str) -> Vec<String> {
    let state = current(lab);
    let groups = state.access(&key(region, id)).into_iter().flat_map(|access| &access.groups);
    groups.filter(|group| group.status != GroupStatus::Removing).map(|group| group.id.clone()).collect()
}

/// Gives a database these security groups, and no others.
pub fn set_groups(lab: &Lab, region: &str, id: &str, groups: &[&str]) {
    if let Some(access) = current(lab).access_mut(&key(region, id)) {
        let active = |group: &&str| Group { id: (*group).to_owned(), status: GroupStatus::Active };
        access.groups = groups.iter().map(active).collect();
    }
}

/// Sets how far a replica is behind its source; nothing happens to a database that is no replica.
pub fn set_lag(lab: &Lab, region: &str, id: &str, lag: Duration) {
    replication(&mut current(lab), region, id, |replication| replication.lag = lag);
    real::touch(lab);
}

/// Makes the link to a replica slow: writes are so long on the way, and the lag it tells knows nothing of them. When the
/// connection is cut it goes on telling 0 for a minute. So do real servers (measured, `mysql.md`).
pub fn set_slow_link(lab: &Lab, region: &str, id: &str, by: Duration) {
    replication(&mut current(lab), region, id, |replication| replication.link = by);
    real::touch(lab);
}

/// Chooses what a simulated replica's lag says once its connection is lost: 0 for a minute, or more and more. Real servers do as
/// they do.
pub fn set_lost_link(lab: &Lab, region: &str, id: &str, lost: LostLink) {
    replication(&mut current(lab), region, id, |replication| replication.lost = lost);
}

/// Stops a replica's replication as a person does (`mysql.rds_stop_replication`), or starts it again.
pub fn stop_replication(lab: &Lab, region: &str, id: &str, is_stopped: bool) {
    replication(&mut current(lab), region, id, |replication| replication.is_stopped = is_stopped);
    drop(current(lab));
    real::touch(lab);
}

fn replication(state: &mut State, region: &str, id: &str, change: impl FnOnce(&mut Replication)) {
    let database = state.databases.get_mut(&key(region, id));
    if let Some(replication) = database.and_then(|database| database.replication.as_mut()) {
        change(replication);
    }
}
