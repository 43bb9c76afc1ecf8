//! KMS: the states of keys. Nothing is encrypted here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::{Arn, arn};
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// The states of keys, by ARN.
#[derive(Debug, Default)]
pub struct Kms(Mutex<BTreeMap<String, &'static str>>);

impl Kms {
    /// Gives a key a state: `Enabled`, `Disabled`, `PendingDeletion`, …; one that is not there yet is made. Its ARN.
    pub fn set(&self, region: &str, id: &str, state: &'static str) -> String {
        let arn = arn("kms", region, &format!("key/{id}"));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.clone(), state);
        arn
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    key_id: String,
}

impl Describe {
    /// "Use its key ID, key ARN, alias name, or alias ARN" (DescribeKey); the lab knows no aliases.
    fn arn(&self, region: &str) -> String {
        match self.key_id.starts_with("arn:") {
            true => self.key_id.clone(),
            false => arn("kms", region, &format!("key/{}", self.key_id)),
        }
    }
}

/// The key that a call is about.
pub(crate) fn key_of(call: &Call) -> Option<String> {
    Some(input::<Describe>(call).ok()?.arn(&call.region))
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeKey" => describe(lab, call),
        other => Err(Refusal::unsupported(format!("the KMS action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

fn describe(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let key = input::<Describe>(call)?.arn(&call.region);
    let state = lab.kms.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    let is_here = Arn::parse(&key).is_some_and(|arn| arn.region == call.region);
    let state = state
        .filter(|_| is_here)
        .ok_or_else(|| Refusal::bad_request("NotFoundException", format!("Key '{key}' does not exist")))?;
    let id = key.rsplit('/').next().unwrap_or_default();
    let metadata = json!({"KeyId": id, "Arn": key, "KeyState": state, "Enabled": state == "Enabled"});
    Ok((key, json!({"KeyMetadata": metadata})))
}
