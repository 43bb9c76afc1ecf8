//! Secrets Manager: which secrets there are, their values, and how far their replicas have come.

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
    /// Its value (`SecretString`), if anybody gave it one.
    pub value: Option<String>,
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

/// Which secret a call is about.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Named {
    secret_id: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeSecret" => describe(lab, call),
        "GetSecretValue" => value(lab, call),
        other => Err(Refusal::unsupported(format!("the Secrets Manager action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// The ARN of the secret that a call is about.
pub(crate) fn arn_of(call: &Call) -> Option<String> {
    let Named { secret_id } = input(call).ok()?;
    Some(if secret_id.starts_with("arn:") { secret_id } else { arn_in(&call.region, &secret_id) })
}

/// The ARN of a secret: six characters of Secrets Manager's own follow its name.
#[must_use]
pub fn arn_in(region: &str, name: &str) -> String {
    arn("secretsmanager", region, &format!("secret:{name}{SUFFIX}"))
}

const SUFFIX: &str = "-a1b2c3";

/// The secret that a call names, by name or ARN, and its name.
fn named(lab: &Lab, call: &Call) -> Result<(String, Secret), Refusal> {
    let Named { secret_id } = input(call)?;
    let of_arn = secret_id.strip_prefix(&arn("secretsmanager", &call.region, "secret:"));
    let name = of_arn.and_then(|name| name.strip_suffix(SUFFIX)).unwrap_or(&secret_id);
    let all = lab.secretsmanager.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = all.get(&(call.region.clone(), name.to_owned()));
    let none = || not_found("Secrets Manager can't find the specified secret.");
    Ok((name.to_owned(), found.cloned().ok_or_else(none)?))
}

fn not_found(message: &str) -> Refusal {
    Refusal::bad_request("ResourceNotFoundException", message)
}

fn value(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let (name, secret) = named(lab, call)?;
    if secret.deleted.is_some() {
        let why = "You can't perform this operation on the secret because it was marked for deletion.";
        return Err(Refusal::bad_request("InvalidRequestException", why));
    }
    let none = || not_found("Secrets Manager can't find the specified secret value for staging label: AWSCURRENT");
    let answer = json!({
        "ARN": arn_in(&call.region, &name),
        "Name": name,
        "SecretString": secret.value.ok_or_else(none)?,
        "VersionStages": ["AWSCURRENT"],
    });
    Ok((name, answer))
}

fn describe(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let (name, found) = named(lab, call)?;
    let replica = |(region, (status, message)): (&String, &(&str, String))| json!({"Region": region, "Status": status, "StatusMessage": message});
    let mut answer = json!({
        "ARN": arn_in(&call.region, &name),
        "Name": name,
        "ReplicationStatus": found.replicas.iter().map(replica).collect::<Vec<_>>(),
    });
    if let Some(deleted) = found.deleted {
        answer["DeletedDate"] = deleted.as_second().into();
    }
    Ok((name, answer))
}
