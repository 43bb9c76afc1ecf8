//! Items and the values of their attributes, as DynamoDB's JSON writes them: `{"S": "text"}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::number::Number;
use super::refusal::{serialization, validation};
use crate::wire::Refusal;

/// "The maximum item size in DynamoDB is 400 KB, which includes both attribute name binary length (UTF-8 length) and attribute
/// value lengths"; "DynamoDB denotes 1 KB = 1024 bytes" (Constraints).
const ITEM_BYTES_MAX: usize = 400 * 1024;

/// An item: its attributes by their names.
pub type Item = BTreeMap<String, Attribute>;

/// The value of an attribute. Sets and binary values are not known to the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `S`
    Text(String),
    /// `N`
    Number(Number),
    /// `BOOL`
    Truth(bool),
    /// `NULL`
    Null,
    /// `L`
    List(Vec<Attribute>),
    /// `M`
    Map(Item),
}

impl Attribute {
    /// Reads a value from the wire.
    pub fn read(value: &Value) -> Result<Self, Refusal> {
        let Some(given) = value.as_object() else {
            return Err(serialization(format!("{value} is no attribute value")));
        };
        let mut types = given.iter();
        let supplied = |what: &str| {
            validation(format!("Supplied AttributeValue {what}, must contain exactly one of the supported datatypes"))
        };
        let (kind, inner) = types.next().ok_or_else(|| supplied("is empty"))?;
        if types.next().is_some() {
            return Err(supplied("has more than one datatypes set"));
        }
        match (kind.as_str(), inner) {
            ("S", Value::String(text)) => Ok(Self::Text(text.clone())),
            ("N", Value::String(text)) => Number::parse(text).map(Self::Number).map_err(validation),
            ("BOOL", Value::Bool(truth)) => Ok(Self::Truth(*truth)),
            ("NULL", Value::Bool(true)) => Ok(Self::Null),
            ("NULL", Value::Bool(false)) => Err(validation(
                "One or more parameter values were invalid: Null attribute value types must have the value of true",
            )),
            ("L", Value::Array(elements)) => elements.iter().map(Self::read).collect::<Result<_, _>>().map(Self::List),
            ("M", Value::Object(members)) => read_item(members).map(Self::Map),
            ("S" | "N" | "BOOL" | "NULL" | "L" | "M", _) => {
                Err(serialization(format!("{inner} is no value of type {kind}")))
            }
            _ => Err(Refusal::unsupported(format!("the attribute type {kind}"))),
        }
    }

    /// Writes it as it is read.
    pub fn write(&self) -> Value {
        match self {
            Self::Text(text) => json!({"S": text}),
            Self::Number(number) => json!({"N": number.to_string()}),
            Self::Truth(truth) => json!({"BOOL": truth}),
            Self::Null => json!({"NULL": true}),
            Self::List(elements) => json!({"L": elements.iter().map(Self::write).collect::<Vec<_>>()}),
            Self::Map(members) => json!({"M": write_item(members)}),
        }
    }

    /// What refusals call its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "S",
            Self::Number(_) => "N",
            Self::Truth(_) => "BOOL",
            Self::Null => "NULL",
            Self::List(_) => "L",
            Self::Map(_) => "M",
        }
    }

    /// "An attribute of type List or Map requires 3 bytes of overhead … Each List or Map element also requires 1 byte of
    /// overhead" (DynamoDB item sizes and formats).
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Truth(_) | Self::Null => 1,
            Self::List(elements) => 3 + elements.iter().map(|element| 1 + element.size()).sum::<usize>(),
            Self::Map(members) => 3 + members.len() + size_of(members),
        }
    }
}

/// How many bytes an item counts for.
pub fn size_of(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

/// Reads an item, or a key, from the wire.
pub fn read_item(members: &Map<String, Value>) -> Result<Item, Refusal> {
    members.iter().map(|(name, value)| Ok((name.clone(), Attribute::read(value)?))).collect()
}

/// Reads an item that is to be stored.
pub fn read_to_store(members: &Map<String, Value>) -> Result<Item, Refusal> {
    let item = read_item(members)?;
    match size_of(&item) > ITEM_BYTES_MAX {
        true => Err(validation("Item size has exceeded the maximum allowed size")),
        false => Ok(item),
    }
}

/// Writes an item as it is read.
pub fn write_item(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), value.write())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn every_type_comes_back_as_it_was_given() {
        let given = json!({
            "pk": {"S": ""}, "n": {"N": "-1.5"}, "yes": {"BOOL": true}, "nothing": {"NULL": true},
            "list": {"L": [{"S": "a"}, {"M": {"b": {"N": "2"}}}]}, "map": {"M": {}},
        });
        assert_eq!(write_item(&read_item(&object(given.clone())).unwrap()), given);
    }

    #[test]
    fn what_is_no_value_of_one_type_is_refused() {
        let table = [
            (json!({}), "ValidationException", "is empty"),
            (json!({"S": "a", "N": "1"}), "ValidationException", "more than one datatypes"),
            (json!({"N": "one"}), "ValidationException", "numeric value: one"),
            (json!({"NULL": false}), "ValidationException", "value of true"),
            (json!({"S": 1}), "SerializationException", "type S"),
            (json!("a"), "SerializationException", "no attribute value"),
            (json!({"SS": ["a"]}), "NotImplemented", "the attribute type SS"),
        ];
        for (value, code, why) in table {
            let refusal = Attribute::read(&value).unwrap_err();
            assert_eq!(refusal.code, code, "{value}");
            assert!(refusal.message.contains(why), "{value}: {}", refusal.message);
        }
    }

    #[test]
    fn names_count_towards_the_size_of_an_item() {
        let of_bytes = |count: usize| object(json!({"pk": {"S": "x".repeat(count - 2)}}));
        assert!(read_to_store(&of_bytes(ITEM_BYTES_MAX)).is_ok());
        let refusal = read_to_store(&of_bytes(ITEM_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(refusal.message, "Item size has exceeded the maximum allowed size");
        let nested = json!({"a": {"M": {"bc": {"L": [{"S": "d"}, {"NULL": true}]}}}});
        assert_eq!(size_of(&read_item(&object(nested)).unwrap()), 1 + 3 + 1 + 2 + 3 + 2 + 2);
    }
}
