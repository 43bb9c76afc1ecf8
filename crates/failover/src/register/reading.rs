//! A register as it is found: among a zone's record sets, or by the text that name servers answer with.

use super::{Register, RegisterError};
use crate::name::Name;
use crate::record::{RecordSet, Routing, Target};

/// The register of a name as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "nearly every reading is a known one; a box would only cost allocations")]
pub enum Reading {
    /// No such record.
    Absent,
    /// Read and understood; `set` is what a compare-and-swap must delete.
    Known {
        /// The record set as found.
        set: RecordSet,
        /// What it says.
        register: Register,
    },
    /// There, and not understood.
    Unreadable(RegisterError),
}

impl Reading {
    /// Reads the register of `name` among a zone's record sets.
    #[must_use]
    pub fn of_name(name: &Name, sets: &[RecordSet]) -> Self {
        let register_name = name.register();
        let mut found = sets.iter().filter(|set| set.name == register_name && set.kind == "TXT");
        let set = match (found.next(), found.next()) {
            (None, _) => return Self::Absent,
            (Some(set), None) => set,
            (Some(_), Some(_)) => return Self::Unreadable(RegisterError::Shape(name.clone())),
        };
        match (&set.routing, &set.target) {
            (Routing::Simple, Target::Values { values, .. }) if values.len() == 1 => {
                match Register::parse(&unquote(&values[0])) {
                    Ok(register) => Self::Known { set: set.clone(), register },
                    Err(error) => Self::Unreadable(error),
                }
            }
            _ => Self::Unreadable(RegisterError::Shape(name.clone())),
        }
    }

    /// Reads what name servers answer: the record's text, or that there is none.
    #[must_use]
    pub fn of_text(name: &Name, text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Absent };
        let read = Register::parse(text).and_then(|register| Ok((register.record_set(name)?, register)));
        read.map_or_else(Self::Unreadable, |(set, register)| Self::Known { set, register })
    }

    /// What it says, if it is there and readable.
    #[must_use]
    pub fn register(&self) -> Option<&Register> {
        match self {
            Self::Known { register, .. } => Some(register),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

fn unquote(value: &str) -> String {
    value.trim_matches('"').replace("\" \"", "")
}
