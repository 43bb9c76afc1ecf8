//! Resource record set protections: names and types of a zone that nobody may change.
//!
//! "While a protection exists, Route 53 rejects any `ChangeResourceRecordSets` request that creates, updates, or deletes a
//! resource record set with that name and type", one that is not there yet included (API reference).

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::batch::{Action, Edit};
use super::wire::{items_max, ok, parameters, read};
use super::zone::Zone;
use super::{DnsName, Key, Kind, Outcome, Refusal};
use crate::Lab;
use crate::api::Call;

/// "You can specify up to 100 protections in one request."
const ENTRIES_MAX: usize = 100;
/// A comment's limit, `ResourceDescription`.
pub(super) const COMMENT_MAX: usize = 256;

/// A zone's protections and their comments.
#[derive(Clone, Debug, Default)]
pub struct Protections(BTreeMap<(DnsName, Kind), Option<String>>);

impl Protections {
    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The protection of a record set: its comment, if it has one.
    pub fn of(&self, key: &Key) -> Option<&Option<String>> {
        self.0.get(&(key.name.clone(), key.kind))
    }

    /// What of a batch is protected, each set once. "Route 53 identifies each protected resource record set in the error
    /// message and includes the protection's comment, if any"; the wording is the lab's.
    pub(super) fn faults(&self, edits: &[Edit]) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut told = BTreeSet::new();
        let protected = edits.iter().filter_map(|edit| Some((edit, self.of(&edit.set.key)?)));
        let first = protected.filter(|(edit, _)| told.insert(edit.set.key.clone()));
        first
            .map(|(edit, comment)| {
                let tried = match edit.action {
                    Action::Create => "create",
                    Action::Delete => "delete",
                    Action::Upsert => "update",
                };
                let comment = comment.as_ref().map(|comment| format!(" with the comment '{comment}'"));
                format!(
                    "Tried to {tried} resource record set {} but it is protected by a resource record set protection{}",
                    edit.set.key,
                    comment.unwrap_or_default()
                )
            })
            .collect()
    }
}

/// Why one entry of a request cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Fault {
    record_name: String,
    record_type: String,
    code: &'static str,
    message: &'static str,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    record_name: String,
    record_type: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

impl Entry {
    fn fault(&self, code: &'static str, message: &'static str) -> Fault {
        let (record_name, record_type) = (self.record_name.clone(), self.record_type.to_string());
        Fault { record_name, record_type, code, message }
    }
}

/// The entries by name and type, or those that are no good by themselves.
fn keys(zone: &Zone, entries: &[Entry]) -> Result<Vec<(DnsName, Kind)>, Refusal> {
    if entries.is_empty() || entries.len() > ENTRIES_MAX {
        return Err(Refusal::InvalidInput(format!("Invalid request: there must be 1 to {ENTRIES_MAX} protections")));
    }
    if entries.iter().any(|entry| entry.comment.as_ref().is_some_and(|text| text.chars().count() > COMMENT_MAX)) {
        return Err(Refusal::InvalidInput(format!("Invalid request: a comment has at most {COMMENT_MAX} characters")));
    }
    let (mut keys, mut faults) = (Vec::new(), Vec::new());
    for entry in entries {
        match DnsName::parse(&entry.record_name) {
            Ok(name) if !name.is_within(&zone.name) => {
                faults.push(entry.fault("InvalidInput", "The name is not in the hosted zone."));
            }
            Ok(name) if keys.contains(&(name.clone(), entry.record_type)) => {
                faults
                    .push(entry.fault("InvalidInput", "The same name and type appear more than once in the request."));
            }
            Ok(name) => keys.push((name, entry.record_type)),
            Err(_) => faults.push(entry.fault("InvalidInput", "The name is not a valid DNS name.")),
        }
    }
    if faults.is_empty() { Ok(keys) } else { Err(Refusal::InvalidProtections(faults)) }
}

impl Zone {
    fn protect(&mut self, entries: &[Entry]) -> Result<(), Refusal> {
        let keys = keys(self, entries)?;
        let both = || keys.iter().zip(entries);
        let twins = both().filter(|(key, _)| self.protections.0.contains_key(key));
        let message = "A protection already exists for the name and type.";
        let faults: Vec<_> = twins.map(|(_, entry)| entry.fault("ProtectionAlreadyExists", message)).collect();
        // "If every entry already has a protection … ProtectionAlreadyExists; for any other combination of failures …
        // InvalidResourceRecordSetProtectionBatch."
        if faults.len() == keys.len() {
            return Err(Refusal::ProtectionAlreadyExists(faults));
        }
        if !faults.is_empty() {
            return Err(Refusal::InvalidProtections(faults));
        }
        let new: Vec<_> = both().map(|(key, entry)| (key.clone(), entry.comment.clone())).collect();
        self.protections.0.extend(new);
        Ok(())
    }

    fn unprotect(&mut self, entries: &[Entry]) -> Result<(), Refusal> {
        let keys = keys(self, entries)?;
        let absent = keys.iter().zip(entries).filter(|(key, _)| !self.protections.0.contains_key(key));
        let message = "No protection exists for the name and type.";
        let faults: Vec<_> = absent.map(|(_, entry)| entry.fault("ProtectionNotFound", message)).collect();
        if !faults.is_empty() {
            return Err(Refusal::InvalidProtections(faults));
        }
        self.protections.0.retain(|key, _| !keys.contains(key));
        Ok(())
    }
}

/// Protects a name and type of a zone, or lifts that; for those whose SDK lacks the calls.
pub(super) fn set(zone: &mut Zone, name: &str, kind: Kind, comment: Option<Option<&str>>) -> Result<(), Refusal> {
    let entry = |comment: Option<&str>| {
        [Entry { record_name: name.to_owned(), record_type: kind, comment: comment.map(str::to_owned) }]
    };
    match comment {
        Some(comment) => zone.protect(&entry(comment)),
        None => zone.unprotect(&entry(None)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    #[serde(rename = "ResourceRecordSetProtectionConfig", alias = "ResourceRecordSetProtectionKey", default)]
    items: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    #[serde(rename = "@xmlns", default)]
    _xmlns: IgnoredAny,
    protections: Entries,
}

#[derive(Serialize)]
struct Empty {}

pub(super) fn create(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    let request: Request = read(&call.body)?;
    lab.route53.state().zone_mut(zone)?.protect(&request.protections.items)?;
    ok("CreateResourceRecordSetProtectionsResponse", Empty {})
}

pub(super) fn delete(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    let request: Request = read(&call.body)?;
    lab.route53.state().zone_mut(zone)?.unprotect(&request.protections.items)?;
    ok("DeleteResourceRecordSetProtectionsResponse", Empty {})
}

pub(super) fn list(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    #[derive(Serialize)]
    struct Listed {
        #[serde(rename = "ResourceRecordSetProtection")]
        items: Vec<Entry>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        resource_record_set_protections: Listed,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }
    let [name, kind, max, token] = parameters(&call.query, ["name", "type", "maxresults", "nexttoken"])?;
    let most = items_max(max, 300)?;
    if kind.is_some() && name.is_none() {
        return Err(Refusal::InvalidInput("a start by type needs a name".to_owned()));
    }
    // "If you specify NextToken, Route 53 ignores StartRecordName." The lab's tokens are a name and a type.
    let start = match token {
        Some(token) => {
            let invalid = || Refusal::InvalidPaginationToken(token.clone());
            let (name, kind) = token.split_once(' ').ok_or_else(invalid)?;
            Some((DnsName::parse(name).map_err(|_| invalid())?, kind.parse().map_err(|_| invalid())?))
        }
        None => {
            let kind = kind.map_or(Ok(Kind::ALL[0]), |kind| kind.parse()).map_err(Refusal::InvalidInput)?;
            name.map(|name| DnsName::parse(&name)).transpose()?.map(|name| (name, kind))
        }
    };
    let state = lab.route53.state();
    let protections = &state.zone(zone)?.protections.0;
    let mut listed = protections.iter().filter(|(key, _)| start.as_ref().is_none_or(|start| *key >= start));
    let entry = |((name, kind), comment): (&(DnsName, Kind), &Option<String>)| Entry {
        record_name: name.to_string(),
        record_type: *kind,
        comment: comment.clone(),
    };
    let items = listed.by_ref().take(most).map(entry).collect();
    let next_token = listed.next().map(|((name, kind), _)| format!("{name} {kind}"));
    ok(
        "ListResourceRecordSetProtectionsResponse",
        Answer { resource_record_set_protections: Listed { items }, next_token },
    )
}
