//! Identity-based policies, as IAM documents them: "Policy evaluation logic" and "IAM JSON policy element reference". What
//! this evaluator does not know is refused when a policy is read; nothing in a policy is ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::pattern::{like, like_arn, like_ignoring_case};

/// What AWS is asked to authorise: one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// `service:Action`.
    pub action: String,
    /// ARN of the resource; `*` where the action has none.
    pub resource: String,
    /// Condition keys and their values.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// A request of one action on one resource, with `aws:RequestedRegion`.
    pub(crate) fn new(action: &str, resource: impl Into<String>, region: &str) -> Self {
        let keys = BTreeMap::from([("aws:RequestedRegion".to_owned(), vec![region.to_owned()])]);
        Self { action: action.to_owned(), resource: resource.into(), keys }
    }

    pub(crate) fn with(mut self, key: &str, values: Vec<String>) -> Self {
        self.keys.insert(key.to_owned(), values);
        self
    }
}

/// What a principal may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy(Vec<Statement>);

/// Why a policy is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("statement {statement}: {why}")]
pub struct BadPolicy {
    /// Its `Sid`, or its number from 1.
    pub statement: String,
    /// What is wrong with it, or unknown to the lab.
    pub why: String,
}

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement speaks of it.
    NotAllowed,
}

/// The smallest thing a policy grants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The statement's `Sid`, or its number from 1.
    pub statement: String,
    /// What is granted.
    pub what: Granted,
}

/// See [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granted {
    /// An action on a resource; either may be a pattern.
    Action {
        /// `service:Action`.
        action: String,
        /// ARN.
        resource: String,
    },
    /// A value that a condition key may have.
    Value {
        /// The key.
        key: String,
        /// The value, or a pattern.
        value: String,
    },
}

impl Granted {
    /// True if this is about an action, as the policy writes it.
    #[must_use]
    pub fn acts(&self, wanted: &str) -> bool {
        matches!(self, Self::Action { action, .. } if action == wanted)
    }

    /// True if this is about a resource, as the policy writes it.
    #[must_use]
    pub fn touches(&self, wanted: &str) -> bool {
        matches!(self, Self::Action { resource, .. } if resource == wanted)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    name: String,
    is_allow: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    /// `NotResource`: all but these.
    is_all_but: bool,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    for_all_values: bool,
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringLike,
    /// `ArnEquals` too: "ArnEquals and ArnLike behave identically".
    ArnLike,
    Null,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: String,
    statement: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: String,
    action: OneOrMany<String>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Value>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(many) => many,
            Self::One(one) => vec![one],
        }
    }
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// If it is none, or says what the lab does not know.
    pub fn parse(document: &Value) -> Result<Self, BadPolicy> {
        let whole = |why: String| BadPolicy { statement: "document".to_owned(), why };
        let document: Document = serde_json::from_value(document.clone()).map_err(|error| whole(error.to_string()))?;
        if document.version != "2012-10-17" {
            return Err(whole(format!("the lab does not know version {}", document.version)));
        }
        let statements = match document.statement {
            Value::Array(statements) => statements,
            one => vec![one],
        };
        let numbered = statements.into_iter().enumerate();
        numbered.map(|(index, statement)| Statement::read(index + 1, statement)).collect::<Result<_, _>>().map(Self)
    }

    /// This policy and another, both attached to one principal.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// "By default, all requests are implicitly denied … an explicit deny overrides any allows".
    #[must_use]
    pub fn decide(&self, request: &Request) -> Decision {
        let applies = |is_allow| {
            let mut statements = self.0.iter().filter(|statement| statement.is_allow == is_allow);
            statements.any(|statement| statement.applies_to(request))
        };
        match (applies(false), applies(true)) {
            (true, _) => Decision::Denied,
            (false, true) => Decision::Allowed,
            (false, false) => Decision::NotAllowed,
        }
    }

    /// Everything it grants.
    #[must_use]
    pub fn grants(&self) -> BTreeSet<Grant> {
        self.allowing().flat_map(Statement::grants).collect()
    }

    /// What of [`Self::grants`] a request makes use of.
    #[must_use]
    pub fn used_by(&self, request: &Request) -> BTreeSet<Grant> {
        let applying = self.allowing().filter(|statement| statement.applies_to(request));
        applying.flat_map(|statement| statement.used_by(request)).collect()
    }

    /// The conditions of the statement of this name, in words.
    #[must_use]
    pub fn conditions(&self, statement: &str) -> Vec<String> {
        let named = self.0.iter().filter(|known| known.name == statement);
        named.flat_map(|known| &known.conditions).map(ToString::to_string).collect()
    }

    fn allowing(&self) -> impl Iterator<Item = &Statement> {
        self.0.iter().filter(|statement| statement.is_allow)
    }
}

impl Statement {
    fn read(number: usize, statement: Value) -> Result<Self, BadPolicy> {
        let name = statement["Sid"].as_str().map_or_else(|| number.to_string(), str::to_owned);
        let unreadable = |why: serde_json::Error| BadPolicy { statement: name.clone(), why: why.to_string() };
        let written: Written = serde_json::from_value(statement).map_err(unreadable)?;
        let bad = |why: String| BadPolicy { statement: name.clone(), why };
        let is_allow = match written.effect.as_str() {
            "Allow" => true,
            "Deny" => false,
            other => return Err(bad(format!("there is no effect {other}"))),
        };
        let (resources, is_all_but) = match (written.resource, written.not_resource) {
            (Some(resources), None) => (resources.into_vec(), false),
            (None, Some(_)) if is_allow => return Err(bad("the lab knows NotResource only with Deny".to_owned())),
            (None, Some(resources)) => (resources.into_vec(), true),
            _ => return Err(bad("either Resource or NotResource is needed".to_owned())),
        };
        let actions = written.action.into_vec();
        if let Some(variable) = actions.iter().chain(&resources).find(|text| text.contains("${")) {
            return Err(bad(format!("the lab does not know the policy variable in {variable}")));
        }
        let conditions = written.condition.into_iter().flat_map(|(operator, keys)| {
            keys.into_iter().map(move |(key, values)| Condition::read(&operator, key, values.into_vec()))
        });
        let conditions = conditions.collect::<Result<_, _>>().map_err(bad)?;
        Ok(Self { name, is_allow, actions, resources, is_all_but, conditions })
    }

    fn applies_to(&self, request: &Request) -> bool {
        let on_resource = self.resources.iter().any(|pattern| like_arn(pattern, &request.resource));
        self.actions.iter().any(|pattern| like_ignoring_case(pattern, &request.action))
            && on_resource != self.is_all_but
            && self.conditions.iter().all(|condition| condition.holds(&request.keys))
    }

    fn grants(&self) -> Vec<Grant> {
        self.granted(|_, _| true, |_, _| true)
    }

    fn used_by(&self, request: &Request) -> Vec<Grant> {
        let values = |key: &str| values_of(&request.keys, key).unwrap_or_default();
        self.granted(
            |action, resource| like_ignoring_case(action, &request.action) && like_arn(resource, &request.resource),
            |condition, wanted| values(&condition.key).iter().any(|value| condition.operator.holds(wanted, value)),
        )
    }

    fn granted(
        &self,
        is_action: impl Fn(&str, &str) -> bool,
        is_value: impl Fn(&Condition, &str) -> bool,
    ) -> Vec<Grant> {
        let grant = |what| Grant { statement: self.name.clone(), what };
        let pairs =
            self.actions.iter().flat_map(|action| self.resources.iter().map(move |resource| (action, resource)));
        let actions = pairs
            .filter(|(action, resource)| is_action(action, resource))
            .map(|(action, resource)| Granted::Action { action: action.clone(), resource: resource.clone() });
        let told = self.conditions.iter().filter(|condition| condition.operator != Operator::Null);
        let values = told
            .flat_map(|condition| condition.values.iter().map(move |value| (condition, value)))
            .filter(|(condition, value)| is_value(condition, value))
            .map(|(condition, value)| Granted::Value { key: condition.key.clone(), value: value.clone() });
        actions.chain(values).map(grant).collect()
    }
}

impl Condition {
    fn read(operator: &str, key: String, values: Vec<Value>) -> Result<Self, String> {
        let (for_all_values, bare) = match operator.strip_prefix("ForAllValues:") {
            Some(bare) => (true, bare),
            None => (false, operator),
        };
        let known = match bare {
            "StringEquals" => Operator::StringEquals,
            "StringLike" => Operator::StringLike,
            "ArnEquals" | "ArnLike" => Operator::ArnLike,
            "Null" if !for_all_values => Operator::Null,
            _ => return Err(format!("the lab does not know the condition operator {operator}")),
        };
        let text = |value: Value| match value {
            Value::String(text) if text.contains("${") => {
                Err(format!("the lab does not know the policy variable in {text}"))
            }
            Value::String(text) => Ok(text),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(format!("a value of {key} is neither text nor a truth: {other}")),
        };
        let values = values.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        match known {
            Operator::Null if !matches!(values.as_slice(), [one] if one == "true" || one == "false") => {
                Err(format!("Null of {key} is neither true nor false"))
            }
            operator => Ok(Self { for_all_values, operator, key, values }),
        }
    }

    /// "ForAllValues … returns true if every context key value in the request matches at least one … value in the policy …
    /// also returns true if there are no context keys in the request"; other operators are false of an absent key.
    fn holds(&self, keys: &BTreeMap<String, Vec<String>>) -> bool {
        let present = values_of(keys, &self.key).filter(|values| !values.is_empty());
        let matches = |value: &String| self.values.iter().any(|wanted| self.operator.holds(wanted, value));
        match (self.operator, present) {
            (Operator::Null, present) => self.values[0] == present.is_none().to_string(),
            (_, None) => self.for_all_values,
            (_, Some(values)) if self.for_all_values => values.iter().all(matches),
            (_, Some([only])) => matches(only),
            // A key of many values needs a set operator.
            (_, Some(_)) => false,
        }
    }
}

impl Operator {
    fn holds(self, wanted: &str, value: &str) -> bool {
        match self {
            Self::StringEquals => wanted == value,
            Self::StringLike => like(wanted, value),
            Self::ArnLike => like_arn(wanted, value),
            Self::Null => false,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.join(", ");
        match self.operator {
            Operator::Null if values == "false" => write!(formatter, "{} must be there", self.key),
            Operator::Null => write!(formatter, "{} must not be there", self.key),
            _ if self.for_all_values => write!(formatter, "{} all of: {values}", self.key),
            _ => write!(formatter, "{} is {values}", self.key),
        }
    }
}

/// "Condition key names are not case-sensitive."
fn values_of<'a>(keys: &'a BTreeMap<String, Vec<String>>, wanted: &str) -> Option<&'a [String]> {
    keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, values)| values.as_slice())
}
