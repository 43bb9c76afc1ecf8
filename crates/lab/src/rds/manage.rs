//! The API of what people do to databases that are there.

use super::answers::{OneCluster, OneInstance};
use super::api::{Answer, WITHOUT_EFFECT, begun, identifier, one_cluster, one_instance};
use super::changes::Modification;
use super::model::key;
use super::{access, current};
use crate::Lab;
use crate::wire::Refusal;
use crate::wire::query::Form;

/// Also without a meaning in the lab, where there are no backups.
const BACKUPS: [&str; 3] = ["BackupRetentionPeriod", "PreferredBackupWindow", "DeleteAutomatedBackups"];

/// Takes what both modifications know. Changes wait for no maintenance window here.
fn modification(form: &mut Form, new_id: &str, kind: &str) -> Result<Modification, Refusal> {
    let change = Modification {
        new_id: form.take(new_id).map(|given| identifier(&given, kind)),
        deletion_protection: form.take("DeletionProtection").map(|given| given == "true"),
        groups: access::groups(form),
    };
    let at_once = form.take("ApplyImmediately").is_some_and(|given| given == "true");
    form.ignore(&WITHOUT_EFFECT);
    form.ignore(&BACKUPS);
    match change.new_id.is_some() && !at_once {
        true => Err(Refusal::unsupported("a new identifier without ApplyImmediately".to_owned())),
        false => Ok(change),
    }
}

/// True if the caller said what becomes of the data: a last snapshot, or none. Snapshots do not exist in the lab.
fn chose_snapshot(form: &mut Form, final_snapshot: &str) -> bool {
    let skips = form.take("SkipFinalSnapshot").is_some_and(|given| given == "true");
    let takes = form.take(final_snapshot).is_some();
    form.ignore(&BACKUPS);
    skips || takes
}

pub(super) fn modify_cluster(lab: &Lab, region: &str, mut form: Form) -> Answer<OneCluster> {
    let key = key(region, &identifier(&form.required("DBClusterIdentifier")?, "cluster:"));
    let change = modification(&mut form, "NewDBClusterIdentifier", "cluster:")?;
    form.finish()?;
    let mut state = current(lab);
    state.modify_cluster(&key, change, lab.clock.now())?;
    begun(lab, state, &key);
    one_cluster(lab, &key)
}

pub(super) fn modify_instance(lab: &Lab, region: &str, mut form: Form) -> Answer<OneInstance> {
    let key = key(region, &identifier(&form.required("DBInstanceIdentifier")?, "db:"));
    let change = modification(&mut form, "NewDBInstanceIdentifier", "db:")?;
    form.finish()?;
    let mut state = current(lab);
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
