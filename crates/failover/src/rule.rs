//! The rules and their rows: stable ids, cited by messages, metrics, docs, tests and approvals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fact::Attention;

/// A rule: what an approval lifts. `P` rules decide about the pin, `R` rules about promotion, `F` rules about failback, `X`
/// rules about fencing the old writer, `S` rules about the steps around a failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the tables in `pin`, `promotion`, `failback`, `fence` and `step` say what each means")]
pub enum Rule {
    P01,
    P02,
    P03,
    P04,
    P05,
    P06,
    P07,
    P08,
    P09,
    P10,
    P11,
    P12,
    P13,
    P14,
    P15,
    R01,
    R02,
    R03,
    R04,
    R05,
    R06,
    R07,
    R08,
    R09,
    F01,
    F02,
    F03,
    F04,
    F05,
    F06,
    F07,
    F08,
    F09,
    F10,
    X01,
    X02,
    X03,
    X04,
    X05,
    X06,
    X07,
    X08,
    X09,
    S01,
    S02,
    S03,
    S04,
    S05,
    S06,
    S07,
    S08,
    S09,
}

impl Rule {
    /// The rules that a person's approval may lift.
    pub const LIFTABLE: [Self; 7] = [Self::P08, Self::P09, Self::P10, Self::P12, Self::P15, Self::R07, Self::R09];

    /// True if a person's approval may lift this rule.
    #[must_use]
    pub fn is_liftable(self) -> bool {
        Self::LIFTABLE.contains(&self)
    }

    /// Those rules as a sentence names them: the last after an "and".
    #[must_use]
    pub fn liftable_in_words() -> String {
        let [first @ .., last] = Self::LIFTABLE.map(|rule| rule.to_string());
        format!("{} and {last}", first.join(", "))
    }

    /// True if lifting it may cost data: replica-promoter asks about it, and alarm-handler about all others.
    #[must_use]
    pub fn is_about_data(self) -> bool {
        matches!(self, Self::R07 | Self::R09)
    }

    /// The id of this rule's only row.
    #[must_use]
    pub const fn alone(self) -> Id {
        Id { rule: self, letter: None }
    }

    /// The id of one of this rule's rows.
    #[must_use]
    pub const fn row(self, letter: char) -> Id {
        Id { rule: self, letter: Some(letter) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A row's id: its rule and, where the rule has several rows, a letter, such as `P09b`. In JSON two fields, so that whoever
/// knows the rules alone can read it: `"rule": "P09", "row": "b"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Id {
    /// What an approval would have to lift.
    pub rule: Rule,
    /// Which of its rows.
    #[serde(rename = "row", skip_serializing_if = "Option::is_none", default)]
    pub letter: Option<char>,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        self.letter.map_or(Ok(()), |letter| write!(f, "{letter}"))
    }
}

/// A text that names neither a rule nor a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no rule: they are P01 to P15, R01 to R09, F01 to F10, X01 to X09 and S01 to S09, and P09b is a row of P09"
)]
pub struct IdError(String);

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let letter = text.chars().last().filter(char::is_ascii_alphabetic);
        let (rule, _) = text.split_at(text.len() - usize::from(letter.is_some()));
        let rule =
            Rule::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&rule.to_uppercase()));
        let rule = rule.map_err(|_| IdError(text.to_owned()))?;
        Ok(Self { rule, letter: letter.map(|letter| letter.to_ascii_lowercase()) })
    }
}

/// A row of a table: conditions `H` over the table's facts, and what it decides, `V`.
#[derive(Debug)]
pub struct Row<H, V> {
    /// Its id.
    pub id: Id,
    /// When it decides, in words.
    pub condition: &'static str,
    pub(crate) holds: H,
    /// What it decides.
    pub verdict: V,
    /// How loudly.
    pub attention: Attention,
    /// What happens next, in words.
    pub next: &'static str,
}

pub(crate) const fn row<H: Copy, V: Copy>(
    id: Id,
    condition: &'static str,
    holds: H,
    verdict: V,
    attention: Attention,
    next: &'static str,
) -> Row<H, V> {
    Row { id, condition, holds, verdict, attention, next }
}

/// The first row that holds, from the top. The last one always does, whatever its condition.
pub(crate) fn first<H, V>(table: &'static [Row<H, V>], holds: impl Fn(&H) -> bool) -> &'static Row<H, V> {
    let last = table.len() - 1;
    table[..last].iter().find(|row| holds(&row.holds)).unwrap_or(&table[last])
}
