//! Change Guardrails: checks that a zone's owner turns on against deleting what is in use.
//!
//! AWS "checks each change against every guardrail". Whether a DELETE is excused by a CREATE of the same set in the same
//! batch is said nowhere: strict looks at every change by itself, lenient at what is left when the whole batch is done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::batch::{Action, Edit, Records, Surroundings, sets_of};
use super::record::{Key, RecordSet, Target};

/// A guardrail's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Guardrail {
    NsFormatCheck,
    NsDelegationAuthorityCheck,
    NsOcclusionCheck,
    AliasTargetCheck,
    ActiveRecordCheck,
    ActiveDelegationCheck,
}

impl Guardrail {
    /// Every guardrail.
    pub const ALL: [Self; 6] = [
        Self::NsFormatCheck,
        Self::NsDelegationAuthorityCheck,
        Self::NsOcclusionCheck,
        Self::AliasTargetCheck,
        Self::ActiveRecordCheck,
        Self::ActiveDelegationCheck,
    ];

    /// Those that every tier includes, and that nobody can turn off.
    pub const fn is_always_on(self) -> bool {
        matches!(self, Self::NsFormatCheck | Self::NsDelegationAuthorityCheck)
    }

    /// Those that only zones of the tier ADVANCED may have.
    pub const fn is_advanced(self) -> bool {
        matches!(self, Self::AliasTargetCheck | Self::ActiveRecordCheck | Self::ActiveDelegationCheck)
    }
}

/// Which guardrails the lab looks at in a batch, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guardrails {
    /// `ALIAS_TARGET_CHECK`.
    pub alias_targets: bool,
    /// `ACTIVE_RECORD_CHECK`.
    pub active_records: bool,
    /// Whether each change is looked at by itself.
    pub are_strict: bool,
}

/// What the guardrails say to one change, before it is made.
pub(super) fn faults_of_step(around: &Surroundings<'_>, records: &Records, edit: &Edit) -> Vec<String> {
    let key = &edit.set.key;
    if edit.action != Action::Delete || !records.contains_key(key) {
        return Vec::new();
    }
    let remain = sets_of(records, &key.name).any(|other| other.key.kind == key.kind && other.key != *key);
    faults(around, records, key, remain)
}

/// What the guardrails say to a batch, once it is applied.
pub(super) fn faults_of_end(around: &Surroundings<'_>, after: &Records, edits: &[Edit]) -> Vec<String> {
    let deleted = edits.iter().filter(|edit| edit.action == Action::Delete).map(|edit| &edit.set.key);
    let gone: BTreeSet<_> = deleted.filter(|key| !after.contains_key(key)).collect();
    let remains = |key: &Key| sets_of(after, &key.name).any(|other| other.key.kind == key.kind);
    gone.into_iter().filter(|key| !remains(key)).flat_map(|key| faults(around, after, key, false)).collect()
}

fn faults(around: &Surroundings<'_>, records: &Records, key: &Key, others_remain: bool) -> Vec<String> {
    let mut faults = Vec::new();
    if around.guardrails.alias_targets
        && let Some(alias) = records.values().find(|set| points_to(around, set, key))
    {
        faults.push(format!(
            "Tried to delete resource record set {key} but the guardrail ALIAS_TARGET_CHECK rejected it: the alias {} \
             points to it",
            alias.key
        ));
    }
    if around.guardrails.active_records && !others_remain && (around.is_queried)(key) {
        faults.push(format!(
            "Tried to delete resource record set {key} but the guardrail ACTIVE_RECORD_CHECK rejected it: it still \
             receives DNS queries"
        ));
    }
    faults
}

/// True if the set is an alias to this name and type of the same zone.
fn points_to(around: &Surroundings<'_>, set: &RecordSet, key: &Key) -> bool {
    match &set.target {
        Target::Alias { zone, name, .. } => zone == around.zone_id && *name == key.name && set.key.kind == key.kind,
        _ => false,
    }
}
