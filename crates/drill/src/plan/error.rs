//! Why a plan cannot be played.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Why a plan cannot be played; each says which file, what in it, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A file cannot be read.
    #[error("{}: {why}; give {remedy}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
        /// What to give.
        remedy: &'static str,
    },
    /// A file is not TOML, or not of the shape it should have.
    #[error("{}: {}; {remedy}", file.display(), why.trim_end())]
    Shape {
        /// Which.
        file: PathBuf,
        /// Where, and why.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A field says what cannot be played.
    #[error("{}: {field} {fault}; {remedy}", file.display())]
    Field {
        /// Which file.
        file: PathBuf,
        /// Which field.
        field: String,
        /// What is wrong with it.
        fault: String,
        /// What to do.
        remedy: String,
    },
}

impl PlanError {
    /// Something is wrong with a field.
    pub(super) fn field(file: &Path, field: &str, fault: impl Into<String>, remedy: &str) -> Self {
        Self::Field { file: file.to_owned(), field: field.to_owned(), fault: fault.into(), remedy: remedy.to_owned() }
    }
}

/// A file's text.
pub(super) fn read(file: &Path, remedy: &'static str) -> Result<String, PlanError> {
    std::fs::read_to_string(file).map_err(|why| PlanError::Unreadable { file: file.to_owned(), why, remedy })
}

/// A number that is neither too small nor too great, if it is given.
pub(super) fn within(
    file: &Path,
    field: &str,
    given: Option<u32>,
    range: RangeInclusive<u32>,
) -> Result<Option<u32>, PlanError> {
    match given {
        Some(number) if !range.contains(&number) => {
            let remedy = format!("give a number from {} to {}", range.start(), range.end());
            Err(PlanError::field(file, field, format!("is {number}"), &remedy))
        }
        given => Ok(given),
    }
}
