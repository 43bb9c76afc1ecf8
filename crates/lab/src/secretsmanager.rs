//! Secrets Manager: which secrets there are and how far their replicas have come. None has a value.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// Secrets, by region and name.
#[derive(Debug, Default)]
pub struct SecretsManager(Mutex<BTreeMap<(String, String), Secret>>);

/// A secret.
#[derive(Clone, Debug, Default)]
pub struct Secret {
    /// When somebody deleted it.
    pub deleted: Option<Timestamp>,
    /// The regions it is replicated to, each with AWS's word for how far, and what AWS says about it.
    pub replicas: BTreeMap<String, (&'static str, String)>,
}

impl SecretsManager {
    /// Changes a secret as people do; one that is not there yet is made.
    pub fn change(&self, region: &str, name: &str, change: impl FnOnce(&mut Secret)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry((region.to_owned(), name.to_owned())).or_default());
    }

    /// Removes a secret for good.
    pub fn delete(&self, region: &str, name: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(region.to_owned(), name.to_owned()));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    secret_id: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeSecret" => describe(lab, call),
        other => Err(Refusal::unsupported(format!("the Secrets Manager action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// The ARN of the secret that a call is about: six characters of Secrets Manager's own follow a name.
pub(crate) fn arn_of(call: &Call) -> Option<String> {
    Some(full_arn(&call.region, &input::<Describe>(call).ok()?.secret_id))
}

fn full_arn(region: &str, name: &str) -> String {
    arn("secretsmanager", region, &format!("secret:{name}-a1b2c3"))
}

fn describe(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Describe { secret_id: name } = input(call)?;
    let all = lab.secretsmanager.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = all.get(&(call.region.clone(), name.clone())).ok_or_else(|| {
        Refusal::bad_request("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    })?;
    let replica = |(region, (status, message)): (&String, &(&str, String))| json!({"Region": region, "Status": status, "StatusMessage": message});
    let mut answer = json!({
        "ARN": full_arn(&call.region, &name),
        "Name": name,
        "ReplicationStatus": found.replicas.iter().map(replica).collect::<Vec<_>>(),
    });
    if let Some(deleted) = found.deleted {
        answer["DeletedDate"] = deleted.as_second().into();
    }
    Ok((name, answer))
}
