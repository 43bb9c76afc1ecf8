//! Parameter groups: what people set in them, and nothing of what databases make of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::api::Answer;
use super::current;
use crate::Lab;
use crate::wire::Refusal;
use crate::wire::query::Form;

/// What people set, by region and group.
pub(super) type Parameters = BTreeMap<(String, String), BTreeMap<String, String>>;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    parameters: Items,
}

#[derive(Serialize)]
struct Items {
    #[serde(rename = "Parameter")]
    items: Vec<Parameter>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter_name: String,
    parameter_value: String,
    source: &'static str,
}

/// Sets a parameter of a group as a person does, or takes it back.
pub fn set_parameter(lab: &Lab, region: &str, group: &str, name: &str, value: Option<&str>) {
    let mut state = current(lab);
    let group = state.parameters.entry((region.to_owned(), group.to_owned())).or_default();
    match value {
        Some(value) => drop(group.insert(name.to_owned(), value.to_owned())),
        None => drop(group.remove(name)),
    }
}

/// "The parameter types to return … user | system | engine-default" (DescribeDBParameters): `user` is what people set.
pub(super) fn describe(lab: &Lab, region: &str, mut form: Form, group: &str) -> Answer<Described> {
    let name = form.required(group)?;
    let source = form.required("Source")?;
    form.finish()?;
    if source != "user" {
        return Err(Refusal::unsupported(format!("parameters of the source {source}")));
    }
    let state = current(lab);
    let of = |name: &str, value: &String| Parameter {
        parameter_name: name.to_owned(),
        parameter_value: value.clone(),
        source: "user",
    };
    let is_used = state.instances.iter().any(|((of, _), it)| of == region && it.settings.parameter_group == name)
        || state.clusters.iter().any(|((of, _), it)| of == region && it.settings.parameter_group == name);
    match state.parameters.get(&(region.to_owned(), name.clone())) {
        Some(set) => {
            let items = set.iter().map(|(name, value)| of(name, value)).collect();
            Ok((name, Described { parameters: Items { items } }))
        }
        None if is_used => Ok((name, Described { parameters: Items { items: Vec::new() } })),
        None => Err(Refusal::not_found("DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))),
    }
}
