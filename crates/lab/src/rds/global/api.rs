//! The API of global databases. It is one for all regions: any that is up answers.

use serde::Serialize;

use super::super::answers::Tags;
use super::super::api::{Answer, begun, identifier};
use super::super::current;
use super::super::database::Key;
use super::super::model::{cluster_key, no_cluster};
use super::super::state::State;
use super::{Global, cluster_arn, no_global};
use crate::Lab;
use crate::arn::arn;
use crate::wire::Refusal;
use crate::wire::query::Form;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::rds) struct DescribedGlobals {
    global_clusters: Globals,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Globals {
    #[serde(rename = "GlobalClusterMember")]
    items: Vec<GlobalCluster>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::rds) struct OneGlobal {
    global_cluster: GlobalCluster,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GlobalCluster {
    global_cluster_identifier: String,
    global_cluster_arn: String,
    status: &'static str,
    engine: String,
    engine_version: String,
    storage_encrypted: bool,
    deletion_protection: bool,
    global_cluster_members: Members,
    #[serde(skip_serializing_if = "Option::is_none")]
    failover_state: Option<FailoverState>,
    tag_list: Tags,
}

#[derive(Debug, Serialize)]
struct Members {
    #[serde(rename = "GlobalClusterMember")]
    items: Vec<Member>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Member {
    #[serde(rename = "DBClusterArn")]
    arn: String,
    readers: Readers,
    is_writer: bool,
    global_write_forwarding_status: &'static str,
}

#[derive(Debug, Serialize)]
struct Readers {
    #[serde(rename = "member")]
    items: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FailoverState {
    status: &'static str,
    from_db_cluster_arn: String,
    to_db_cluster_arn: String,
    is_data_loss_allowed: bool,
}

fn described(state: &State, id: &str, global: &Global) -> GlobalCluster {
    let settings = state.clusters.get(&global.writer).map(|cluster| cluster.settings.clone());
    let readers = |writer: bool| {
        let readers = global.members.iter().filter(|member| writer && **member != global.writer);
        Readers { items: readers.map(cluster_arn).collect() }
    };
    let member = |key: &Key| {
        let is_writer = *key == global.writer;
        let (arn, readers) = (cluster_arn(key), readers(is_writer));
        Member { arn, readers, is_writer, global_write_forwarding_status: "disabled" }
    };
    GlobalCluster {
        global_cluster_identifier: id.to_owned(),
        global_cluster_arn: arn("rds", "", &format!("global-cluster:{id}")),
        // What becomes of it while its primary's region is dark is not documented.
        status: global.operation.as_ref().map_or("available", |operation| match operation.is_data_loss_allowed {
            true => "failing-over",
            false => "switching-over",
        }),
        engine: settings.as_ref().map(|settings| settings.engine.clone()).unwrap_or_default(),
        engine_version: settings.as_ref().map(|settings| settings.engine_version.clone()).unwrap_or_default(),
        storage_encrypted: settings.is_some_and(|settings| settings.kms_key.is_some()),
        deletion_protection: false,
        global_cluster_members: Members { items: global.members.iter().map(member).collect() },
        failover_state: global.operation.as_ref().map(|operation| FailoverState {
            status: operation.status,
            from_db_cluster_arn: cluster_arn(&operation.from),
            to_db_cluster_arn: cluster_arn(&operation.to),
            is_data_loss_allowed: operation.is_data_loss_allowed,
        }),
        tag_list: Tags { items: Vec::new() },
    }
}

fn one(lab: &Lab, id: &str) -> Answer<OneGlobal> {
    let state = current(lab);
    let global = state.globals.get(id).ok_or_else(|| no_global(id))?;
    Ok((id.to_owned(), OneGlobal { global_cluster: described(&state, id, global) }))
}

fn global_id(form: &mut Form) -> Result<String, Refusal> {
    Ok(form.required("GlobalClusterIdentifier")?.to_lowercase())
}

/// "Use the Amazon Resource Name (ARN) for the identifier so that Aurora can locate the cluster in its Amazon Web Services Region."
fn by_arn(form: &mut Form, field: &str) -> Result<Key, Refusal> {
    let given = form.required(field)?;
    cluster_key(&given).ok_or_else(|| no_cluster(&given))
}

pub(in crate::rds) fn describe(lab: &Lab, mut form: Form) -> Answer<DescribedGlobals> {
    let id = form.take("GlobalClusterIdentifier").map(|id| id.to_lowercase());
    form.ignore(&["MaxRecords"]);
    form.finish()?;
    let state = current(lab);
    let wanted = state.globals.iter().filter(|(name, _)| id.as_ref().is_none_or(|id| id == *name));
    let items: Vec<_> = wanted.map(|(name, global)| described(&state, name, global)).collect();
    match id {
        Some(id) if items.is_empty() => Err(no_global(&id)),
        id => Ok((id.unwrap_or_default(), DescribedGlobals { global_clusters: Globals { items } })),
    }
}

pub(in crate::rds) fn create(lab: &Lab, mut form: Form) -> Answer<OneGlobal> {
    let (id, primary) = (global_id(&mut form)?, by_arn(&mut form, "SourceDBClusterIdentifier")?);
    form.finish()?;
    if lab.rds.real.get().is_some() {
        return Err(Refusal::unsupported("a global database on real servers".to_owned()));
    }
    current(lab).create_global(&id, primary)?;
    one(lab, &id)
}

pub(in crate::rds) fn remove(lab: &Lab, mut form: Form) -> Answer<OneGlobal> {
    let (id, member) = (global_id(&mut form)?, by_arn(&mut form, "DbClusterIdentifier")?);
    form.finish()?;
    let mut state = current(lab);
    state.remove_from_global(&id, &member)?;
    begun(lab, state, &member);
    one(lab, &id)
}

pub(in crate::rds) fn fail_over(lab: &Lab, mut form: Form) -> Answer<OneGlobal> {
    let (id, to) = (global_id(&mut form)?, by_arn(&mut form, "TargetDbClusterIdentifier")?);
    let mut says = |field: &str| form.take(field).is_some_and(|given| given == "true");
    let (allows_loss, is_switchover) = (says("AllowDataLoss"), says("Switchover"));
    form.finish()?;
    match (allows_loss, is_switchover) {
        (true, true) => {
            let why = "AllowDataLoss can't be specified together with the Switchover parameter.";
            Err(Refusal::bad_request("InvalidParameterCombination", why))
        }
        (true, false) => operate(lab, &id, &to, State::fail_over_global),
        // "If you don't specify AllowDataLoss, the global database cluster operation defaults to a switchover."
        (false, _) => operate(lab, &id, &to, State::switch_over_global),
    }
}

pub(in crate::rds) fn switch_over(lab: &Lab, mut form: Form) -> Answer<OneGlobal> {
    let (id, to) = (global_id(&mut form)?, by_arn(&mut form, "TargetDbClusterIdentifier")?);
    form.finish()?;
    operate(lab, &id, &to, State::switch_over_global)
}

type Operate =
    fn(&mut State, &str, &Key, (jiff::Timestamp, jiff::SignedDuration), &dyn Fn(&str) -> bool) -> Result<(), Refusal>;

fn operate(lab: &Lab, id: &str, to: &Key, how: Operate) -> Answer<OneGlobal> {
    let when = (lab.clock.now(), lab.rds.global_takes());
    let mut state = current(lab);
    how(&mut state, id, to, when, &|region: &str| lab.faults.is_down(region))?;
    begun(lab, state, to);
    // In the journal a promotion is of the cluster, whichever way it was asked for.
    Ok((to.1.clone(), one(lab, id)?.1))
}

/// What a creation of a cluster says of the global database that it is to be a secondary of.
pub(in crate::rds) fn named(form: &mut Form) -> Option<String> {
    form.take("GlobalClusterIdentifier").map(|given| identifier(&given, "global-cluster:"))
}
