//! The API of what people do to databases that are there.

use super::answers::{OneCluster, OneInstance};
use super::api::{Answer, begun, identifier, one_cluster, one_instance};
use super::changes::Modification;
use super::model::{key, no_cluster, no_instance};
use super::settings::Settings;
use super::{access, current};
use crate::Lab;
use crate::wire::Refusal;
use crate::wire::query::Form;

/// Takes what both modifications know, from what stands. Changes wait for no maintenance window here.
fn modification(form: &mut Form, kind: &Kind, standing: Settings) -> Result<Modification, Refusal> {
    let new_id = form.take(kind.new_id).map(|given| identifier(&given, kind.prefix));
    let groups = access::groups(form);
    let at_once = form.take("ApplyImmediately").is_some_and(|given| given == "true");
    let mut settings = standing;
    settings.take(form, kind.parameter_group)?;
    form.ignore(&["PreferredBackupWindow"]);
    match new_id.is_some() && !at_once {
        true => Err(Refusal::unsupported("a new identifier without ApplyImmediately".to_owned())),
        false => Ok(Modification { new_id, settings, groups }),
    }
}

/// How the parameters of a modification are called.
struct Kind {
    new_id: &'static str,
    prefix: &'static str,
    parameter_group: &'static str,
}

const CLUSTER: Kind =
    Kind { new_id: "NewDBClusterIdentifier", prefix: "cluster:", parameter_group: "DBClusterParameterGroupName" };
const INSTANCE: Kind =
    Kind { new_id: "NewDBInstanceIdentifier", prefix: "db:", parameter_group: "DBParameterGroupName" };

/// True if the caller said what becomes of the data: a last snapshot, or none. Snapshots do not exist in the lab.
fn chose_snapshot(form: &mut Form, final_snapshot: &str) -> bool {
    let skips = form.take("SkipFinalSnapshot").is_some_and(|given| given == "true");
    let takes = form.take(final_snapshot).is_some();
    form.ignore(&["DeleteAutomatedBackups"]);
    skips || takes
}

pub(super) fn modify_cluster(lab: &Lab, region: &str, mut form: Form) -> Answer<OneCluster> {
    let key = key(region, &identifier(&form.required("DBClusterIdentifier")?, "cluster:"));
    let mut state = current(lab);
    let standing = state.clusters.get(&key).ok_or_else(|| no_cluster(&key.1))?.settings.clone();
    let change = modification(&mut form, &CLUSTER, standing)?;
    form.finish()?;
    state.modify_cluster(&key, change, lab.clock.now())?;
    begun(lab, state, &key);
    one_cluster(lab, &key)
}

pub(super) fn modify_instance(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let key = key(region, &identifier(&form.required("DBInstanceIdentifier")?, "db:"));
    let mut state = current(lab);
    let standing = state.instances.get(&key).ok_or_else(|| no_instance(&key.1))?.settings.clone();
    let change = modification(&mut form, &INSTANCE, standing)?;
    form.finish()?;
    state.modify_instance(&key, change, lab.clock.now())?;
    begun(lab, state, &key);
    one_instance(lab, &key)
}

pub(super) fn reboot_instance(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let key = key(region, &identifier(&form.required("DBInstanceIdentifier")?, "db:"));
    form.finish()?;
    let mut state = current(lab);
    state.reboot_instance(&key, lab.clock.now())?;
    begun(lab, state, &key);
    one_instance(lab, &key)
}

pub(super) fn delete_cluster(lab: &Lab, region: &str, mut form: Form) -> Answer<OneCluster> {
    let key = key(region, &identifier(&form.required("DBClusterIdentifier")?, "cluster:"));
    let chose = chose_snapshot(&mut form, "FinalDBSnapshotIdentifier");
    form.finish()?;
    let mut state = current(lab);
    state.delete_cluster(&key, chose, lab.clock.now())?;
    begun(lab, state, &key);
    one_cluster(lab, &key)
}

pub(super) fn delete_instance(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let key = key(region, &identifier(&form.required("DBInstanceIdentifier")?, "db:"));
    let chose = chose_snapshot(&mut form, "FinalDBSnapshotIdentifier");
    form.finish()?;
    let mut state = current(lab);
    state.delete_instance(&key, chose, lab.clock.now())?;
    begun(lab, state, &key);
    one_instance(lab, &key)
}
