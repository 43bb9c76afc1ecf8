//! Parameters: their defaults and constraints.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::DeployError;
use super::scope::text;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameter {
    r#type: String,
    default: Option<Value>,
    allowed_values: Option<Vec<Value>>,
    allowed_pattern: Option<String>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    min_value: Option<f64>,
    max_value: Option<f64>,
    constraint_description: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<Value>,
    #[serde(rename = "NoEcho")]
    _no_echo: Option<Value>,
}

/// What each parameter stands for: text, or a list for list types.
pub(super) fn resolve(
    declared: &Value,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, DeployError> {
    let declared: BTreeMap<String, Value> = super::section(declared)?;
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(refused(unknown, "the template has no such parameter"));
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let parameter: Parameter =
            serde_json::from_value(declaration).map_err(|error| refused(&name, &error.to_string()))?;
        let default = parameter.default.as_ref().map(text).transpose()?;
        let given = given.get(&name).cloned().or(default).ok_or_else(|| refused(&name, "it has no value"))?;
        let value = parameter.value(&given).map_err(|why| refused(&name, &why))?;
        values.insert(name, value);
    }
    Ok(values)
}

impl Parameter {
    fn value(&self, given: &str) -> Result<Value, String> {
        let list = || given.split(',').map(str::trim).collect::<Vec<_>>();
        match self.r#type.as_str() {
            "String" | "Number" | "AWS::Route53::HostedZone::Id" => self.check(given).map(|()| json!(given)),
            "CommaDelimitedList" | "List<Number>" | "List<AWS::Route53::HostedZone::Id>" => {
                list().into_iter().try_for_each(|item| self.check(item)).map(|()| json!(list()))
            }
            other => Err(format!("the lab does not know the type {other}")),
        }
    }

    fn check(&self, value: &str) -> Result<(), String> {
        if let Some(allowed) = &self.allowed_values {
            let is_allowed = |allowed: &Value| text(allowed).is_ok_and(|allowed| allowed == value);
            if !allowed.iter().any(is_allowed) {
                let allowed: Vec<_> = allowed.iter().filter_map(|allowed| text(allowed).ok()).collect();
                return Err(format!("{value:?} is not among its AllowedValues: {}", allowed.join(", ")));
            }
        }
        if let Some(pattern) = &self.allowed_pattern {
            // The whole value must match.
            let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())?;
            if !whole.is_match(value) {
                // "… to explain a constraint when the constraint is violated" (CloudFormation user guide).
                let why = self.constraint_description.as_ref().map(|why| format!(": it {why}")).unwrap_or_default();
                return Err(format!("{value:?} does not match its AllowedPattern {pattern}{why}"));
            }
        }
        let length = value.chars().count();
        if self.min_length.is_some_and(|min| length < min) || self.max_length.is_some_and(|max| length > max) {
            return Err(format!("the length of {value:?} is outside its MinLength and MaxLength"));
        }
        if !self.r#type.contains("Number") {
            return Ok(());
        }
        let number: f64 = value.parse().map_err(|_| format!("{value:?} is not a number"))?;
        if self.min_value.is_some_and(|min| number < min) || self.max_value.is_some_and(|max| number > max) {
            let ends = [self.min_value, self.max_value].map(|end| end.map_or("none".to_owned(), |end| end.to_string()));
            return Err(format!("{value} is outside its MinValue {} and MaxValue {}", ends[0], ends[1]));
        }
        Ok(())
    }
}

fn refused(name: &str, why: &str) -> DeployError {
    DeployError::Parameter { name: name.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(declaration: Value, given: Option<&str>) -> Result<Value, String> {
        let given = given.map(|value| ("P".to_owned(), value.to_owned())).into_iter().collect();
        let mut values = resolve(&json!({"P": declaration}), &given).map_err(|error| error.to_string())?;
        Ok(values.remove("P").unwrap())
    }

    #[test]
    fn values_and_defaults_are_checked_against_their_constraints() {
        let minutes = json!({"Type": "Number", "Default": 30, "MinValue": 5, "MaxValue": 1440});
        let mode = json!({"Type": "String", "AllowedValues": ["automatic", "shadow"]});
        let path = json!({"Type": "String", "AllowedPattern": "/.*", "Default": "/health", "MaxLength": 8});
        let table = [
            (&minutes, None, Some(json!("30"))),
            (&minutes, Some("5"), Some(json!("5"))),
            (&minutes, Some("4"), None),
            (&minutes, Some("soon"), None),
            (&mode, Some("shadow"), Some(json!("shadow"))),
            (&mode, Some("manual"), None),
            (&mode, None, None),
            (&path, None, Some(json!("/health"))),
            (&path, Some("x/"), None),
            (&path, Some("/too-long-a-path"), None),
            (&json!({"Type": "CommaDelimitedList"}), Some("a, b"), Some(json!(["a", "b"]))),
            (&json!({"Type": "CommaDelimitedList", "Default": ""}), None, Some(json!([""]))),
            (&json!({"Type": "AWS::EC2::VPC::Id"}), Some("vpc-1"), None),
        ];
        for (declaration, given, expected) in table {
            assert_eq!(one(declaration.clone(), given).ok(), expected, "{declaration} {given:?}");
        }
        let unknown = resolve(&json!({}), &BTreeMap::from([("Q".to_owned(), "x".to_owned())])).unwrap_err();
        assert!(unknown.to_string().contains('Q'));
    }
}
