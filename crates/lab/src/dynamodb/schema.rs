//! What a table's key may be: one attribute, a text. The API and templates write it alike.

use serde::Deserialize;

use super::refusal::validation;
use crate::wire::Refusal;

/// An attribute that a key is made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AttributeDefinition {
    attribute_name: String,
    #[serde(rename = "AttributeType")]
    _attribute_type: AttributeType,
}

/// A part of a key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct KeySchemaElement {
    attribute_name: String,
    #[serde(rename = "KeyType")]
    _key_type: KeyType,
}

// What the lab knows of each; any other value is refused by name.

#[derive(Debug, Deserialize)]
enum AttributeType {
    S,
}

#[derive(Debug, Deserialize)]
enum KeyType {
    #[serde(rename = "HASH")]
    Hash,
}

/// How a table is paid for.
#[derive(Debug, Deserialize)]
pub enum BillingMode {
    /// By the request; "if not specified, the default is PROVISIONED", which the lab does not know.
    #[serde(rename = "PAY_PER_REQUEST")]
    PayPerRequest,
}

/// The name of the one key attribute.
pub fn key_of<'a>(schema: &'a [KeySchemaElement], defined: &[AttributeDefinition]) -> Result<&'a str, Refusal> {
    let [key] = schema else {
        return Err(Refusal::unsupported("a key of other than one attribute"));
    };
    let invalid = |why: String| Err(validation(format!("One or more parameter values were invalid: {why}")));
    let defined: Vec<_> = defined.iter().map(|known| known.attribute_name.as_str()).collect();
    if !defined.contains(&key.attribute_name.as_str()) {
        return invalid(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            key.attribute_name,
            defined.join(", ")
        ));
    }
    match defined.len() {
        1 => Ok(&key.attribute_name),
        _ => invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions"
                .to_owned(),
        ),
    }
}
