//! Composite alarms: alarms whose state follows from other alarms' states by a rule.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::alarm::{Verdict, enabled};
use crate::arn::Arn;

/// "The rule expression of a composite alarm can include as many as 100 underlying alarms."
const ALARMS_MAX: usize = 100;
/// "AlarmRule: length constraints: minimum length of 1, maximum length of 10,240" (PutCompositeAlarm).
const RULE_CHARACTERS_MAX: usize = 10_240;

/// The settings of a composite alarm, as in `PutCompositeAlarm` and `DescribeAlarms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CompositeAlarm {
    /// Name, unique in its region among alarms of every kind.
    pub alarm_name: String,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    /// The rule, such as `ALARM("one") AND NOT OK("two")`.
    pub alarm_rule: String,
    /// Whether a change of state takes its actions.
    #[serde(default = "enabled")]
    pub actions_enabled: bool,
    /// ARNs of what to do on `OK`.
    #[serde(rename = "OKActions", default)]
    pub ok_actions: Vec<String>,
    /// ARNs of what to do on `ALARM`.
    #[serde(default)]
    pub alarm_actions: Vec<String>,
    /// ARNs of what to do on `INSUFFICIENT_DATA`.
    #[serde(default)]
    pub insufficient_data_actions: Vec<String>,
}

/// A rule, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    Constant(bool),
    Is(Verdict, String),
    Not(Box<Rule>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

impl Rule {
    /// Reads a rule. `NOT` binds more closely than `AND`, `AND` than `OR`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.chars().count() > RULE_CHARACTERS_MAX {
            return Err(format!("it must have between 1 and {RULE_CHARACTERS_MAX} characters"));
        }
        let mut reader = Reader { rest: text.trim() };
        let rule = reader.any()?;
        if !reader.rest.is_empty() {
            return Err(format!("unexpected \"{}\"", reader.rest));
        }
        let count = rule.alarms().len();
        if count > ALARMS_MAX {
            return Err(format!("it names {count} alarms; {ALARMS_MAX} are allowed"));
        }
        Ok(rule)
    }

    /// The names of the alarms it asks after.
    pub(super) fn alarms(&self) -> BTreeSet<&str> {
        match self {
            Self::Constant(_) => BTreeSet::new(),
            Self::Is(_, name) => BTreeSet::from([name.as_str()]),
            Self::Not(rule) => rule.alarms(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::alarms).collect(),
        }
    }

    /// Whether it holds, as the alarms are.
    pub(super) fn holds(&self, state_of: &dyn Fn(&str) -> Option<Verdict>) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Is(verdict, name) => state_of(name) == Some(*verdict),
            Self::Not(rule) => !rule.holds(state_of),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(state_of)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(state_of)),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<Rule, String> {
        let mut rules = vec![self.all()?];
        while self.word("OR") {
            rules.push(self.all()?);
        }
        Ok(one_or(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, String> {
        let mut rules = vec![self.one()?];
        while self.word("AND") {
            rules.push(self.one()?);
        }
        Ok(one_or(rules, Rule::All))
    }

    fn one(&mut self) -> Result<Rule, String> {
        if self.word("NOT") {
            return Ok(Rule::Not(Box::new(self.one()?)));
        }
        if self.symbol('(') {
            let rule = self.any()?;
            return self.closed(rule);
        }
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.word(word) {
                return Ok(Rule::Constant(value));
            }
        }
        for verdict in [Verdict::Alarm, Verdict::Ok, Verdict::InsufficientData] {
            if self.word(verdict.name()) {
                if !self.symbol('(') {
                    return Err(format!("{} must be followed by an alarm in parentheses", verdict.name()));
                }
                let rule = Rule::Is(verdict, self.alarm()?);
                return self.closed(rule);
            }
        }
        Err(format!("unexpected \"{}\"", self.rest))
    }

    fn closed(&mut self, rule: Rule) -> Result<Rule, String> {
        if self.symbol(')') { Ok(rule) } else { Err("a parenthesis is not closed".to_owned()) }
    }

    /// An alarm's name or ARN, in quotes if it has spaces or parentheses.
    fn alarm(&mut self) -> Result<String, String> {
        let (given, rest) = match self.rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quotation mark is not closed")?,
            None => self.rest.split_at(self.rest.find([')', ' ']).unwrap_or(self.rest.len())),
        };
        self.rest = rest.trim_start();
        let name = Arn::parse(given).and_then(|arn| arn.named("alarm:")).unwrap_or(given);
        if name.is_empty() { Err("an alarm has no name".to_owned()) } else { Ok(name.to_owned()) }
    }

    /// Takes a word, if it comes next. The user guide writes `false` as well as `FALSE`.
    fn word(&mut self, word: &str) -> bool {
        let Some((next, rest)) = self.rest.split_at_checked(word.len()) else { return false };
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_next = next.eq_ignore_ascii_case(word) && ends;
        if is_next {
            self.rest = rest.trim_start();
        }
        is_next
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let rest: Option<&'a str> = self.rest.strip_prefix(symbol);
        if let Some(rest) = rest {
            self.rest = rest.trim_start();
        }
        rest.is_some()
    }
}

fn one_or(mut rules: Vec<Rule>, several: impl FnOnce(Vec<Rule>) -> Rule) -> Rule {
    match rules.pop() {
        Some(only) if rules.is_empty() => only,
        last => {
            rules.extend(last);
            several(rules)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_by_the_states_of_the_alarms_it_names() {
        let states = |name: &str| match name {
            "down" | "with space (1)" => Some(Verdict::Alarm),
            "up" => Some(Verdict::Ok),
            "new" => Some(Verdict::InsufficientData),
            _ => None,
        };
        let table = [
            ("ALARM(down)", true),
            ("ALARM(\"with space (1)\")", true),
            ("OK(\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:up\")", true),
            ("ALARM(up) OR INSUFFICIENT_DATA(new)", true),
            ("ALARM(down) AND NOT OK(up)", false),
            ("ALARM(up) AND ALARM(new) OR ALARM(down)", true),
            ("ALARM(up) AND (ALARM(new) OR ALARM(down))", false),
            ("NOT (ALARM(up) OR ALARM( new ))", true),
            ("OK(absent)", false),
            ("NOT FALSE", true),
            ("false", false),
        ];
        for (text, expected) in table {
            let rule = Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(rule.holds(&states), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "down",
            "ALARM down",
            "ALARM(down",
            "ALARM(\"down)",
            "ALARM()",
            "ALARM(a) ALARM(b)",
            "NOT",
            "ALARM(a) AND",
        ] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
        let many: Vec<String> = (0..=ALARMS_MAX).map(|n| format!("ALARM(a{n})")).collect();
        assert!(Rule::parse(&many.join(" OR ")).unwrap_err().contains("101"));
    }
}
