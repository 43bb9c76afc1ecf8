//! Event patterns: which events they take, as EventBridge documents it and as AWS was recorded to answer.
//!
//! quamina knows no `$or`, no lists under `anything-but` and no IPv6 ranges, and joins no keys by dots; of 155 answers
//! recorded from AWS it gave 104. No other Rust library has all operators, so these are the lab's own.

#[cfg(test)]
mod cases;
mod matcher;
mod wildcard;

use serde_json::{Map, Value};

use crate::wire::Refusal;
use matcher::Matcher;

/// "$or … a maximum of 1,000 combinations" (EventBridge user guide, "Using comparison operators").
const COMBINATIONS_MAX: usize = 1_000;
const OR: &str = "$or";

/// One way to satisfy a pattern: at each of these paths, one of the matchers.
type Alternative = Vec<(String, Vec<Matcher>)>;

/// A compiled event pattern.
#[derive(Debug)]
pub struct Pattern {
    alternatives: Vec<Alternative>,
}

impl Pattern {
    /// Compiles a pattern, given as JSON or as its text.
    pub fn compile(pattern: &Value) -> Result<Self, Refusal> {
        let compiled = match pattern {
            Value::String(text) => parsed(text).and_then(|pattern| Self::of(&pattern)),
            pattern => Self::of(pattern),
        };
        compiled.map_err(|reason| {
            Refusal::bad_request(
                "InvalidEventPatternException",
                format!("Event pattern is not valid. Reason: {reason}"),
            )
        })
    }

    fn of(pattern: &Value) -> Result<Self, String> {
        let fields = pattern.as_object().ok_or("Filter is not an object")?;
        Ok(Self { alternatives: alternatives("", fields)? })
    }

    /// True if the event has what the pattern asks for.
    pub fn matches(&self, event: &Value) -> bool {
        let mut fields = Vec::new();
        flatten(String::new(), event, &[], &mut fields);
        self.alternatives.iter().any(|alternative| holds(alternative, &fields, &[]))
    }
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("this is no JSON, at line: {}, column: {}", error.line(), error.column()))
}

/// EventBridge knows a field by the dotted path to it, whether the dots were in a key or between keys.
fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn alternatives(path: &str, fields: &Map<String, Value>) -> Result<Vec<Alternative>, String> {
    if fields.is_empty() {
        return Err("Empty objects are not allowed".to_owned());
    }
    let mut all: Vec<Alternative> = vec![Vec::new()];
    for (key, value) in fields {
        let these = match value {
            Value::Array(choices) if key == OR => one_of(path, choices)?,
            Value::Object(nested) => alternatives(&joined(path, key), nested)?,
            Value::Array(values) => vec![vec![(joined(path, key), matchers(values)?)]],
            _ => return Err(format!("\"{key}\" must be an object or an array")),
        };
        if all.len() * these.len() > COMBINATIONS_MAX {
            return Err(format!("the pattern has more than {COMBINATIONS_MAX} combinations"));
        }
        all = all.iter().flat_map(|one| these.iter().map(move |other| [one.clone(), other.clone()].concat())).collect();
    }
    Ok(all)
}

fn one_of(path: &str, choices: &[Value]) -> Result<Vec<Alternative>, String> {
    if choices.len() < 2 {
        return Err(format!("There must have at least 2 Objects in {OR} relationship."));
    }
    let mut all = Vec::new();
    for choice in choices {
        let fields =
            choice.as_object().ok_or(format!("Only JSON objects are allowed in array of {OR} relationship."))?;
        all.extend(alternatives(path, fields)?);
    }
    Ok(all)
}

fn matchers(values: &[Value]) -> Result<Vec<Matcher>, String> {
    if values.is_empty() {
        return Err("Empty arrays are not allowed".to_owned());
    }
    values.iter().map(Matcher::parse).collect()
}

/// A value in an event, the path to it, and in which element of each array on the way.
struct Field<'a> {
    path: String,
    value: &'a Value,
    elements: Vec<(String, usize)>,
}

fn flatten<'a>(path: String, value: &'a Value, elements: &[(String, usize)], into: &mut Vec<Field<'a>>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| flatten(joined(&path, key), value, elements, into));
        }
        Value::Array(values) => {
            for (n, value) in values.iter().enumerate() {
                let within = [elements, &[(path.clone(), n)]].concat();
                flatten(path.clone(), value, &within, into);
            }
        }
        _ => into.push(Field { path, value, elements: elements.to_vec() }),
    }
}

/// True if every path of the rest of an alternative has a value that is taken. What is asked of the objects in an array
/// must hold of one and the same object: `within` says which elements were chosen so far.
fn holds(rest: &[(String, Vec<Matcher>)], fields: &[Field<'_>], within: &[(String, usize)]) -> bool {
    let Some(((path, matchers), rest)) = rest.split_first() else { return true };
    let mut here = fields.iter().filter(|field| field.path == *path).peekable();
    if here.peek().is_none() {
        return matchers.iter().any(Matcher::takes_absence) && holds(rest, fields, within);
    }
    here.any(|field| {
        let is_other = |(array, n): &(String, usize)| within.iter().any(|(of, chosen)| of == array && chosen != n);
        !field.elements.iter().any(is_other)
            && matchers.iter().any(|matcher| matcher.takes(field.value))
            && holds(rest, fields, &[within, &field.elements].concat())
    })
}
