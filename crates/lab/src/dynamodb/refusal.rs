//! How DynamoDB refuses.

use serde_json::{Value, json};

use super::attribute::{Item, write_item};
use crate::wire::Refusal;

/// A refusal, with the item that goes with it where one was asked for.
#[derive(Debug)]
pub struct Refused {
    pub refusal: Refusal,
    item: Option<Item>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, item: None }
    }
}

impl Refused {
    /// "The conditional request failed"; `item` is there if the call set `ReturnValuesOnConditionCheckFailure`.
    pub fn condition(item: Option<Item>) -> Self {
        let why = "The conditional request failed";
        Self { refusal: Refusal::bad_request("ConditionalCheckFailedException", why), item }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let Refusal { code, message, .. } = &self.refusal;
        // The name spaces as AWS's own answers have them; a lab's own refusal has none.
        let space = match code.as_str() {
            "ConditionalCheckFailedException" | "ResourceInUseException" | "ResourceNotFoundException" => {
                "com.amazonaws.dynamodb.v20120810#"
            }
            "ValidationException" => "com.amazon.coral.validate#",
            "SerializationException" => "com.amazon.coral.service#",
            _ => "",
        };
        let mut body = json!({"__type": format!("{space}{code}"), "message": message});
        if let Some(item) = &self.item {
            body["Item"] = write_item(item);
        }
        body
    }
}

pub fn validation(message: impl Into<String>) -> Refusal {
    Refusal::bad_request("ValidationException", message)
}

/// What DynamoDB says of members of a request that break its model.
pub fn constraint(value: &str, member: &str, constraint: &str) -> Refusal {
    validation(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
    ))
}

pub fn serialization(message: impl Into<String>) -> Refusal {
    Refusal::bad_request("SerializationException", message)
}

/// Data calls do not say which table there is not; calls about the table do.
pub fn no_table(name: Option<&str>) -> Refusal {
    let which = name.map(|name| format!(": Table: {name} not found")).unwrap_or_default();
    Refusal::bad_request("ResourceNotFoundException", format!("Requested resource not found{which}"))
}

pub fn in_use(message: impl Into<String>) -> Refusal {
    Refusal::bad_request("ResourceInUseException", message)
}
