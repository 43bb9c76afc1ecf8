//! Systems Manager's Parameter Store: which parameters there are. The lab keeps no values of theirs.

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

/// Every parameter, by region and name.
#[derive(Debug, Default)]
pub struct Ssm(Mutex<BTreeMap<(String, String), Parameter>>);

/// A parameter without its value.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its type: `String`, `StringList`, `SecureString`.
    pub kind: &'static str,
    /// What its value is held to: `text`, `aws:ec2:image`. Nothing is held to it here.
    pub data_type: &'static str,
    /// When it was last set.
    pub set_at: Timestamp,
}

impl Ssm {
    /// Puts a parameter there, or another in its place.
    pub fn put(&self, region: &str, name: &str, parameter: Parameter) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((region.to_owned(), name.to_owned()), parameter);
    }

    /// Deletes a parameter.
    pub fn delete(&self, region: &str, name: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(region.to_owned(), name.to_owned()));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    #[serde(rename = "Key")]
    _key: Key,
    #[serde(rename = "Option", default)]
    _option: Comparison,
    values: Vec<String>,
}

#[derive(Deserialize)]
enum Key {
    Name,
}

#[derive(Default, Deserialize)]
enum Comparison {
    #[default]
    Equals,
}

/// "Valid Range: Minimum value of 1. Maximum value of 50" (DescribeParameters), and as many values of a filter.
const PAGE_MAX: usize = 50;

/// The token that follows nothing: no name has a space.
const FIRST: &str = " ";

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeParameters" => describe(lab, call),
        other => Err(Refusal::unsupported(format!("the Systems Manager action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// "Request results are returned on a best-effort basis": the first page of several is empty here, as it may be there.
fn describe(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Describe { parameter_filters, max_results, next_token } = input(call)?;
    let most = max_results.unwrap_or(PAGE_MAX);
    let values = parameter_filters.iter().map(|filter| filter.values.len());
    if !(1..=PAGE_MAX).contains(&most) || values.clone().any(|count| !(1..=PAGE_MAX).contains(&count)) {
        let why = format!("Value failed to satisfy constraint: between 1 and {PAGE_MAX}");
        return Err(Refusal::bad_request("ValidationException", why));
    }
    let all = lab.ssm.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_wanted = |name: &String| parameter_filters.iter().all(|filter| filter.values.contains(name));
    let here = all.iter().filter(|((region, name), _)| *region == call.region && is_wanted(name));
    let rest: Vec<_> = here.filter(|((_, name), _)| next_token.as_ref().is_none_or(|last| name > last)).collect();
    let (page, next) = match (&next_token, rest.len() > most) {
        (None, true) => (&rest[..0], Some(FIRST)),
        (_, true) => (&rest[..most], rest[..most].last().map(|((_, name), _)| name.as_str())),
        (_, false) => (&rest[..], None),
    };
    let parameter = |((region, name), parameter): &(&(String, String), &Parameter)| {
        let path = name.strip_prefix('/').unwrap_or(name);
        let Parameter { kind, data_type, set_at } = parameter;
        json!({
            "Name": name, "ARN": arn("ssm", region, &format!("parameter/{path}")), "Type": kind, "DataType": data_type,
            "LastModifiedDate": set_at.as_second(), "Version": 1, "Tier": "Standard",
        })
    };
    let mut answer = json!({"Parameters": page.iter().map(parameter).collect::<Vec<_>>()});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok((String::new(), answer))
}
