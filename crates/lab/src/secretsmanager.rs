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

/// A secret that somebody makes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct New {
    name: String,
    secret_string: Option<String>,
    /// SDKs make one up: "this value becomes the VersionId of the new version".
    client_request_token: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<String>,
}

/// Which secrets are listed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Listing {
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    include_planned_deletion: bool,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeSecret" => describe(lab, call),
        "GetSecretValue" => value(lab, call),
        "CreateSecret" => create(lab, call),
        "ListSecrets" => list(lab, call),
        other => Err(Refusal::unsupported(format!("the Secrets Manager action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// The ARN of the secret that a call is about.
pub(crate) fn arn_of(call: &Call) -> Option<String> {
    let Named { secret_id } = input(call).ok()?;
    Some(if secret_id.starts_with("arn:") { secret_id } else { arn_in(&call.region, &secret_id) })
}

/// The ARN that a new secret is to have.
pub(crate) fn new_arn(call: &Call) -> Option<String> {
    Some(arn_in(&call.region, &input::<New>(call).ok()?.name))
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

/// The characters that AWS takes in a name beside letters and digits, and how many of them (CreateSecret).
const MARKS: &str = "/_+=.@-";
const NAME_CHARACTERS_MAX: usize = 512;

fn create(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let New { name, secret_string, client_request_token, .. } = input(call)?;
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || MARKS.contains(c));
    if !(1..=NAME_CHARACTERS_MAX).contains(&name.len()) || !is_name(&name) {
        let why =
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
        return Err(Refusal::bad_request("ValidationException", why));
    }
    let mut all = lab.secretsmanager.0.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (call.region.clone(), name.clone());
    match all.get(&key) {
        Some(Secret { deleted: Some(_), .. }) => {
            let why = "You can't create this secret because a secret with this name is already scheduled for deletion.";
            return Err(Refusal::bad_request("InvalidRequestException", why));
        }
        Some(_) => {
            let why = format!("The operation failed because the secret {name} already exists.");
            return Err(Refusal::bad_request("ResourceExistsException", why));
        }
        None => drop(all.insert(key, Secret { value: secret_string.clone(), ..Secret::default() })),
    }
    let mut answer = json!({"ARN": arn_in(&call.region, &name), "Name": name});
    // "If you … don't include SecretString or SecretBinary then Secrets Manager creates only the secret metadata".
    if secret_string.is_some() {
        answer["VersionId"] = client_request_token.into();
    }
    Ok((name, answer))
}

/// "Must be between 1 and 100" (ListSecrets).
const PAGE_MAX: usize = 100;

fn list(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Listing { max_results, next_token, include_planned_deletion } = input(call)?;
    let most = max_results.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&most) {
        return Err(Refusal::bad_request("ValidationException", "MaxResults must be between 1 and 100"));
    }
    let all = lab.secretsmanager.0.lock().unwrap_or_else(PoisonError::into_inner);
    let here = all.iter().filter(|((region, _), secret)| {
        *region == call.region && (include_planned_deletion || secret.deleted.is_none())
    });
    // A page ends with the name that its token is.
    let mut rest = here.filter(|((_, name), _)| next_token.as_ref().is_none_or(|last| name > last)).peekable();
    let mut page = Vec::new();
    while let Some(((_, name), secret)) = rest.next_if(|_| page.len() < most) {
        let mut entry = json!({"ARN": arn_in(&call.region, name), "Name": name});
        if let Some(deleted) = secret.deleted {
            entry["DeletedDate"] = deleted.as_second().into();
        }
        page.push(entry);
    }
    let last = page.last().map(|entry| entry["Name"].clone()).filter(|_| rest.peek().is_some());
    let mut answer = json!({"SecretList": page});
    if let Some(last) = last {
        answer["NextToken"] = last;
    }
    Ok((String::new(), answer))
}
