//! Condition expressions: what an item must be like for a call to change it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::attribute::{Attribute, Item};
use super::expression::{Written, invalid, parse};
use super::refusal::validation;
use crate::wire::Refusal;

/// "The following keywords are reserved for use by DynamoDB … This list isn't case-sensitive" (Reserved words in DynamoDB).
static RESERVED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| include_str!("reserved.txt").split_whitespace().collect());

/// A condition, its placeholders filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `attribute_exists`
    Exists(String),
    /// `=`
    Equal(Operand, Operand),
    /// `NOT`
    Not(Box<Condition>),
    /// `AND`
    And(Box<Condition>, Box<Condition>),
    /// `OR`
    Or(Box<Condition>, Box<Condition>),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The attribute of this name.
    Path(String),
    /// A value of the request's.
    Value(Attribute),
}

impl Condition {
    /// True of an item that meets it, or of there being none.
    pub fn holds(&self, item: Option<&Item>) -> bool {
        match self {
            Self::Exists(name) => item.is_some_and(|item| item.contains_key(name)),
            // What is not there equals nothing, not even something else that is not there.
            Self::Equal(one, other) => one.of(item).is_some_and(|one| other.of(item) == Some(one)),
            Self::Not(inner) => !inner.holds(item),
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Or(one, other) => one.holds(item) || other.holds(item),
        }
    }
}

impl Operand {
    fn of<'a>(&'a self, item: Option<&'a Item>) -> Option<&'a Attribute> {
        match self {
            Self::Path(name) => item?.get(name),
            Self::Value(value) => Some(value),
        }
    }
}

/// Reads a request's condition: the expression, and what its placeholders stand for. Each of these must be used.
pub fn read(
    expression: Option<&str>,
    names: Option<&BTreeMap<String, String>>,
    values: Option<&Map<String, Value>>,
) -> Result<Option<Condition>, Refusal> {
    let mut placeholders = Placeholders::read(names, values)?;
    let Some(expression) = expression else {
        // In the envelope since 2026 (recorded from AWS by nubo-db/dynamodb-conformance).
        let alone = |what: &str| {
            Err(validation(format!("1 validation error detected: {what} can only be specified when using expressions")))
        };
        return match (names, values) {
            (Some(_), _) => alone("ExpressionAttributeNames"),
            (_, Some(_)) => alone("ExpressionAttributeValues"),
            (None, None) => Ok(None),
        };
    };
    let condition = placeholders.fill(&parse(expression)?)?;
    placeholders.all_used()?;
    Ok(Some(condition))
}

/// What stands for names and values, and which of it was used.
struct Placeholders<'a> {
    names: BTreeMap<&'a str, &'a str>,
    values: BTreeMap<&'a str, Attribute>,
    used: BTreeSet<String>,
}

impl<'a> Placeholders<'a> {
    fn read(
        names: Option<&'a BTreeMap<String, String>>,
        values: Option<&'a Map<String, Value>>,
    ) -> Result<Self, Refusal> {
        checked("ExpressionAttributeNames", '#', names.map(|names| names.keys().collect()))?;
        checked("ExpressionAttributeValues", ':', values.map(|values| values.keys().collect()))?;
        let values = values.into_iter().flatten();
        Ok(Self {
            names: names.into_iter().flatten().map(|(key, name)| (key.as_str(), name.as_str())).collect(),
            values: values
                .map(|(key, value)| Ok((key.as_str(), Attribute::read(value)?)))
                .collect::<Result<_, Refusal>>()?,
            used: BTreeSet::new(),
        })
    }

    fn fill(&mut self, written: &Written<'_>) -> Result<Condition, Refusal> {
        let both = |one, other| (Box::new(one), Box::new(other));
        match written {
            Written::Group(inner) => self.fill(inner),
            Written::Not(inner) => self.fill(inner).map(|inner| Condition::Not(Box::new(inner))),
            Written::And(one, other) => {
                let (one, other) = both(self.fill(one)?, self.fill(other)?);
                Ok(Condition::And(one, other))
            }
            Written::Or(one, other) => {
                let (one, other) = both(self.fill(one)?, self.fill(other)?);
                Ok(Condition::Or(one, other))
            }
            Written::Compared { operator, operands: [one, other] } => {
                let (one, other) = (self.operand(one)?, self.operand(other)?);
                if let (Operand::Path(name), true) = (&one, one == other) {
                    let why =
                        "The first operand must be distinct from the remaining operands for this operator or function";
                    return Err(invalid(&format!("{why}; operator: {operator}, first operand: [{name}]")));
                }
                let equal = Condition::Equal(one, other);
                // True also where the attribute is not there (recorded from AWS by nubo-db/dynamodb-conformance).
                Ok(if *operator == "<>" { Condition::Not(Box::new(equal)) } else { equal })
            }
            Written::Function { name, operands } => self.function(name, operands),
        }
    }

    /// "These function names are case-sensitive."
    fn function(&mut self, name: &str, operands: &[&str]) -> Result<Condition, Refusal> {
        match name {
            "attribute_exists" | "attribute_not_exists" => {}
            "attribute_type" | "begins_with" | "contains" | "size" => {
                return Err(Refusal::unsupported(format!("the function {name} of condition expressions")));
            }
            _ => return Err(invalid(&format!("Invalid function name; function: {name}"))),
        }
        let [operand] = operands else {
            let why = "Incorrect number of operands for operator or function; operator or function";
            return Err(invalid(&format!("{why}: {name}, number of operands: {}", operands.len())));
        };
        let Operand::Path(path) = self.operand(operand)? else {
            let why = "Operator or function requires a document path; operator or function";
            return Err(invalid(&format!("{why}: {name}")));
        };
        let exists = Condition::Exists(path);
        Ok(if name == "attribute_exists" { exists } else { Condition::Not(Box::new(exists)) })
    }

    fn operand(&mut self, token: &str) -> Result<Operand, Refusal> {
        self.used.insert(token.to_owned());
        if token.starts_with(':') {
            let why = "An expression attribute value used in expression is not defined; attribute value";
            let value = self.values.get(token).ok_or_else(|| invalid(&format!("{why}: {token}")))?;
            return Ok(Operand::Value(value.clone()));
        }
        if token.starts_with('#') {
            let why = "An expression attribute name used in the document path is not defined; attribute name";
            let name = self.names.get(token).ok_or_else(|| invalid(&format!("{why}: {token}")))?;
            return Ok(Operand::Path((*name).to_owned()));
        }
        match RESERVED.contains(token.to_ascii_uppercase().as_str()) {
            true => Err(invalid(&format!("Attribute name is a reserved keyword; reserved keyword: {token}"))),
            false => Ok(Operand::Path(token.to_owned())),
        }
    }

    fn all_used(&self) -> Result<(), Refusal> {
        let unused = |what: &str, keys: Vec<&str>| {
            let keys: Vec<_> = keys.into_iter().filter(|key| !self.used.contains(*key)).collect();
            match keys.is_empty() {
                true => Ok(()),
                false => Err(validation(format!(
                    "Value provided in {what} unused in expressions: keys: {{{}}}",
                    keys.join(", ")
                ))),
            }
        };
        unused("ExpressionAttributeNames", self.names.keys().copied().collect())?;
        unused("ExpressionAttributeValues", self.values.keys().copied().collect())
    }
}

/// Refuses a map of placeholders that is empty, or has a key that cannot be one.
fn checked(map: &str, sign: char, keys: Option<Vec<&String>>) -> Result<(), Refusal> {
    let Some(keys) = keys else { return Ok(()) };
    if keys.is_empty() {
        return Err(validation(format!("{map} must not be empty")));
    }
    let is_placeholder = |key: &str| {
        key.strip_prefix(sign)
            .is_some_and(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    match keys.iter().find(|key| !is_placeholder(key)) {
        Some(key) => Err(validation(format!("{map} contains invalid key: Syntax error; key: \"{key}\""))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item() -> Item {
        let text = |text: &str| Attribute::Text(text.to_owned());
        Item::from([
            ("pk".to_owned(), text("k")),
            ("state".to_owned(), text("armed")),
            ("n".to_owned(), Attribute::read(&json!({"N": "7.0"})).unwrap()),
        ])
    }

    fn read_with(expression: &str, names: &[(&str, &str)], values: Value) -> Result<Option<Condition>, Refusal> {
        let names: BTreeMap<_, _> = names.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect();
        let values = values.as_object().unwrap();
        let names = Some(&names).filter(|names| !names.is_empty());
        read(Some(expression), names, Some(values).filter(|values| !values.is_empty()))
    }

    #[test]
    fn a_condition_means_what_aws_documents() {
        let armed = || json!({":v": {"S": "armed"}});
        let table = [
            ("attribute_exists(pk)", json!({}), true, false),
            ("attribute_not_exists(pk)", json!({}), false, true),
            ("attribute_exists(gone)", json!({}), false, false),
            ("#s = :v", armed(), true, false),
            (":v = #s", armed(), true, false),
            ("#s <> :v", armed(), false, true),
            ("gone = :v", armed(), false, false),
            ("gone <> :v", armed(), true, true),
            ("gone = lost", json!({}), false, false),
            ("n = :v", json!({":v": {"N": "7"}}), true, false),
            ("n = :v", json!({":v": {"S": "7"}}), false, false),
            ("NOT #s = :v", armed(), false, true),
            ("not attribute_exists(gone) and #s = :v", armed(), true, false),
            ("(attribute_not_exists(pk)) OR (#s = :v)", armed(), true, true),
            // AND binds tighter than OR, NOT tighter than AND.
            ("attribute_exists(pk) OR attribute_exists(gone) AND attribute_not_exists(pk)", json!({}), true, false),
            ("(attribute_exists(pk) OR attribute_exists(gone)) AND attribute_not_exists(pk)", json!({}), false, false),
            ("NOT attribute_exists(gone) AND attribute_exists(gone)", json!({}), false, false),
            ("NOT (attribute_exists(gone) AND attribute_exists(gone))", json!({}), true, true),
        ];
        for (expression, values, of_item, of_nothing) in table {
            let names: &[_] = if expression.contains("#s") { &[("#s", "state")] } else { &[] };
            let condition = read_with(expression, names, values).unwrap().unwrap();
            assert_eq!(condition.holds(Some(&item())), of_item, "{expression}");
            assert_eq!(condition.holds(None), of_nothing, "{expression} of no item");
        }
    }

    #[test]
    fn what_is_wrong_with_an_expression_is_told_in_the_words_of_aws() {
        let v = || json!({":v": {"S": "a"}});
        let table = [
            (
                "",
                json!({}),
                "1 validation error detected: Invalid ConditionExpression: The expression can not be empty;",
            ),
            ("pk = :w", v(), "An expression attribute value used in expression is not defined; attribute value: :w"),
            (
                "#x = :v",
                v(),
                "An expression attribute name used in the document path is not defined; attribute name: #x",
            ),
            ("a = b", v(), "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"),
            ("status = :v", v(), "Attribute name is a reserved keyword; reserved keyword: status"),
            ("((pk = :v))", v(), "The expression has redundant parentheses;"),
            ("pk = pk", json!({}), "for this operator or function; operator: =, first operand: [pk]"),
            ("exists(pk)", json!({}), "Invalid function name; function: exists"),
            ("attribute_exists(a, b)", json!({}), "operator or function: attribute_exists, number of operands: 2"),
            ("attribute_exists(:v)", v(), "requires a document path; operator or function: attribute_exists"),
            ("pk = ", json!({}), "Syntax error; token: \"<EOF>\", near: \"= \""),
            ("pk pk = :v", v(), "Syntax error; token: \"pk\", near: \"pk pk =\""),
            ("pk = :v)", v(), "Syntax error; token: \")\", near: \":v)\""),
            ("_id = :v", v(), "Syntax error; token: \"_\", near: \"_\""),
            ("AND", json!({}), "Syntax error; token: \"AND\", near: \"AND\""),
        ];
        for (expression, values, why) in table {
            let refusal = read_with(expression, &[], values).unwrap_err();
            assert_eq!(refusal.code, "ValidationException", "{expression}");
            assert!(refusal.message.contains(why), "{expression}: {}", refusal.message);
        }
    }

    #[test]
    fn placeholders_alone_empty_or_misspelt_are_refused() {
        let names = |key: &str| BTreeMap::from([(key.to_owned(), "pk".to_owned())]);
        let refused = |names: Option<BTreeMap<String, String>>, values: Option<Value>| {
            let values = values.map(|values| values.as_object().unwrap().clone());
            read(None, names.as_ref(), values.as_ref()).unwrap_err().message
        };
        let alone = refused(Some(names("#n")), None);
        assert_eq!(
            alone,
            "1 validation error detected: ExpressionAttributeNames can only be specified when using expressions"
        );
        assert!(refused(None, Some(json!({":v": {"S": ""}}))).contains("ExpressionAttributeValues can only be"));
        assert_eq!(refused(None, Some(json!({}))), "ExpressionAttributeValues must not be empty");
        let misspelt = refused(Some(names("n")), None);
        assert_eq!(misspelt, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"n\"");
    }

    #[test]
    fn what_the_lab_does_not_know_of_expressions_is_refused_by_name() {
        let deep = format!("{}attribute_exists(pk)", "NOT ".repeat(101));
        let table = [
            ("pk < :v", "the operator <"),
            ("pk BETWEEN :v AND :v", "the operator BETWEEN"),
            ("pk in (:v)", "the operator in"),
            ("begins_with(pk, :v)", "the function begins_with"),
            ("size(pk) = :v", "the function size"),
            (":v = size(pk)", "the function size"),
            ("(pk) = :v", "operand in parentheses"),
            ("a.b = :v", "paths into"),
            ("a[0] = :v", "paths into"),
            (deep.as_str(), "100 deep"),
        ];
        for (expression, named) in table {
            let refusal = read_with(expression, &[], json!({":v": {"S": "a"}})).unwrap_err();
            assert_eq!(refusal.code, "NotImplemented", "{expression}: {}", refusal.message);
            assert!(refusal.message.contains(named), "{expression}: {}", refusal.message);
        }
    }
}
