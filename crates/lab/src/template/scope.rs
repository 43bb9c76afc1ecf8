//! What names in a template stand for, and its intrinsic functions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::DeployError;
use crate::ACCOUNT;

/// Conditions may refer to one another; CloudFormation refuses circles, and so does this limit.
const CONDITION_DEPTH_MAX: usize = 32;

/// A resource that exists: what `Ref` and `Fn::GetAtt` say of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Created {
    pub reference: String,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Scope {
    pub region: String,
    pub stack: String,
    pub parameters: BTreeMap<String, Value>,
    pub mappings: Value,
    pub conditions: Value,
    pub resources: BTreeMap<String, Created>,
}

type Resolved<T> = Result<T, DeployError>;

fn refused<T>(why: impl Into<String>) -> Resolved<T> {
    Err(DeployError::Template(why.into()))
}

/// A scalar as CloudFormation writes it where text is wanted.
pub(super) fn text(value: &Value) -> Resolved<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => refused(format!("text is expected, not {other}")),
    }
}

/// The intrinsic function an object stands for, if it is one.
fn intrinsic(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next().filter(|_| object.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

impl Scope {
    /// Resolves a value; `None` is `AWS::NoValue`.
    pub fn resolve(&self, value: &Value) -> Resolved<Option<Value>> {
        match value {
            Value::Object(object) => match intrinsic(object) {
                Some((function, argument)) => self.call(function, argument),
                None => {
                    let mut resolved = Map::new();
                    for (name, value) in object {
                        if let Some(value) = self.resolve(value)? {
                            resolved.insert(name.clone(), value);
                        }
                    }
                    Ok(Some(Value::Object(resolved)))
                }
            },
            Value::Array(items) => {
                let items: Resolved<Vec<Option<Value>>> = items.iter().map(|item| self.resolve(item)).collect();
                Ok(Some(items?.into_iter().flatten().collect()))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// Resolves a value that must be text.
    pub fn text(&self, value: &Value) -> Resolved<String> {
        text(&self.resolve(value)?.unwrap_or_default())
    }

    /// True if a condition of this name holds.
    pub fn holds(&self, name: &str) -> Resolved<bool> {
        self.named_condition(name, 0)
    }

    /// True if what stands where a condition may is true.
    pub fn is_true(&self, condition: &Value) -> Resolved<bool> {
        self.condition(condition, 0)
    }

    fn named_condition(&self, name: &str, depth: usize) -> Resolved<bool> {
        match self.conditions.get(name) {
            _ if depth > CONDITION_DEPTH_MAX => refused(format!("condition {name} refers to itself")),
            Some(condition) => self.condition(condition, depth + 1),
            None => refused(format!("there is no condition {name}")),
        }
    }

    fn condition(&self, condition: &Value, depth: usize) -> Resolved<bool> {
        let unknown = || DeployError::Template(format!("not a condition: {condition}"));
        let (name, argument) = condition.as_object().and_then(|object| object.iter().next()).ok_or_else(unknown)?;
        if name == "Condition" {
            return self.named_condition(argument.as_str().ok_or_else(unknown)?, depth);
        }
        let arguments = argument.as_array().ok_or_else(unknown)?;
        let each = || arguments.iter().map(|argument| self.condition(argument, depth));
        match (name.as_str(), arguments.as_slice()) {
            ("Fn::Equals", [one, other]) => Ok(self.text(one)? == self.text(other)?),
            ("Fn::Not", [one]) => Ok(!self.condition(one, depth)?),
            ("Fn::And", _) => Ok(each().collect::<Resolved<Vec<_>>>()?.into_iter().all(|holds| holds)),
            ("Fn::Or", _) => Ok(each().collect::<Resolved<Vec<_>>>()?.into_iter().any(|holds| holds)),
            _ => Err(unknown()),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> Resolved<Option<Value>> {
        let arguments = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (function, arguments) {
            ("Ref", _) => self.reference(&text(argument)?),
            ("Fn::GetAtt", [resource, attribute]) => {
                self.attribute(&text(resource)?, &self.text(attribute)?).map(|value| Some(json!(value)))
            }
            ("Fn::GetAtt", _) => match text(argument)?.split_once('.') {
                Some((resource, attribute)) => self.attribute(resource, attribute).map(|value| Some(json!(value))),
                None => refused(format!("Fn::GetAtt {argument} names no attribute")),
            },
            ("Fn::Sub", [template, variables]) => {
                let variables: BTreeMap<String, Value> = super::section(variables)?;
                self.substitute(&text(template)?, &variables).map(|value| Some(json!(value)))
            }
            ("Fn::Sub", _) => self.substitute(&text(argument)?, &BTreeMap::new()).map(|value| Some(json!(value))),
            ("Fn::Join", [delimiter, list]) => {
                let parts: Resolved<Vec<String>> = self.list(list)?.iter().map(text).collect();
                Ok(Some(json!(parts?.join(&self.text(delimiter)?))))
            }
            ("Fn::Split", [delimiter, whole]) => {
                let (delimiter, whole) = (self.text(delimiter)?, self.text(whole)?);
                Ok(Some(whole.split(&delimiter).collect()))
            }
            ("Fn::Select", [index, list]) => {
                let (index, list) = (self.text(index)?, self.list(list)?);
                match index.parse::<usize>().ok().and_then(|index| list.get(index)) {
                    Some(item) => Ok(Some(item.clone())),
                    None => refused(format!("Fn::Select has no item {index}")),
                }
            }
            ("Fn::FindInMap", [map, first, second]) => {
                let [map, first, second] = [self.text(map)?, self.text(first)?, self.text(second)?];
                match self.mappings.get(&map).and_then(|map| map.get(&first)?.get(&second)) {
                    Some(found) => Ok(Some(found.clone())),
                    None => refused(format!("Fn::FindInMap finds nothing under {map}, {first}, {second}")),
                }
            }
            ("Fn::If", [condition, then, otherwise]) => {
                self.resolve(if self.holds(&text(condition)?)? { then } else { otherwise })
            }
            _ => refused(format!("the lab does not know {function} with {argument}")),
        }
    }

    fn list(&self, value: &Value) -> Resolved<Vec<Value>> {
        match self.resolve(value)? {
            Some(Value::Array(items)) => Ok(items),
            other => refused(format!("a list is expected, not {}", other.unwrap_or_default())),
        }
    }

    fn reference(&self, name: &str) -> Resolved<Option<Value>> {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => self.region.clone(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackName" => self.stack.clone(),
            "AWS::StackId" => crate::arn::arn("cloudformation", &self.region, &format!("stack/{}/lab", self.stack)),
            _ => match (self.parameters.get(name), self.resources.get(name)) {
                (Some(value), _) => return Ok(Some(value.clone())),
                (None, Some(created)) => created.reference.clone(),
                (None, None) => return refused(format!("{name} is neither a parameter nor a resource that exists")),
            },
        };
        Ok(Some(json!(pseudo)))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Resolved<String> {
        let created = self.resources.get(resource);
        match created.and_then(|created| created.attributes.get(attribute)) {
            Some(value) => Ok(value.clone()),
            None => refused(format!("there is no attribute {resource}.{attribute}")),
        }
    }

    fn substitute(&self, template: &str, variables: &BTreeMap<String, Value>) -> Resolved<String> {
        let mut result = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return refused(format!("Fn::Sub has an open brace in {template:?}"));
            };
            result.push_str(before);
            match (name.strip_prefix('!'), variables.get(name), name.split_once('.')) {
                // "To write a dollar sign and curly braces literally, add an exclamation point" (Fn::Sub).
                (Some(literal), ..) => result.push_str(&format!("${{{literal}}}")),
                (None, Some(value), _) => result.push_str(&self.text(value)?),
                (None, None, Some((resource, attribute))) => result.push_str(&self.attribute(resource, attribute)?),
                (None, None, None) => result.push_str(&text(&self.reference(name)?.unwrap_or_default())?),
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// Every name a value refers to, whichever way.
pub(super) fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            match intrinsic(object) {
                Some(("Ref", Value::String(name))) => found.push(name.clone()),
                Some(("Fn::GetAtt", Value::String(name))) => found.extend(name.split('.').next().map(str::to_owned)),
                Some(("Fn::GetAtt", Value::Array(parts))) => {
                    found.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
                }
                Some(("Fn::Sub", Value::String(template))) => substituted(template, found),
                Some(("Fn::Sub", Value::Array(parts))) => {
                    parts.first().and_then(Value::as_str).into_iter().for_each(|template| substituted(template, found));
                }
                _ => {}
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn substituted(template: &str, found: &mut Vec<String>) {
    for part in template.split("${").skip(1) {
        found.extend(part.split(['.', '}']).next().map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let bus = Created {
            reference: "ours".to_owned(),
            attributes: BTreeMap::from([("Arn".to_owned(), "arn:bus".to_owned())]),
        };
        Scope {
            region: "us-west-2".to_owned(),
            stack: "app".to_owned(),
            parameters: BTreeMap::from([
                ("Name".to_owned(), json!("holdfast")),
                ("Empty".to_owned(), json!("")),
                ("List".to_owned(), json!(["a", "b"])),
            ]),
            mappings: json!({"Sizes": {"us-west-2": {"Memory": 256}}}),
            conditions: json!({
                "HasEmpty": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Empty"}, ""]}]},
                "HasName": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
                "Either": {"Fn::Or": [{"Condition": "HasEmpty"}, {"Condition": "HasName"}]},
                "Both": {"Fn::And": [{"Condition": "HasEmpty"}, {"Condition": "HasName"}]},
                "Circle": {"Condition": "Circle"},
            }),
            resources: BTreeMap::from([("Bus".to_owned(), bus)]),
        }
    }

    #[test]
    fn intrinsic_functions_mean_what_cloudformation_documents() {
        let table = [
            (json!({"Ref": "Name"}), json!("holdfast")),
            (json!({"Ref": "Bus"}), json!("ours")),
            (json!({"Ref": "AWS::Region"}), json!("us-west-2")),
            (json!({"Ref": "AWS::AccountId"}), json!("123456789012")),
            (json!({"Fn::GetAtt": "Bus.Arn"}), json!("arn:bus")),
            (json!({"Fn::GetAtt": ["Bus", "Arn"]}), json!("arn:bus")),
            (
                json!({"Fn::Sub": "${Name}-${AWS::Region} ${Bus.Arn} ${!Kept}"}),
                json!("holdfast-us-west-2 arn:bus ${Kept}"),
            ),
            (json!({"Fn::Sub": ["${x}/${Name}", {"x": {"Ref": "AWS::Partition"}}]}), json!("aws/holdfast")),
            (json!({"Fn::Join": ["-", ["x", {"Ref": "Name"}, 1]]}), json!("x-holdfast-1")),
            (json!({"Fn::Join": ["\",\"", {"Ref": "List"}]}), json!("a\",\"b")),
            (json!({"Fn::Split": [",", "a,b"]}), json!(["a", "b"])),
            (json!({"Fn::Select": ["1", {"Ref": "List"}]}), json!("b")),
            (json!({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Memory"]}), json!(256)),
            (json!({"Fn::If": ["HasName", "yes", "no"]}), json!("yes")),
            (json!({"Fn::If": ["Either", "yes", "no"]}), json!("yes")),
            (json!({"Fn::If": ["Both", "yes", "no"]}), json!("no")),
            (json!({"a": {"Fn::If": ["HasEmpty", "x", {"Ref": "AWS::NoValue"}]}, "b": 1}), json!({"b": 1})),
            (json!([{"Fn::If": ["HasEmpty", "x", {"Ref": "AWS::NoValue"}]}, "y"]), json!(["y"])),
            (
                json!({"Statement": [{"Condition": {"StringEquals": {"a": "b"}}}]}),
                json!({"Statement": [{"Condition": {"StringEquals": {"a": "b"}}}]}),
            ),
        ];
        for (value, expected) in table {
            assert_eq!(scope().resolve(&value).unwrap(), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_resolved_is_refused_by_name() {
        let table = [
            (json!({"Ref": "Absent"}), "Absent"),
            (json!({"Fn::GetAtt": "Bus.Policy"}), "Bus.Policy"),
            (json!({"Fn::Sub": "${Absent}"}), "Absent"),
            (json!({"Fn::Sub": "${List}"}), "text is expected"),
            (json!({"Fn::ImportValue": "x"}), "Fn::ImportValue"),
            (json!({"Fn::If": ["Absent", 1, 2]}), "Absent"),
            (json!({"Fn::If": ["Circle", 1, 2]}), "Circle"),
            (json!({"Fn::Select": ["2", {"Ref": "List"}]}), "no item 2"),
        ];
        for (value, named) in table {
            let error = scope().resolve(&value).unwrap_err().to_string();
            assert!(error.contains(named), "{value}: {error}");
        }
    }

    #[test]
    fn references_are_found_wherever_they_hide() {
        let mut found = Vec::new();
        let value = json!({
            "a": [{"Ref": "A"}, {"Fn::GetAtt": "B.Arn"}, {"Fn::GetAtt": ["C", "Arn"]}],
            "b": {"Fn::Sub": ["${D} ${E.Arn}", {"x": {"Ref": "F"}}]},
        });
        references(&value, &mut found);
        found.sort();
        assert_eq!(found, ["A", "B", "C", "D", "E", "F"]);
    }
}
