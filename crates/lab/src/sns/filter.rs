//! Filter policies of subscriptions, as far as the templates use them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Attributes;
use crate::wire::Refusal;

/// Which messages a subscription gets, by their attributes: of each attribute named, one condition must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter(BTreeMap<String, Vec<Condition>>);

#[derive(Clone, Debug)]
enum Condition {
    Is(String),
    Exists(bool),
}

impl Filter {
    /// Reads a filter policy.
    ///
    /// # Errors
    /// If it has an operator that the lab does not know.
    pub fn read(policy: &Value) -> Result<Self, Refusal> {
        let unknown = || Refusal::unsupported(format!("the filter policy {policy}"));
        let condition = |value: &Value| match (value, value["exists"].as_bool()) {
            (Value::String(text), _) => Ok(Condition::Is(text.clone())),
            (_, Some(exists)) => Ok(Condition::Exists(exists)),
            _ => Err(unknown()),
        };
        let attributes = policy.as_object().ok_or_else(unknown)?.iter().map(|(name, values)| {
            let conditions = values.as_array().ok_or_else(unknown)?.iter().map(condition).collect::<Result<_, _>>()?;
            Ok((name.clone(), conditions))
        });
        attributes.collect::<Result<_, _>>().map(Self)
    }

    /// "A subscription accepts a message if each attribute name in the policy matches, and one of its values" (SNS developer
    /// guide, "Subscription filter policies").
    pub fn accepts(&self, attributes: &Attributes) -> bool {
        self.0.iter().all(|(name, conditions)| {
            conditions.iter().any(|condition| match condition {
                Condition::Is(wanted) => attributes.get(name) == Some(wanted),
                Condition::Exists(exists) => attributes.contains_key(name) == *exists,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_passes_if_every_attribute_of_the_policy_has_one_of_its_values() {
        let message = Attributes::from([("attention".to_owned(), "page".to_owned())]);
        for (policy, with, without) in [
            (json!({}), true, true),
            (json!({"attention": ["page", "notice"]}), true, false),
            (json!({"attention": ["notice"]}), false, false),
            (json!({"attention": [{"exists": false}]}), false, true),
            (json!({"attention": ["notice", {"exists": true}]}), true, false),
            (json!({"attention": ["page"], "outcome": ["Held"]}), false, false),
        ] {
            let filter = Filter::read(&policy).unwrap();
            assert_eq!(filter.accepts(&message), with, "{policy}");
            assert_eq!(filter.accepts(&Attributes::new()), without, "{policy}");
        }
        assert_eq!(Filter::read(&json!({"n": [{"numeric": ["=", 1]}]})).unwrap_err().code, "NotImplemented");
    }
}
