//! Deploys CloudFormation and SAM templates into the lab.

mod edges;
mod parameters;
mod properties;
mod resources;
mod roles;
mod scope;
mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Lab;
use resources::Resource;
use scope::{Created, Scope};
pub use yaml::parse;

/// What a stack tells of itself.
pub type Outputs = BTreeMap<String, String>;

/// The code of a function, as its `Metadata.BuildProperties.Binary` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// Name of the cargo binary.
    pub name: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
}

/// Why a template was not deployed. What had been created by then stays: there is no rollback in the lab.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// The text is not the YAML of a template.
    #[error("not a template: {0}")]
    Yaml(String),
    /// Something in the template is wrong, or the lab does not know it.
    #[error("{0}")]
    Template(String),
    /// A parameter has no value or a wrong one.
    #[error("parameter {name}: {why}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A resource cannot be created.
    #[error("resource {id} ({kind}): {why}")]
    Resource {
        /// Its logical id.
        id: String,
        /// Its type.
        kind: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The type that the template's globals are for.
const FUNCTION: &str = "AWS::Serverless::Function";
const RULE: &str = "AWS::Events::Rule";

/// Every stack deployed so far.
#[derive(Debug, Default)]
pub struct Stacks(Mutex<BTreeMap<(String, String), BTreeMap<String, Deployed>>>);

#[derive(Clone, Debug)]
struct Deployed {
    kind: String,
    properties: Value,
    created: Created,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Template {
    #[serde(default)]
    parameters: Value,
    #[serde(default)]
    mappings: Value,
    #[serde(default)]
    conditions: Value,
    #[serde(default)]
    rules: BTreeMap<String, Rule>,
    #[serde(default)]
    globals: Globals,
    resources: BTreeMap<String, Declared>,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
    transform: Option<String>,
    #[serde(rename = "AWSTemplateFormatVersion")]
    _version: Option<Value>,
    #[serde(rename = "Description")]
    _description: Option<Value>,
    #[serde(rename = "Metadata")]
    _metadata: Option<Value>,
}

/// What a template asks of its parameters together.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Rule {
    rule_condition: Option<Value>,
    assertions: Vec<Assertion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Assertion {
    assert: Value,
    #[serde(default)]
    assert_description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Globals {
    #[serde(default)]
    function: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Declared {
    r#type: String,
    condition: Option<String>,
    #[serde(default)]
    properties: Value,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    depends_on: Value,
    /// Nothing is deleted in the lab.
    #[serde(rename = "DeletionPolicy")]
    _deletion_policy: Option<Value>,
    #[serde(rename = "UpdateReplacePolicy")]
    _update_replace_policy: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Output {
    value: Value,
    condition: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<Value>,
}

impl Stacks {
    /// A resource's properties as they were deployed, everything in them resolved.
    pub fn properties(&self, region: &str, stack: &str, resource: &str) -> Option<Value> {
        let stacks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stack = stacks.get(&(region.to_owned(), stack.to_owned()))?;
        stack.get(resource).map(|deployed| deployed.properties.clone())
    }

    /// The kinds of a stack's resources, by their ids.
    pub fn kinds(&self, region: &str, stack: &str) -> BTreeMap<String, String> {
        let stacks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stack = stacks.get(&(region.to_owned(), stack.to_owned()));
        stack.into_iter().flatten().map(|(id, deployed)| (id.clone(), deployed.kind.clone())).collect()
    }
}

/// Deploys a template, or updates the stack of this name: queues, topics and buses keep what is in them, functions get
/// new processes. `code` says which executable stands behind a binary.
///
/// # Errors
/// If the template is wrong, or contains anything the lab does not know.
pub fn deploy(
    lab: &Arc<Lab>,
    region: &str,
    stack_name: &str,
    yaml: &str,
    parameters: &BTreeMap<String, String>,
    code: &dyn Fn(&Binary) -> PathBuf,
) -> Result<Outputs, DeployError> {
    let (template, mut scope) = prepare(region, stack_name, yaml, parameters)?;
    let key = (region.to_owned(), stack_name.to_owned());
    let before = lab.stacks.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned().unwrap_or_default();
    let order = order(&template, &scope)?;
    if let Some(removed) = before.keys().find(|id| !order.contains(&id.as_str())) {
        return Err(DeployError::Template(format!("the lab cannot remove {removed} from a stack")));
    }
    let mut after = BTreeMap::new();
    for id in order {
        let deployed = resource(lab, &scope, &template, id, before.get(id), code)?;
        scope.resources.insert(id.to_owned(), deployed.created.clone());
        after.insert(id.to_owned(), deployed);
    }
    lab.stacks.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, after);
    outputs(&template, &scope)
}

/// Checks parameters by their constraints and by the template's rules, as CloudFormation does before it makes anything.
///
/// # Errors
/// If the template or a parameter is wrong.
pub fn check(region: &str, yaml: &str, parameters: &BTreeMap<String, String>) -> Result<(), DeployError> {
    prepare(region, "none", yaml, parameters).map(drop)
}

fn prepare(
    region: &str,
    stack_name: &str,
    yaml: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<(Template, Scope), DeployError> {
    let template: Template = section(&yaml::parse(yaml)?)?;
    if let Some(other) = template.transform.as_ref().filter(|transform| *transform != "AWS::Serverless-2016-10-31") {
        return Err(DeployError::Template(format!("the lab does not know the transform {other}")));
    }
    let scope = Scope {
        region: region.to_owned(),
        stack: stack_name.to_owned(),
        parameters: parameters::resolve(&template.parameters, parameters)?,
        mappings: template.mappings.clone(),
        conditions: template.conditions.clone(),
        resources: BTreeMap::new(),
    };
    obey(&template, &scope)?;
    Ok((template, scope))
}

/// "If any one of the assertions … evaluates to false", nothing is deployed (CloudFormation user guide, "Rules").
fn obey(template: &Template, scope: &Scope) -> Result<(), DeployError> {
    for (name, rule) in &template.rules {
        if !rule.rule_condition.as_ref().map_or(Ok(true), |condition| scope.is_true(condition))? {
            continue;
        }
        for assertion in &rule.assertions {
            if !scope.is_true(&assertion.assert)? {
                return Err(DeployError::Template(format!("rule {name}: {}", assertion.assert_description)));
            }
        }
    }
    Ok(())
}

fn resource(
    lab: &Arc<Lab>,
    scope: &Scope,
    template: &Template,
    id: &str,
    before: Option<&Deployed>,
    code: &dyn Fn(&Binary) -> PathBuf,
) -> Result<Deployed, DeployError> {
    let declared = &template.resources[id];
    let kind = declared.r#type.as_str();
    let refused = |why: String| DeployError::Resource { id: id.to_owned(), kind: kind.to_owned(), why };
    let mut unresolved = if declared.properties.is_null() { json!({}) } else { declared.properties.clone() };
    if kind == FUNCTION {
        unresolved = merged(template.globals.function.clone(), unresolved);
    }
    let resolve = |value: &Value| scope.resolve(value).map_err(|error| refused(error.to_string()));
    let properties = resolve(&unresolved)?.unwrap_or_default();
    let metadata = resolve(&declared.metadata)?.unwrap_or_default();
    // A health check has no name to know it by, so it is kept, or else would be another one.
    if let Some(before) = before.filter(|_| kind == "AWS::Route53::HealthCheck") {
        return match before.properties == properties {
            true => Ok(before.clone()),
            false => Err(refused("the lab cannot change a health check that is deployed".to_owned())),
        };
    }
    if let Some(before) = before.filter(|before| kind == "AWS::Route53::RecordSet" && before.properties == properties) {
        return Ok(before.clone());
    }
    let resource = Resource { id, kind, properties: properties.clone(), metadata };
    let created = resources::create(lab, scope, resource, code).map_err(refused)?;
    match before {
        // Its bus and its name are what it is known by: "Update requires: Replacement", and the old one is deleted once there is a new one.
        Some(before) if kind == RULE && before.created.reference != created.reference => {
            let bus = before.properties["EventBusName"].as_str();
            let deleted = lab.events.delete_rule(&scope.region, bus, &before.created.reference);
            deleted.map_err(|refusal| refused(refusal.message))?;
            Ok(Deployed { kind: kind.to_owned(), properties, created })
        }
        Some(before) if before.kind != kind || before.created.reference != created.reference => {
            Err(refused("the lab cannot replace a resource by another".to_owned()))
        }
        _ => Ok(Deployed { kind: kind.to_owned(), properties, created }),
    }
}

/// "Globals … are inherited by each resource": maps are merged, lists joined, anything else overridden.
fn merged(global: Value, own: Value) -> Value {
    match (global, own) {
        (Value::Object(mut global), Value::Object(own)) => {
            for (name, own) in own {
                let inherited = global.remove(&name).unwrap_or_default();
                global.insert(name, merged(inherited, own));
            }
            Value::Object(global)
        }
        (Value::Array(mut global), Value::Array(own)) => {
            global.extend(own);
            Value::Array(global)
        }
        (Value::Object(global), Value::Null) => Value::Object(global),
        (_, own) => own,
    }
}

/// The resources that are to exist, each after all it refers to.
fn order<'a>(template: &'a Template, scope: &Scope) -> Result<Vec<&'a str>, DeployError> {
    let mut waiting = BTreeMap::new();
    for (id, declared) in &template.resources {
        let exists = declared.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))?;
        if !exists {
            continue;
        }
        let mut needs = Vec::new();
        scope::references(&declared.properties, &mut needs);
        if declared.r#type == FUNCTION {
            scope::references(&template.globals.function, &mut needs);
        }
        let explicit: Vec<String> = match declared.depends_on.clone() {
            Value::String(id) => vec![id],
            Value::Null => Vec::new(),
            list => section(&list)?,
        };
        if let Some(absent) = explicit.iter().find(|id| !template.resources.contains_key(*id)) {
            return Err(DeployError::Template(format!("{id} depends on {absent}, which is no resource")));
        }
        needs.extend(explicit);
        waiting.insert(id.as_str(), needs);
    }
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().find(|(_, needs)| !needs.iter().any(|need| waiting.contains_key(need.as_str())));
        let Some(id) = ready.map(|(id, _)| *id) else {
            let circle: Vec<&str> = waiting.into_keys().collect();
            return Err(DeployError::Template(format!("resources refer to one another in a circle: {circle:?}")));
        };
        waiting.remove(id);
        order.push(id);
    }
    Ok(order)
}

fn outputs(template: &Template, scope: &Scope) -> Result<Outputs, DeployError> {
    let mut outputs = Outputs::new();
    for (name, output) in &template.outputs {
        if output.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))? {
            outputs.insert(name.clone(), scope.text(&output.value)?);
        }
    }
    Ok(outputs)
}

/// Reads a part of the template, which may be absent; what the lab does not know in it is refused by name.
fn section<T: DeserializeOwned>(value: &Value) -> Result<T, DeployError> {
    let value = if value.is_null() { json!({}) } else { value.clone() };
    serde_json::from_value(value).map_err(|error| DeployError::Template(error.to_string()))
}
