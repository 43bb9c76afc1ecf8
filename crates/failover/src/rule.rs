//! The rules' ids: stable, cited by messages, tests and approvals.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule's id. `P` rules decide about the pin, `R` rules about promotion, `F` rules about failback, `X` rules about
/// fencing the old writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the tables in `pin`, `promotion`, `failback` and `fence` say what each means")]
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
}

impl Rule {
    /// True if a person's approval may lift this rule.
    #[must_use]
    pub fn is_liftable(self) -> bool {
        matches!(self, Self::P08 | Self::P09 | Self::P10 | Self::P12 | Self::R07 | Self::R09)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
