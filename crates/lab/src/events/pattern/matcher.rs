//! The operators of event patterns (EventBridge user guide, "Comparison operators for use in event patterns"). Refusals
//! are worded as AWS was recorded to word them, where it was.

use std::net::IpAddr;

use serde_json::Value;

use super::wildcard::Wildcard;

/// "-5.0e9 to +5.0e9 inclusive" (same page, numeric matching).
const NUMBER_MAX: f64 = 5.0e9;

/// What one member of a pattern's list takes.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Equals(Value),
    Exists(bool),
    Text(Text),
    Number { above: Option<Bound>, below: Option<Bound> },
    Network { address: IpAddr, bits: u32 },
    AnythingBut(Vec<Matcher>),
}

#[derive(Clone, Debug)]
pub(super) enum Text {
    Prefix(String),
    Suffix(String),
    /// Of the lower-case text, as is what it is compared with.
    PrefixIgnoringCase(String),
    SuffixIgnoringCase(String),
    IgnoringCase(String),
    Wildcard(Wildcard),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    value: f64,
    is_included: bool,
}

impl Matcher {
    pub(super) fn parse(member: &Value) -> Result<Self, String> {
        match member {
            Value::Object(operators) => {
                let mut operators = operators.iter();
                match (operators.next(), operators.next()) {
                    (Some((operator, given)), None) => Self::operator(operator, given),
                    (Some(_), Some(_)) => Err("Only one key allowed in match expression".to_owned()),
                    (None, _) => Err("Empty expression objects are not allowed".to_owned()),
                }
            }
            Value::Array(_) => Err("Match value must be String, number, true, false, or null".to_owned()),
            literal => Ok(Self::Equals(literal.clone())),
        }
    }

    fn operator(operator: &str, given: &Value) -> Result<Self, String> {
        match operator {
            "exists" => {
                given.as_bool().map(Self::Exists).ok_or("exists match pattern must be either true or false.".to_owned())
            }
            "prefix" | "suffix" => affix(operator, given),
            "equals-ignore-case" => {
                text(operator, given).map(|text| Self::Text(Text::IgnoringCase(text.to_lowercase())))
            }
            "wildcard" => Ok(Self::Text(Text::Wildcard(Wildcard::parse(text(operator, given)?)?))),
            "numeric" => numeric(given.as_array().ok_or("Value of numeric must be an array.")?),
            // AWS speaks of a prefix here too.
            "cidr" => network(text("prefix", given)?),
            "anything-but" => anything_but(given).map(Self::AnythingBut),
            other => Err(format!("Unrecognized match type {other}")),
        }
    }

    /// True if a field that is not there is what is wanted.
    pub(super) fn takes_absence(&self) -> bool {
        matches!(self, Self::Exists(false))
    }

    /// True if a field with this value is what is wanted.
    pub(super) fn takes(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => match (wanted.as_f64(), value.as_f64()) {
                (Some(wanted), Some(value)) => wanted == value,
                _ => wanted == value,
            },
            Self::Exists(wanted) => *wanted,
            Self::Text(wanted) => value.as_str().is_some_and(|text| wanted.takes(text)),
            Self::Number { above, below } => value.as_f64().is_some_and(|number| {
                above.is_none_or(|bound| number > bound.value || bound.is_at(number))
                    && below.is_none_or(|bound| number < bound.value || bound.is_at(number))
            }),
            Self::Network { address, bits } => value
                .as_str()
                .and_then(|text| text.parse().ok())
                .is_some_and(|other: IpAddr| is_within(*address, *bits, other)),
            Self::AnythingBut(these) => !these.iter().any(|matcher| matcher.takes(value)),
        }
    }
}

impl Bound {
    fn is_at(self, number: f64) -> bool {
        self.is_included && number == self.value
    }
}

impl Text {
    fn takes(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::PrefixIgnoringCase(prefix) => text.to_lowercase().starts_with(prefix),
            Self::SuffixIgnoringCase(suffix) => text.to_lowercase().ends_with(suffix),
            Self::IgnoringCase(wanted) => text.to_lowercase() == *wanted,
            Self::Wildcard(wildcard) => wildcard.takes(text),
        }
    }
}

fn text<'a>(operator: &str, given: &'a Value) -> Result<&'a str, String> {
    given.as_str().ok_or_else(|| format!("{operator} match pattern must be a string"))
}

fn affix(operator: &str, given: &Value) -> Result<Matcher, String> {
    let ignoring_case = given.as_object().filter(|given| given.len() == 1);
    let folded = ignoring_case.and_then(|given| given.get("equals-ignore-case")).and_then(Value::as_str);
    Ok(Matcher::Text(match (operator, folded) {
        ("prefix", Some(folded)) => Text::PrefixIgnoringCase(folded.to_lowercase()),
        (_, Some(folded)) => Text::SuffixIgnoringCase(folded.to_lowercase()),
        ("prefix", None) => Text::Prefix(text(operator, given)?.to_owned()),
        (_, None) => Text::Suffix(text(operator, given)?.to_owned()),
    }))
}

fn anything_but(given: &Value) -> Result<Vec<Matcher>, String> {
    const NEITHER: &str = "Value of anything-but must be an array or single string/number value.";
    let operators = match given {
        Value::String(_) | Value::Number(_) => return Ok(vec![Matcher::Equals(given.clone())]),
        Value::Array(list) => return all_but(list),
        Value::Object(operators) if operators.len() == 1 => operators,
        _ => return Err(NEITHER.to_owned()),
    };
    let mut all = Vec::new();
    for (operator, given) in operators {
        for one in given.as_array().map_or(std::slice::from_ref(given), Vec::as_slice) {
            all.push(match (operator.as_str(), one) {
                ("prefix" | "suffix", Value::Object(_)) => return Err(NEITHER.to_owned()),
                ("prefix" | "suffix", Value::String(text)) if text.is_empty() => {
                    return Err("Null prefix/suffix not allowed".to_owned());
                }
                ("prefix" | "suffix", one) if !one.is_string() => {
                    return Err("prefix/suffix match pattern must be a string".to_owned());
                }
                ("equals-ignore-case", one) if !one.is_string() => {
                    let why =
                        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
                    return Err(why.to_owned());
                }
                ("prefix" | "suffix" | "equals-ignore-case" | "wildcard", one) => Matcher::operator(operator, one)?,
                (other, _) => return Err(format!("Unsupported anything-but pattern: {other}")),
            });
        }
    }
    if all.is_empty() { Err("Empty arrays are not allowed".to_owned()) } else { Ok(all) }
}

fn all_but(list: &[Value]) -> Result<Vec<Matcher>, String> {
    if list.is_empty() {
        return Err("Empty arrays are not allowed".to_owned());
    }
    if !list.iter().all(|one| one.is_string() || one.is_number()) {
        return Err("Inside anything but list, start|null|boolean is not supported.".to_owned());
    }
    if list.iter().any(Value::is_string) && list.iter().any(Value::is_number) {
        let why = "Inside anything but list, either all values are number or string, mixed type is not supported";
        return Err(why.to_owned());
    }
    Ok(list.iter().cloned().map(Matcher::Equals).collect())
}

/// `["=", 5]`, `[">", 0]`, `["<=", 5]`, or from below to above: `[">", 0, "<=", 5]`.
fn numeric(terms: &[Value]) -> Result<Matcher, String> {
    let bound = |operator: &str, given: Option<&Value>| {
        let value = given.and_then(Value::as_f64).ok_or_else(|| format!("Value of {operator} must be numeric"))?;
        match value.abs() <= NUMBER_MAX {
            true => Ok(Bound { value, is_included: operator.ends_with('=') }),
            false => Err("Value must be between -5.0E9 and 5.0E9, inclusive".to_owned()),
        }
    };
    let word = |at: usize| terms.get(at).map(|term| term.as_str().ok_or("Invalid member in numeric match"));
    let first = word(0).ok_or("Invalid member in numeric match")??;
    let (above, below, taken) = match (first, word(2).transpose()?) {
        ("=", _) => {
            let bound = bound(first, terms.get(1))?;
            (Some(bound), Some(bound), 2)
        }
        ("<" | "<=", _) => (None, Some(bound(first, terms.get(1))?), 2),
        (">" | ">=", None) => (Some(bound(first, terms.get(1))?), None, 2),
        (">" | ">=", Some(second @ ("<" | "<="))) => {
            let (above, below) = (bound(first, terms.get(1))?, bound(second, terms.get(3))?);
            if above.value >= below.value {
                return Err("Bottom must be less than top".to_owned());
            }
            (Some(above), Some(below), 4)
        }
        (">" | ">=", Some(second)) => return Err(format!("Bad numeric range operator: {second}")),
        _ => return Err(format!("Unrecognized numeric range operator: {first}")),
    };
    match terms.len() == taken {
        true => Ok(Matcher::Number { above, below }),
        false => Err("Too many elements in numeric expression".to_owned()),
    }
}

fn network(given: &str) -> Result<Matcher, String> {
    let mut parts = given.split('/');
    let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err("Malformed CIDR, one '/' required".to_owned());
    };
    let bits: u32 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer")?;
    let address: IpAddr = address.parse().map_err(|_| format!("Nonstandard IP address: {address}"))?;
    let most = if address.is_ipv4() { u32::BITS } else { u128::BITS };
    match bits <= most {
        true => Ok(Matcher::Network { address, bits }),
        false => Err(format!("Malformed CIDR, mask bits must be at most {most}")),
    }
}

fn is_within(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let of = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << (u128::BITS - u32::BITS),
        IpAddr::V6(address) => u128::from(address),
    };
    let mask = u128::MAX.checked_shl(u128::BITS - bits).unwrap_or(0);
    network.is_ipv4() == address.is_ipv4() && (of(network) ^ of(address)) & mask == 0
}
