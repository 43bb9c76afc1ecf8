//! RDS's API.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answers::{self, DescribedClusters, DescribedEvents, DescribedInstances, OneCluster, OneInstance};
use super::database::Key;
use super::model::{key, no_cluster, no_instance};
use super::settings::Settings;
use super::state::State;
use super::{access, current, global, manage, parameters, record};
use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::{Arn, arn};
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};

/// Parameters without a meaning in the lab: it has no logins, no disks, and capacity for all.
const WITHOUT_EFFECT: [&str; 4] =
    ["MasterUsername", "MasterUserPassword", "AllocatedStorage", "DBCapacityReservationIdentifier"];

pub(super) type Answer<T> = Result<(String, T), Refusal>;

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    let region = call.region.as_str();
    match action.as_str() {
        "DescribeDBClusters" => reply(&action, describe_clusters(lab, region, form)),
        "DescribeDBInstances" => reply(&action, describe_instances(lab, region, form)),
        "DescribeDBClusterParameters" => {
            reply(&action, parameters::describe(lab, region, form, "DBClusterParameterGroupName"))
        }
        "DescribeDBParameters" => reply(&action, parameters::describe(lab, region, form, "DBParameterGroupName")),
        "DescribeEvents" => reply(&action, describe_events(lab, region, form)),
        "PromoteReadReplicaDBCluster" => reply(&action, promote_cluster(lab, region, form)),
        "PromoteReadReplica" => reply(&action, promote_instance(lab, region, form)),
        "CreateDBCluster" => reply(&action, create_cluster(lab, region, form)),
        "CreateDBInstance" => reply(&action, create_instance(lab, region, form)),
        "CreateDBInstanceReadReplica" => reply(&action, create_replica(lab, region, form)),
        "ModifyDBCluster" => reply(&action, manage::modify_cluster(lab, region, form)),
        "ModifyDBInstance" => reply(&action, manage::modify_instance(lab, region, form)),
        "RebootDBInstance" => reply(&action, manage::reboot_instance(lab, region, form)),
        "AddTagsToResource" => reply(&action, access::add_tags(lab, form)),
        "CreateGlobalCluster" => reply(&action, global::api::create(lab, form)),
        "DescribeGlobalClusters" => reply(&action, global::api::describe(lab, form)),
        "FailoverGlobalCluster" => reply(&action, global::api::fail_over(lab, form)),
        "SwitchoverGlobalCluster" => reply(&action, global::api::switch_over(lab, form)),
        "RemoveFromGlobalCluster" => reply(&action, global::api::remove(lab, form)),
        "DeleteDBCluster" => reply(&action, manage::delete_cluster(lab, region, form)),
        "DeleteDBInstance" => reply(&action, manage::delete_instance(lab, region, form)),
        other => reply::<()>(other, Err(Refusal::unsupported(format!("the RDS action {other}")))),
    }
}

/// An identifier, which "must match the identifier of an existing" thing and may also be its ARN.
pub(super) fn identifier(given: &str, kind: &str) -> String {
    Arn::parse(given).and_then(|arn| arn.named(kind)).unwrap_or(given).to_lowercase()
}

/// Takes the one filter the lab knows for a call: the identifiers it lists.
fn filter(form: &mut Form, name: &str, kind: &str) -> Result<Option<Vec<String>>, Refusal> {
    let Some(given) = form.take("Filters.Filter.1.Name") else { return Ok(None) };
    if given != name {
        return Err(Refusal::unsupported(format!("the filter {given}")));
    }
    let values = (1..).map_while(|n| form.take(&format!("Filters.Filter.1.Values.Value.{n}")));
    Ok(Some(values.map(|value| identifier(&value, kind)).collect()))
}

fn describe_clusters(lab: &Lab, region: &str, mut form: Form) -> Answer<DescribedClusters> {
    let id = form.take("DBClusterIdentifier").map(|given| identifier(&given, "cluster:"));
    let wanted = filter(&mut form, "db-cluster-id", "cluster:")?;
    form.finish()?;
    let state = current(lab);
    let here = state.clusters.iter().filter(|((of, name), _)| {
        of == region && id.as_ref().is_none_or(|id| id == name) && wanted.as_ref().is_none_or(|ids| ids.contains(name))
    });
    let items: Vec<_> = here.map(|(key, cluster)| answers::cluster(&state, key, cluster)).collect();
    match id {
        Some(id) if items.is_empty() => Err(no_cluster(&id)),
        id => Ok((id.unwrap_or_default(), DescribedClusters { clusters: answers::Clusters { items } })),
    }
}

fn describe_instances(lab: &Lab, region: &str, mut form: Form) -> Answer<DescribedInstances> {
    let id = form.take("DBInstanceIdentifier").map(|given| identifier(&given, "db:"));
    let by_cluster = filter(&mut form, "db-cluster-id", "cluster:")?;
    form.finish()?;
    let state = current(lab);
    let here = state.instances.iter().filter(|((of, name), instance)| {
        let in_cluster = |ids: &Vec<String>| instance.cluster.as_ref().is_some_and(|cluster| ids.contains(cluster));
        of == region && id.as_ref().is_none_or(|id| id == name) && by_cluster.as_ref().is_none_or(in_cluster)
    });
    let items: Vec<_> = here.map(|(key, instance)| answers::instance(&state, key, instance)).collect();
    match id {
        Some(id) if items.is_empty() => Err(no_instance(&id)),
        id => Ok((id.unwrap_or_default(), DescribedInstances { instances: answers::Instances { items } })),
    }
}

fn describe_events(lab: &Lab, region: &str, mut form: Form) -> Answer<DescribedEvents> {
    let (id, source_type) = (form.take("SourceIdentifier"), form.take("SourceType"));
    // "Duration: the number of minutes to retrieve events for. Default: 60" (DescribeEvents).
    let minutes = form.take("Duration").unwrap_or_else(|| "60".to_owned());
    let (start, end) = (time(&mut form, "StartTime")?, time(&mut form, "EndTime")?);
    form.finish()?;
    let invalid = |_| Refusal::bad_request("InvalidParameterValue", "Duration is not a number");
    let lately = lab.clock.now() - SignedDuration::from_mins(minutes.parse().map_err(invalid)?);
    let told_times = start.unwrap_or(lately)..=end.unwrap_or(Timestamp::MAX);
    let state = current(lab);
    let told = state.events.iter().filter(|event| {
        event.region == region
            && told_times.contains(&event.at)
            && id.as_ref().is_none_or(|id| *id == event.id)
            && source_type.as_ref().is_none_or(|kind| kind == event.source_type())
    });
    let events = answers::Events { items: told.map(answers::event).collect() };
    Ok((id.unwrap_or_default(), DescribedEvents { events }))
}

fn time(form: &mut Form, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let invalid = |_| Refusal::bad_request("InvalidParameterValue", format!("{name} is not a time"));
    form.take(name).map(|text| text.parse()).transpose().map_err(invalid)
}

fn promote_cluster(lab: &Lab, region: &str, mut form: Form) -> Answer<OneCluster> {
    let id = identifier(&form.required("DBClusterIdentifier")?, "cluster:");
    form.finish()?;
    let key = key(region, &id);
    let mut state = current(lab);
    state.promote_cluster(&key, lab.clock.now(), lab.rds.promotion_takes())?;
    begun(lab, state, &key);
    one_cluster(lab, &key)
}

fn promote_instance(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let id = identifier(&form.required("DBInstanceIdentifier")?, "db:");
    // Backups do not exist in the lab.
    form.ignore(&["BackupRetentionPeriod", "PreferredBackupWindow"]);
    form.finish()?;
    let key = key(region, &id);
    let mut state = current(lab);
    state.promote_instance(&key, lab.clock.now(), lab.rds.promotion_takes())?;
    begun(lab, state, &key);
    one_instance(lab, &key)
}

fn create_cluster(lab: &Lab, region: &str, mut form: Form) -> Answer<OneCluster> {
    let id = identifier(&form.required("DBClusterIdentifier")?, "cluster:");
    let (engine, source) = (form.required("Engine")?, form.take("ReplicationSourceIdentifier"));
    let global = global::api::named(&mut form);
    let mut settings = Settings::default_of(&engine);
    settings.take(&mut form, "DBClusterParameterGroupName")?;
    let groups = access::groups(&mut form);
    form.ignore(&WITHOUT_EFFECT);
    form.finish()?;
    let mut state = current(lab);
    let key = match global {
        Some(global) => state.add_secondary(&global, region, &id, settings)?,
        None => state.add_cluster(region, &id, settings, source.as_deref())?,
    };
    state.begin_with(&key, groups);
    state.creating_cluster(&key, lab.clock.now());
    begun(lab, state, &key);
    one_cluster(lab, &key)
}

fn create_instance(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let id = identifier(&form.required("DBInstanceIdentifier")?, "db:");
    let (class, engine) = (form.required("DBInstanceClass")?, form.required("Engine")?);
    let cluster = form.take("DBClusterIdentifier").map(|given| identifier(&given, "cluster:"));
    let mut settings = Settings::default_of(&engine);
    settings.take(&mut form, "DBParameterGroupName")?;
    let groups = access::groups(&mut form);
    form.ignore(&WITHOUT_EFFECT);
    form.finish()?;
    let mut state = current(lab);
    let key = match cluster {
        Some(cluster) => state.add_member(region, &id, &class, &cluster)?,
        None => state.add_instance(region, &id, &class, settings, None)?,
    };
    state.begin_with(&key, groups);
    state.creating_instance(&key, lab.clock.now());
    begun(lab, state, &key);
    one_instance(lab, &key)
}

fn create_replica(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let id = identifier(&form.required("DBInstanceIdentifier")?, "db:");
    // "If the source … is in the same Region, specify a valid DB instance identifier", else its ARN.
    let source = match (form.take("SourceDBInstanceIdentifier"), form.take("SourceDBClusterIdentifier")) {
        (Some(arn), None) | (None, Some(arn)) if arn.starts_with("arn:") => arn,
        (Some(instance), None) => arn("rds", region, &format!("db:{instance}")),
        (None, Some(cluster)) => arn("rds", region, &format!("cluster:{cluster}")),
        _ => {
            let why = "Specify either SourceDBInstanceIdentifier or SourceDBClusterIdentifier.";
            return Err(Refusal::bad_request("InvalidParameterCombination", why));
        }
    };
    let mut state = current(lab);
    let (from, of) = state.source(&source).ok_or_else(|| no_instance(&source))?;
    let class = form.take("DBInstanceClass").or_else(|| Some(state.instances.get(&from)?.class.clone()));
    let class = class.ok_or_else(|| Refusal::bad_request("MissingParameter", "DBInstanceClass is required"))?;
    let mut settings = Settings::of_replica(of, from.0 == region);
    settings.take(&mut form, "DBParameterGroupName")?;
    let groups = access::groups(&mut form);
    form.ignore(&WITHOUT_EFFECT);
    form.finish()?;
    let key = state.add_instance(region, &id, &class, settings, Some(&source))?;
    state.begin_with(&key, groups);
    state.creating_instance(&key, lab.clock.now());
    begun(lab, state, &key);
    one_instance(lab, &key)
}

/// Something was set going: the clockwork must know, and the journal.
pub(super) fn begun(lab: &Lab, state: std::sync::MutexGuard<'_, State>, key: &Key) {
    drop(state);
    lab.rds.steps_changed.notify_waiters();
    record(lab, key);
}

pub(super) fn one_cluster(lab: &Lab, key: &Key) -> Answer<OneCluster> {
    let state = current(lab);
    let cluster = state.clusters.get(key).ok_or_else(|| no_cluster(&key.1))?;
    Ok((key.1.clone(), OneCluster { cluster: answers::cluster(&state, key, cluster) }))
}

pub(super) fn one_instance(lab: &Lab, key: &Key) -> Answer<OneInstance> {
    let state = current(lab);
    let instance = state.instances.get(key).ok_or_else(|| no_instance(&key.1))?;
    Ok((key.1.clone(), OneInstance { instance: answers::instance(&state, key, instance) }))
}
