//! JSON documents like a given one: what a fuzzer needs to get past the first brace.

use arbitrary::{Result, Unstructured};
use serde_json::Value;

/// How many changes are made to a document.
const EDITS_MAX: usize = 6;

/// `document` with a few of its values replaced, removed, renamed or made odd.
pub fn edited(bytes: &mut Unstructured<'_>, mut document: Value) -> Result<Value> {
    for _ in 0..bytes.int_in_range(0..=EDITS_MAX)? {
        edit(bytes, &mut document)?;
    }
    Ok(document)
}

/// Walks down to some value and changes it.
fn edit(bytes: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    let goes_down = !bytes.ratio(1, 4)?;
    match value {
        Value::Object(members) if goes_down && !members.is_empty() => {
            let key = bytes.choose_iter(members.keys())?.clone();
            match bytes.int_in_range(0..=7)? {
                0 => drop(members.remove(&key)),
                1 => {
                    let inner = members.remove(&key).unwrap_or_default();
                    members.insert(bytes.arbitrary::<String>()?, inner);
                }
                _ => edit(bytes, &mut members[&key])?,
            }
        }
        Value::Array(items) if goes_down && !items.is_empty() => {
            let nth = bytes.choose_index(items.len())?;
            match bytes.int_in_range(0..=7)? {
                0 => drop(items.remove(nth)),
                1 => items.push(items[nth].clone()),
                _ => edit(bytes, &mut items[nth])?,
            }
        }
        // CloudWatch's message inside SNS's is JSON within a JSON string.
        Value::String(text) if goes_down && text.starts_with('{') => {
            if let Ok(mut inner) = serde_json::from_str(text) {
                edit(bytes, &mut inner)?;
                *text = inner.to_string();
            }
        }
        other => *other = replacement(bytes, other)?,
    }
    Ok(())
}

/// Texts that the parsers look for.
const TELLING: [&str; 18] = [
    "",
    "ALARM",
    "OK",
    "ALL",
    "*.example.com",
    "app.example.com",
    "holdfast.operator",
    "Holdfast Approval",
    "Scheduled Event",
    "aws.events",
    "operator@2026-01-01T12:00:00Z",
    "started@2026-01-01T11:59:00Z",
    "2026-01-01T12:00:00Z",
    "-009999-01-02T01:59:59Z",
    "9999-12-30T22:00:00.999999999Z",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started",
    "P09",
    "R02",
];

fn replacement(bytes: &mut Unstructured<'_>, old: &Value) -> Result<Value> {
    Ok(match bytes.int_in_range(0..=8)? {
        0 => Value::Null,
        1 => bytes.arbitrary::<bool>()?.into(),
        2 => bytes.arbitrary::<i64>()?.into(),
        3 => bytes.arbitrary::<f64>()?.into(),
        4 => bytes.arbitrary::<String>()?.into(),
        5 => vec![old.clone()].into(),
        6 => Value::Object([(bytes.arbitrary::<String>()?, old.clone())].into_iter().collect()),
        7 => format!("{}{}", old.as_str().unwrap_or_default(), bytes.arbitrary::<String>()?).into(),
        _ => (*bytes.choose(&TELLING)?).into(),
    })
}
